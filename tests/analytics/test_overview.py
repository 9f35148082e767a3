"""The page of a month: equal to the API, compared with the same days of the month before, within what a person sees."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client

from analytics import rollups
from analytics.dashboards.model_prices import MOST
from analytics.dashboards.months import month_of
from analytics.dashboards.overview import ABOUT, TOP, build
from ingestion.models import LLMRequest
from metricsportal.lib import formats
from teams.access import scope_of_organization, scope_of_user
from teams.models import Organization, User
from tests import kept, make
from tests.analytics.world import store
from tests.personas import acme_works

PAGE: Final = "/o/acme/overview/"
NOW: Final = datetime(2026, 11, 11, 12, tzinfo=UTC)
HOSTILE: Final = "<img src=x onerror=alert(1)>&f=team:eq:rival"
Read = Callable[..., str]


def sent(number: int, days: float, team: str | None, model: str = "gpt-5", **fields: Any) -> dict[str, Any]:
    return {
        "request_id": f"m{number}",
        "started_at": NOW - timedelta(days=days),
        "team": team,
        "user": f"user of {team}",
        "virtual_account": f"account of {team}",
        "model": model,
        "input_tokens": 1_000_000,
        "output_tokens": 0,
        "latency_ms": 900.0,
        "status_code": 200,
    } | fields


def _fill() -> None:
    acme, rival = acme_works(), make.organization("rival", name="Rival Works")
    make.team(acme, "Search")
    make.team(acme, "Ads")
    make.price("gpt-5", "input", "2")
    make.price("gpt-4o", "input", "4")
    store(
        acme,
        sent(1, 0.5, "Search"),
        sent(2, 2, "Search", "gpt-4o"),
        sent(3, 9, "Ads"),
        sent(4, 9, "Ads", "mystery"),
        sent(5, 3, None, HOSTILE, status_code=429, error_type="RateLimitError"),
        sent(6, 31 + 2, "Search"),
        sent(7, 31 + 5, "Ads"),
        sent(8, 15, "Search", "gpt-4o"),  # 27 October: not among the days to compare with
        sent(9, 100, "Search"),  # of August
    )
    store(rival, sent(1, 1, "rival-team", "rival-model"))
    rollups.drain()


_stored = kept.fixture(_fill)


@pytest.fixture
def months(_stored: None, acme: Organization) -> Organization:
    """November until noon of the eleventh, the same days of October, and the end of October."""
    return acme


@pytest.fixture
def read(client: Client, request: pytest.FixtureRequest) -> Read:
    """What a persona reads there."""

    def as_persona(persona: str = "owner", **parameters: Any) -> str:
        client.force_login(request.getfixturevalue(persona))
        with time_machine.travel(NOW, tick=False):
            response = client.get(PAGE, parameters)
        assert response.status_code == 200
        return response.content.decode()

    return as_persona


def built(organization: Organization, query: str = "") -> dict[str, Any]:
    return build(QueryDict(query), scope_of_organization(organization), NOW)


def table(data: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    (found,) = [one for one in data["tables"] if one["name"] == name]
    return {row["label"]: row for row in found["rows"]}


def test_the_month_so_far_beside_the_same_days_of_the_one_before(months: Organization) -> None:
    data = built(months)
    cost, requests, tokens, _ = data["counters"]
    assert (cost["text"], cost["change"]) == ("at least $8.00", "up 100.0 %")  # 2 + 4 + 2 against 2 + 2
    assert (requests["text"], requests["change"]) == ("5", "up 150.0 %")
    assert requests["notes"] == ["1 failed (20.0 %)"]
    assert tokens["text"] == "5,000,000"
    assert data["compared"] == "compared with 1 to 11 October 2026"
    assert (data["highest"]["cost"], data["highest"]["date"].day) == ("$4.00", 9)
    assert data["forecast"] == "at least $8.00"  # on most Thursdays, Fridays … nothing was used
    assert data["month"].text == "November 2026 so far"


def test_it_says_what_the_facts_say(months: Organization) -> None:
    data = built(months)
    here = LLMRequest.objects.filter(organization=months, started_at__gte=datetime(2026, 11, 1, tzinfo=UTC))
    for name in ABOUT:
        counted: dict[str, list[int]] = {}
        for one in here.select_related(name):
            group = getattr(one, name)
            text = group.name if group else "Unassigned" if name == "team" else "(none)"
            counted.setdefault(text, []).append(one.cost or 0)
        assert {
            label: (row["requests"], row["cost"].removeprefix("at least ")) for label, row in table(data, name).items()
        } == {label: (formats.exact(len(costs)), formats.usd(sum(costs) or None)) for label, costs in counted.items()}
    assert [day["requests"] for day in data["days"]] == [
        formats.exact(sum(one.started_at.day == day for one in here)) for day in range(1, 12)
    ]
    assert max(day["height"] for day in data["days"]) == 100


def test_a_month_that_is_over(months: Organization) -> None:
    data = built(months, "month=2026-10")
    assert (data["month"].text, data["forecast"], len(data["days"])) == ("October 2026", None, 31)
    assert data["counters"][1]["text"] == "3"
    assert data["counters"][0]["change"] is None  # nothing was recorded before
    assert table(data, "team")["Search"]["change"] == "new"
    assert (data["month"].before, data["month"].after) == ("2026-09", "2026-11")


@pytest.mark.django_db
def test_months_that_were_recorded_in_part_are_not_compared() -> None:
    """Recording began in the middle of October: November is no growth."""
    organization = make.organization()
    store(organization, sent(1, 1, "Search"), sent(2, 31 + 5, "Search"))
    data = built(organization)
    assert data["compared"] == "not compared"
    assert {one["change"] for one in data["counters"]} == {None}
    assert table(data, "team")["Search"]["change"] is None


def test_of_one_team(months: Organization) -> None:
    data = built(months, "f=team:eq:Search")
    assert data["about"] == {"kind": "team", "label": "Team", "name": "Search"}
    assert data["counters"][0]["text"] == "$6.00"
    assert [one["name"] for one in data["tables"]] == [name for name in ABOUT if name != "team"]
    assert table(data, "model")["gpt-4o"]["change"] == "new"
    metrics = parse_qs(urlsplit("?" + data["metrics"]).query)
    assert (metrics["f"], metrics["from"]) == (["team:eq:Search"], ["2026-10-31T23:00:00+00:00"])


def test_links_lead_to_a_group_and_names_stay_text(months: Organization, read: Read) -> None:
    text = read()
    assert "<img src=x" not in text
    row = table(built(months), "model")[HOSTILE]
    asked = parse_qs(urlsplit(row["url"]).query)
    (own,) = asked["f"]
    again = built(months, row["url"].removeprefix("?"))
    assert again["about"]["name"] == HOSTILE
    assert again["counters"][1]["text"] == "1"
    assert own.startswith("model:eq:")
    assert "<img src=x" not in read(f=own)


@pytest.mark.django_db
def test_only_the_largest_have_rows_and_the_others_one_together() -> None:
    organization = make.organization()
    store(organization, *(sent(number, 1, "Search", f"model-{number:02}") for number in range(TOP + 3)))
    rollups.drain()
    rows = table(built(organization), "model")
    assert len(rows) == TOP + 1
    assert rows["All others"]["requests"] == "3"
    assert rows["All others"]["url"] is None


@pytest.mark.parametrize("persona", ["viewer", "manager"])
def test_a_team_sees_its_own_month(months: Organization, read: Read, persona: str) -> None:
    text = read(persona)
    assert "gpt-4o" in text
    assert "mystery" not in text
    assert "user of Ads" not in text
    assert "No requests in this month" in read(persona, f="team:eq:Ads")
    assert "rival-model" not in text


def test_outsiders_do_not(months: Organization, client: Client, outsider: User) -> None:
    client.force_login(outsider)
    assert client.get(PAGE).status_code == 404


@pytest.mark.parametrize("asked", ["2026-13", "soon", "2026-12", "1969-01", "<b>"])
def test_what_is_no_month_is_said(months: Organization, read: Read, asked: str) -> None:
    text = read(month=asked)
    assert "is not a month such as 2026-11 that has begun; this one is shown." in text
    assert "November 2026 so far" in text
    assert "<b>" not in text


def test_a_month_without_requests_says_where_there_are_some(months: Organization, read: Read) -> None:
    text = read(month="2026-07")
    assert "No requests in this month" in text
    assert 'href="?month=2026-06"' in text


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Auckland"])
def test_months_are_those_of_the_reporting_zone(zone: str) -> None:
    organization = make.organization(zone=zone)
    scope = scope_of_organization(organization)
    for asked in ("2026-02", "2026-03", "2026-10"):
        month, messages = month_of(asked, scope, NOW)
        assert messages == []
        local = [border.astimezone(ZoneInfo(zone)) for border in (month.whole.start, month.whole.end)]
        assert [(one.day, one.hour, one.minute) for one in local] == [(1, 0, 0), (1, 0, 0)]
        assert re.fullmatch(r"\d{4}-\d{2}", month.before)


def test_people_who_keep_prices_find_those_of_the_model(months: Organization, read: Read) -> None:
    assert "Prices of this model" in read(f="model:eq:gpt-5")
    assert "Prices of this model" not in read("viewer", f="model:eq:gpt-5")
    assert "Prices of this model" not in read()


def test_it_is_in_the_navigation(months: Organization, read: Read) -> None:
    assert f'<a href="{PAGE}" aria-current="page">Overview</a>' in read()


def prices_of(person: User, model: str) -> Any:
    scope = scope_of_user(person, Organization.objects.get(slug="acme"))
    assert scope is not None
    return build(QueryDict(f"f=model:eq:{model}"), scope, NOW)["prices"]


def test_a_model_s_page_has_its_price_history(months: Organization, owner: User, read: Read) -> None:
    make.price("gpt-5", "input", "1.5", effective_from=datetime(2026, 11, 5, 23, tzinfo=UTC))
    make.price("gpt-5", "output", "10", effective_from=datetime(2026, 12, 1, tzinfo=UTC))
    make.price("gpt-4", "input", "30", effective_from=datetime(2026, 11, 2, tzinfo=UTC))
    rows = prices_of(owner, "gpt-5")["rows"]
    names = ("from", "class", "price", "change", "until", "standing")
    assert [tuple(row[name] for name in names) for row in rows[:2]] == [  # times of Berlin
        ("1 Dec 2026 01:00", "output", "$10", "", None, "future"),
        ("6 Nov 2026 00:00", "input", "$1.5", "-25 %", None, "in force"),
    ]
    assert [tuple(row[name] for name in names[1:]) for row in rows[2:]] == [
        ("input", "$2", "", "6 Nov 2026 00:00", "over")
    ]
    for persona, is_shown in (("owner", True), ("finance", True), ("viewer", False), ("member", False)):
        text = read(persona, f="model:eq:gpt-5")
        assert ('id="prices-title"' in text, "6 Nov 2026 00:00" in text) == (is_shown, is_shown)
    assert 'id="prices-title"' not in read(f="team:eq:Search")
    assert "6 Nov 2026 00:00" in read(f="model:eq:gpt-5", month="2026-07")  # a month without requests
    assert "No entry of the price book speaks of this model." in read(f="model:eq:mystery")


def test_prices_of_others_stay_theirs(months: Organization, rival: Organization, owner: User) -> None:
    make.price("gpt-5", "input", "77", organization=rival, effective_from=datetime(2026, 11, 5, tzinfo=UTC))
    assert [row["price"] for row in prices_of(owner, "gpt-5")["rows"]] == ["$2"]


def test_long_histories_say_what_they_leave_out(months: Organization, owner: User, read: Read) -> None:
    for number in range(MOST + 1):
        make.price("gpt-5", "input", str(3 + number), effective_from=NOW + timedelta(hours=number))
    found = prices_of(owner, "gpt-5")
    assert (len(found["rows"]), found["left"]) == (MOST, 2)
    assert found["rows"][0]["price"] == f"${3 + MOST}"
    assert "and 2 earlier ones in the price book" in read(f="model:eq:gpt-5")


def test_days_have_their_latency(months: Organization) -> None:
    days = {one["date"].day: one for one in built(months)["days"]}
    assert [text.endswith(" ms") for text in days[9]["latency"]] == [True, True]
    assert days[4]["latency"] == [formats.NO_VALUE] * 2
    assert days[8]["failure_rate"] == "100.0 %"
