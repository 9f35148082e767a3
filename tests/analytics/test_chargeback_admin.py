"""Administration of chargeback: to look at, never to write in, and to send mails again."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from analytics.models import (
    Budget,
    ExchangeRate,
    Notice,
    OutboxMail,
    Period,
    SharingRule,
    SharingTarget,
    Statement,
    StatementLine,
    WebhookCall,
)
from teams.models import AuditEntry, Organization, Team, User
from tests import pages
from tests.analytics.statements import HOSTILE, LATER

pytestmark = pytest.mark.usefixtures("kept_numbers", "december", "numbers")
MODELS: Final[tuple[type[Model], ...]] = (Period, Statement, OutboxMail)
FROZEN: Final[tuple[type[Model], ...]] = (*MODELS, StatementLine)
MANAGERS: Final = ("owner", "admin", "finance")
PATHS: Final = {
    Period: "organization",
    Statement: "period__organization",
    OutboxMail: "statement__period__organization",
}
LIST_OF_MAILS: Final = "/admin/analytics/outboxmail/"
State = OutboxMail.State


@pytest.fixture
def enter(client: Client, request: pytest.FixtureRequest) -> Any:
    """Sign in a persona by name."""

    def sign_in(persona: str) -> Client:
        client.force_login(request.getfixturevalue(persona))
        return client

    return sign_in


def name_of(model: type[Model], page: str) -> str:
    return f"admin:analytics_{model._meta.model_name}_{page}"


def rows_of(model: type[Model], slug: str) -> list[Model]:
    return list(model._default_manager.filter(**{f"{PATHS[model]}__slug": slug}))


def pages_of(row: Model) -> list[str]:
    return [reverse(name_of(type(row), page), args=[row.pk]) for page in ("change", "history")]


def own_pages(slug: str = "acme") -> Iterator[str]:
    """Every list, search, row and history of the organization."""
    for model in MODELS:
        yield reverse(name_of(model, "changelist"))
        for row in rows_of(model, slug):
            yield from pages_of(row)
    for model in (Statement, OutboxMail):
        yield reverse(name_of(model, "changelist")) + "?q=a"


def stored() -> list[Any]:
    return [list(model._default_manager.order_by("pk").values()) for model in FROZEN]


@pytest.mark.parametrize("persona", MANAGERS)
def test_those_who_manage_chargeback_see_their_own(persona: str, enter: Any, numbers: dict[str, str]) -> None:
    client = enter(persona)
    assert len(list(own_pages())) == 17
    for page in own_pages():
        response = client.get(page)
        assert response.status_code == 200, page
        assert "rival" not in response.content.decode().lower(), page
        assert numbers["rival-team"] not in response.content.decode(), page
    found = {model: client.get(reverse(name_of(model, "changelist"))).context["cl"].result_count for model in MODELS}
    assert found == {Period: 1, Statement: 3, OutboxMail: 2}


def test_operators_see_all(enter: Any) -> None:
    client = enter("superuser")
    for page in (*own_pages(), *own_pages("rival")):
        assert client.get(page).status_code == 200, page
    found = {model: client.get(reverse(name_of(model, "changelist"))).context["cl"].result_count for model in MODELS}
    assert found == {Period: 2, Statement: 4, OutboxMail: 3}


@pytest.mark.parametrize("persona", ["manager", "viewer", "member", "nobody"])
def test_all_others_stay_outside(persona: str, enter: Any) -> None:
    client = enter(persona)
    for page in own_pages():
        assert client.get(page, follow=True).status_code == 403, page


def test_visitors_are_sent_to_sign_in(client: Client) -> None:
    for page in own_pages():
        assert client.get(page)["Location"].startswith("/admin/login/?next="), page


@pytest.mark.parametrize("persona", ["owner", "finance"])
def test_foreign_rows_look_absent(persona: str, enter: Any) -> None:
    client = enter(persona)
    for model in MODELS:
        rows = rows_of(model, "rival")
        assert rows
        for row in rows:
            for page, other in zip(pages_of(row), pages_of(model(pk=987_654)), strict=True):
                found, missing = client.get(page), client.get(other)
                assert (found.status_code, found["Location"]) == (missing.status_code, missing["Location"]), page


def test_a_statement_in_full(enter: Any, numbers: dict[str, str]) -> None:
    statement = Statement.objects.get(number=numbers["Ads"])
    page = enter("finance").get(pages_of(statement)[0]).content.decode()
    fields = dict(re.findall(r'field-(\w+)">.*?<div class="readonly">(.*?)</div>', page, re.DOTALL))
    assert re.fullmatch(r"\d+", fields.pop("price_book_version"))
    assert re.fullmatch(r'<a href="/admin/analytics/period/\d+/change/">2026-11</a>', fields.pop("period"))
    assert fields == {
        "number": numbers["Ads"],
        "team_name": "Ads",
        "requests": "2",
        "failed": "0",
        "input_tokens": "1005",
        "output_tokens": "105",
        "shared_in_usd": "0",
        "cost_in_usd": "1.000000000001",
        "unpriced_requests": "1",
        "issued_at": "Dec. 5, 2026, noon",
        "digest": statement.digest,
    }
    assert [row[1:10] for row in pages.rows(page.partition("inline-group")[2])[1:]] == [
        ["1", "-", "gpt-5", "1", "0", "1000", "100", "1.000000000001", "0"],
        ["2", "-", "mystery", "1", "0", "5", "5", "no price", "1"],
    ]


@pytest.mark.parametrize("persona", [*MANAGERS, "superuser"])
def test_nobody_writes(persona: str, enter: Any, acme: Organization) -> None:
    client, before = enter(persona), stored()
    for model in MODELS:
        add, listed = reverse(name_of(model, "add")), reverse(name_of(model, "changelist"))
        row = rows_of(model, "acme")[0]
        change, _ = pages_of(row)
        delete = reverse(name_of(model, "delete"), args=[row.pk])
        form = {"number": "S0", "recipient": "thief@rival.example", "state": "pending", "cost": 0, "post": "yes"}
        assert [client.post(path, form).status_code for path in (add, change, delete)] == [403] * 3, model
        assert [client.get(path).status_code for path in (add, delete)] == [403] * 2, model
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        assert b"delete_selected" not in client.post(listed, chosen, follow=True).content
        assert not re.search(r'<input[^>]+name="_(save|continue|addanother)"', client.get(change).content.decode())
    assert stored() == before
    assert not AuditEntry.objects.filter(action__contains="mail").exists()


def set_states(**states: State) -> None:
    for name, state in states.items():
        OutboxMail.objects.filter(recipient__startswith=name).update(state=state, tries=7, error="refused")


def states() -> dict[str, tuple[str, int, str]]:
    rows = OutboxMail.objects.values_list("recipient", "state", "tries", "error")
    return {recipient: (state, tries, error) for recipient, state, tries, error in rows}


def choose_all(client: Client) -> str:
    """Select every mail there is, of whatever organization, and send again."""
    chosen = [str(pk) for pk in OutboxMail.objects.values_list("pk", flat=True)]
    page = client.post(LIST_OF_MAILS, {"action": "send_again", "_selected_action": chosen}, follow=True)
    return page.content.decode()


@pytest.mark.parametrize("persona", MANAGERS)
def test_mails_are_sent_again_within_the_organization(
    persona: str, enter: Any, acme: Organization, request: pytest.FixtureRequest
) -> None:
    set_states(ads=State.FAILED, search=State.UNCERTAIN, rival=State.FAILED)
    assert "2 will be sent again" in choose_all(enter(persona))
    assert states() == {
        "ads@acme.example": ("pending", 0, ""),
        "search@acme.example": ("pending", 0, ""),
        "rival-team@rival.example": ("failed", 7, "refused"),
    }
    assert {*OutboxMail.objects.filter(state=State.PENDING).values_list("not_before", flat=True)} == {LATER}
    person: User = request.getfixturevalue(persona)
    entries = AuditEntry.objects.filter(action="outboxmail.send_again")
    assert [(entry.organization, entry.actor) for entry in entries] == [(acme, person)] * 2


@pytest.mark.parametrize("state", [State.PENDING, State.SENDING, State.SENT])
def test_what_is_under_way_or_arrived_is_not_sent_again(state: State, enter: Any) -> None:
    set_states(ads=state, search=state, rival=state)
    before = states()
    assert "0 will be sent again" in choose_all(enter("finance"))
    assert states() == before


def test_operators_send_again_everywhere(enter: Any) -> None:
    set_states(ads=State.FAILED, search=State.SENT, rival=State.UNCERTAIN)
    assert "2 will be sent again" in choose_all(enter("superuser"))
    assert {recipient: state for recipient, (state, _, _) in states().items()} == {
        "ads@acme.example": "pending",
        "search@acme.example": "sent",
        "rival-team@rival.example": "pending",
    }


@pytest.mark.parametrize("persona", ["manager", "viewer", "member", "nobody"])
def test_others_send_nothing_again(persona: str, enter: Any) -> None:
    set_states(ads=State.FAILED, search=State.FAILED, rival=State.FAILED)
    before = states()
    choose_all(enter(persona))
    assert states() == before


@pytest.mark.parametrize(
    "query",
    [
        "period__organization__name__startswith=R",
        "statement__period__organization__slug=rival",
        "document__contains=a",
        "digest__startswith=a",
        "message_id__contains=a",
        "recipient__contains=rival",
        "team__name__contains=a",
    ],
)
def test_conditions_on_hidden_fields_are_refused(query: str, enter: Any) -> None:
    client = enter("finance")
    for model in MODELS:
        assert client.get(f"{reverse(name_of(model, 'changelist'))}?{query}").status_code in {302, 400}, model


def test_filters_and_searches_find_only_the_own(enter: Any, rival: Organization, numbers: dict[str, str]) -> None:
    client = enter("finance")
    (foreign,) = Period.objects.filter(organization=rival)
    (own,) = Period.objects.exclude(organization=rival)
    listed = reverse(name_of(Statement, "changelist"))
    assert client.get(listed).context["cl"].filter_specs == []  # one month to choose from: the own
    assert client.get(f"{listed}?period__id__exact={own.pk}").context["cl"].result_count == 3
    for query in (f"period__id__exact={foreign.pk}", f"q={numbers['rival-team']}", "q=rival", "q=S"):
        found = client.get(f"{listed}?{query}").context["cl"].result_list
        assert {statement.period for statement in found} <= {own}, query
    assert client.get(f"{LIST_OF_MAILS}?q=rival").context["cl"].result_count == 0
    assert client.get(f"{LIST_OF_MAILS}?q=acme").context["cl"].result_count == 2


def test_hostile_text_stays_text_and_nothing_is_inline(enter: Any) -> None:
    Statement.objects.filter(team_name="Ads").update(team_name=HOSTILE)
    StatementLine.objects.update(model=HOSTILE)
    OutboxMail.objects.update(error=HOSTILE)
    client = enter("finance")
    for page in own_pages():
        body = client.get(page).content.decode()
        assert re.findall(r"<style|<script>|\sstyle=|javascript:|<img src=x", body) == [], page


def test_rules_of_sharing_are_read_and_not_written(
    enter: Any, acme: Organization, ads: Team, rival: Organization
) -> None:
    for organization, team in ((acme, ads), (rival, None)):
        rule = SharingRule.objects.create(organization=organization, method="fixed", since=LATER, created_at=LATER)
        SharingTarget.objects.create(rule=rule, team=team or Team.objects.get(organization=rival), hundredths=10_000)
    own, foreign = SharingRule.objects.order_by("pk")
    client = enter("finance")
    listed = reverse(name_of(SharingRule, "changelist"))
    assert [one.pk for one in client.get(listed).context["cl"].result_list] == [own.pk]
    change = reverse(name_of(SharingRule, "change"), args=[own.pk])
    page = client.get(change).content.decode()
    assert "100.00 %" in page
    assert not re.search(r'<input[^>]+name="_(save|continue|addanother)"', page)
    assert client.post(change, {"method": "even"}).status_code == 403
    assert client.get(reverse(name_of(SharingRule, "change"), args=[foreign.pk])).status_code == 302


def test_no_other_model_of_analytics_is_administered() -> None:
    shown = {model for model in admin.site._registry if model._meta.app_label == "analytics"}
    assert shown == {*MODELS, SharingRule, ExchangeRate, Budget, Notice, WebhookCall}  # tests/budgets/test_mail.py
