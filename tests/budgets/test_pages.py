"""Pages of budgets: who opens what, forms with previews, hostile names as text, bars on other pages."""

from typing import Any

import pytest
import time_machine
from django.test import Client

from analytics.budgets.periods import span_at
from analytics.dashboards.budget_lines import share_of
from analytics.models import AnomalyWatch, Budget
from metricsportal.lib.localtime import Interval
from teams.models import AuditEntry, Organization, Team, User
from tests.budgets.scene import NOW, at, budget, look, spend

HOSTILE = "<img src=x onerror=alert(1)>"
LIST = "/o/acme/budgets/"
FORM = {
    "name": "Mine",
    "team": "",
    "dimension": "",
    "value": "",
    "unit": "usd",
    "every": "month",
    "amount": "1,000.50",
    "thresholds": "50 %, 90",
    "forecast": "on",
    "recipients": "owner@acme.example\nfinance@acme.example",
    "webhook": "",
}


@pytest.fixture
def now(acme: Organization) -> Any:
    """The same instant for pages."""
    with time_machine.travel(NOW, tick=False):
        yield NOW


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("persona", "lists", "adds", "whole", "own"),
    [
        ("owner", 200, 200, 200, 200),
        ("finance", 200, 200, 200, 200),
        ("manager", 200, 200, 404, 200),
        ("viewer", 200, 403, 404, 403),
        ("member", 200, 403, 404, 404),
        ("outsider", 404, 404, 404, 404),
    ],
)
def test_who_opens_what(
    acme: Organization, search: Team, request: Any, persona: str, lists: int, adds: int, whole: int, own: int
) -> None:
    all_of_it, of_search = budget(acme, name="whole"), budget(acme, name="of search", team="Search")
    client = signed_in(request.getfixturevalue(persona))
    assert client.get(LIST).status_code == lists
    assert client.get(LIST + "new").status_code == adds
    refused = {"owner": 400, "finance": 400, "manager": 403}  # of the whole organization, which a manager's form lacks
    assert client.post(LIST + "new", {"name": ""}).status_code == refused.get(persona, adds)
    for one, expected in ((all_of_it, whole), (of_search, own)):
        assert client.get(f"{LIST}{one.pk}").status_code == expected
        for act in ("secret", "delete"):
            assert client.post(f"{LIST}{one.pk}/{act}").status_code == (302 if expected == 200 else expected)
    assert client.get(f"{LIST}{10**30}").status_code == 404


@pytest.mark.django_db
def test_lists_show_their_own(acme: Organization, rival: Organization, search: Team, viewer: User, owner: User) -> None:
    for organization, name in ((acme, "whole"), (rival, "theirs")):
        budget(organization, name=f"Budget {name}")
    budget(acme, name="Budget of search", team="Search")
    for person, seen in ((owner, {"whole", "of search"}), (viewer, {"of search"})):
        page = signed_in(person).get(LIST).content.decode()
        assert {name for name in ("whole", "theirs", "of search") if f"Budget {name}" in page} == seen
        assert ("New budget" in page) == (person == owner)


@pytest.mark.django_db
def test_a_preview_changes_nothing_and_saving_does(acme: Organization, owner: User, finance: User, now: Any) -> None:
    client = signed_in(owner)
    spend(acme, "250")
    preview = client.post(LIST + "new", FORM | {"preview": "1"})
    text = preview.content.decode()
    assert preview.status_code == 200
    assert "Counts <bdi>the whole organization</bdi>. Nothing is saved yet." in text
    assert "$250.00 of $1,000.50 a month" in text
    assert "Told at 50 %, 90 %, and when the forecast passes 100 %" in text
    assert not Budget.objects.exists()
    assert client.post(LIST + "new", FORM).status_code == 302
    made = Budget.objects.get()
    assert (str(made.amount), made.thresholds) == ("1000.50", [50, 90])
    assert made.recipients == ["owner@acme.example", "finance@acme.example"]
    again = client.post(f"{LIST}{made.pk}", FORM | {"amount": "300", "preview": "1"})
    assert "$250.00 of $300.00 a month" in again.content.decode()
    made.refresh_from_db()
    assert str(made.amount) == "1000.50"
    client.post(f"{LIST}{made.pk}", FORM | {"amount": "300", "forecast": ""})
    made.refresh_from_db()
    assert (str(made.amount), made.forecast) == ("300.00", False)
    changes = AuditEntry.objects.get(action="budget.change").details
    assert (changes["before"]["amount"], changes["amount"]) == ("1000.50", "300")


@pytest.mark.django_db
def test_what_is_wrong_is_told_with_what_was_typed(acme: Organization, owner: User) -> None:
    wrong = FORM | {"name": HOSTILE, "amount": "0", "thresholds": "50 1001", "recipients": "a@b.example", "webhook": ""}
    response = signed_in(owner).post(LIST + "new", wrong)
    text = response.content.decode()
    assert response.status_code == 400
    assert "The amount is more than 0" in text
    assert "each from 1 to 1,000 %" in text
    assert 'value="&lt;img src=x onerror=alert(1)&gt;"' in text
    assert HOSTILE not in text
    assert not Budget.objects.exists()


@pytest.mark.django_db
def test_hostile_names_are_text(acme: Organization, owner: User, now: Any) -> None:
    spend(acme, "60", model=HOSTILE)
    budget(acme, name=HOSTILE, dimension="model", value=HOSTILE)
    budget(acme, name=f"all {HOSTILE}")
    look()
    client = signed_in(owner)
    for path in (LIST, f"{LIST}{Budget.objects.first().pk}", "/o/acme/overview/", "/o/acme/?from=now-7d"):  # type: ignore[union-attr] # there is one
        page = client.get(path).content.decode()
        assert "&lt;img src=x onerror=alert(1)&gt;" in page, path
        assert HOSTILE not in page, path
    assert "Told: 50 % on 24 November 13:00" in client.get(LIST).content.decode()


@pytest.mark.django_db
def test_bars_stand_where_the_use_is_shown(
    acme: Organization, search: Team, owner: User, viewer: User, now: Any
) -> None:
    spend(acme, "60", team="Search")
    budget(acme, name="Whole budget")
    budget(acme, name="Search budget", team="Search")
    budget(acme, name="Narrow budget", team="Search", dimension="model", value="gpt-4o")
    expected = {
        (owner, "/o/acme/overview/"): {"Whole"},
        (owner, "/o/acme/overview/?f=team:eq:Search"): {"Search"},
        (owner, "/o/acme/overview/?f=model:eq:gpt-4o"): set(),
        (viewer, "/o/acme/overview/"): {"Search"},
    }
    for (person, path), names in expected.items():
        page = signed_in(person).get(path).content.decode()
        assert {one for one in ("Whole", "Search", "Narrow") if f"{one} budget" in page} == names, path


@pytest.mark.django_db
def test_the_chart_of_cost_has_the_budgets_of_what_it_shows(
    acme: Organization, search: Team, owner: User, viewer: User, now: Any
) -> None:
    spend(acme, "60", team="Search")
    budget(acme, "300", name="Whole")
    budget(acme, "30", name="Search", team="Search", every="week")
    budget(acme, "10", name="Tokens", unit="tokens")
    budget(acme, "10", name="Model", team="Search", dimension="model", value="gpt-4o")

    def lines(person: User, query: str) -> list[Any]:
        data = signed_in(person).get(f"/o/acme/data?from=now-30d&interval=1d{query}").json()
        (panel,) = [one for one in data["panels"] if one["name"] == "cost"]
        assert all("budgets" not in one for one in data["panels"] if one is not panel)
        return [(one["name"], one["value"]) for one in panel["budgets"]]

    assert lines(owner, "") == [("Whole", 10.0)]
    assert lines(owner, "&f=team:eq:Search") == lines(owner, "&f=team:in:Search") == [("Search", pytest.approx(30 / 7))]
    assert lines(owner, "&f=model:eq:gpt-4o&f=team:eq:Search") == [("Model", pytest.approx(1 / 3))]
    assert lines(owner, "&f=model:eq:gpt-4o") == lines(owner, "&f=team:ne:Search") == []
    assert lines(viewer, "") == lines(viewer, "&f=team:eq:Search") == [("Search", pytest.approx(30 / 7))]
    data = signed_in(owner).get("/o/acme/data?from=now-30d&interval=1d").json()
    (one,) = next(panel for panel in data["panels"] if panel["name"] == "cost")["budgets"]
    assert one["label"] == "Whole: $10.00 per day"
    assert one["used"] == "20 % of $300.00 a month used (Whole, November 2026)"


def test_a_bucket_gets_its_part_of_the_amount() -> None:
    month = span_at("month", at(24, month=10), "Europe/Berlin")  # of 31 days and an hour
    assert share_of(745 * 3600, month, Interval.HOUR, at(24, month=10), "Europe/Berlin") == 3600
    assert share_of(745 * 3600, month, Interval.DAY, at(25, month=10), "Europe/Berlin") == 25 * 3600
    assert share_of(700, month, Interval.MONTH, at(24, month=10), "Europe/Berlin") == 700


@pytest.mark.django_db
def test_days_that_stand_out_are_switched_by_who_may(
    acme: Organization, search: Team, ads: Team, finance: User, manager: User, viewer: User
) -> None:
    def switch(person: User, team: Team | None, **more: str) -> int:
        sent = {"team": str(team.pk) if team else "", "enabled": "on", "minimum": "25"} | more
        return int(signed_in(person).post(LIST + "watch", sent).status_code)

    assert switch(viewer, search) == switch(manager, ads) == switch(manager, None) == 404
    assert not AnomalyWatch.objects.exists()
    assert switch(manager, search) == switch(finance, None, enabled="") == 302
    assert switch(finance, None, minimum="much") == switch(finance, None, minimum="NaN") == 302
    rows = AnomalyWatch.objects.order_by("pk").values_list("team__name", "enabled", "minimum")
    assert [(team, enabled, int(minimum)) for team, enabled, minimum in rows] == [
        ("Search", True, 25),
        (None, False, 25),
    ]
