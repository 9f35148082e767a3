"""Discounts and markups, aliases, cost policies: added, listed with what holds now, never changed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from ingestion.admin import terms
from ingestion.models import CostPolicy, ModelAlias, PriceAdjustment
from teams.models import AuditEntry, Organization, Team, User
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
ADJUSTMENT, ALIAS, POLICY = (f"/admin/ingestion/{name}/" for name in ("priceadjustment", "modelalias", "costpolicy"))
WHEN = {"effective_from_0": "2026-11-01", "effective_from_1": "00:00:00"}


@pytest.fixture
def as_finance(client: Client, finance: User) -> Client:
    client.force_login(finance)
    return client


def adjustment(organization: Organization | None, **fields: Any) -> dict[str, Any]:
    match = {"provider": "*", "model_match": "*", "match_kind": "glob"}
    row = {"kind": "discount", "percent": "5", "team": "", "note": "", **match, **WHEN}
    return row | {"organization": organization.pk if organization else ""} | fields


def alias(organization: Organization | None, **fields: Any) -> dict[str, Any]:
    row = {"model_match": "Our-GPT", "match_kind": "exact", "provider": "", "model": "GPT-5", "note": ""}
    return row | {"organization": organization.pk if organization else ""} | fields


def policy(organization: Organization | None, **fields: Any) -> dict[str, Any]:
    row = {"policy": "reported_first", "note": "", **WHEN}
    return row | {"organization": organization.pk if organization else ""} | fields


ROWS = [(ADJUSTMENT, adjustment), (ALIAS, alias), (POLICY, policy)]


def errors(answer: Any) -> list[str]:
    return list(answer.context["adminform"].form.errors)


def states(client: Client, path: str, **query: str) -> list[str]:
    page = client.get(path, query)
    model_admin = page.context["cl"].model_admin
    return [model_admin.state(row) for row in page.context["cl"].result_list]


def test_an_adjustment_is_added_and_audited(as_finance: Client, finance: User, acme: Organization) -> None:
    sent = adjustment(acme, percent="12.5000", provider="Vertex_AI", model_match="GPT-5", match_kind="exact")
    answer = as_finance.post(f"{ADJUSTMENT}add/", sent, follow=True)
    row = PriceAdjustment.objects.get()
    assert (row.organization, row.percent, row.provider, row.model_match) == (
        acme, Decimal("12.5"), "google-vertex", "gpt-5"
    )  # fmt: skip
    assert row.created_by == finance
    assert AuditEntry.objects.filter(action="priceadjustment.add", actor=finance, organization=acme).count() == 1
    assert "12.5 %" in answer.content.decode()
    assert terms.HOLDS_FROM_NOW in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"percent": "100"}, None),
        ({"percent": "0"}, None),
        ({"percent": ""}, None),
        ({"percent": "250", "kind": "markup"}, None),
        ({"percent": "0.0001"}, None),
        ({"percent": "100.0001"}, "percent"),
        ({"percent": "-1"}, "percent"),
        ({"percent": "-1", "kind": "markup"}, "percent"),
        ({"percent": "1.00001"}, "percent"),
        ({"percent": "100000", "kind": "markup"}, "percent"),
        ({"percent": "1e30", "kind": "markup"}, "percent"),
        ({"percent": "NaN"}, "percent"),
        ({"kind": "gift"}, "kind"),
        ({"match_kind": "exact"}, "model_match"),
        ({"model_match": "gpt"}, "model_match"),
        ({"provider": "open ai"}, "provider"),
        ({"organization": ""}, "organization"),
    ],
)
def test_adjustments_are_checked(
    as_finance: Client, acme: Organization, fields: dict[str, str], field: str | None
) -> None:
    answer = as_finance.post(f"{ADJUSTMENT}add/", adjustment(acme) | fields)
    if field is None:
        assert answer.status_code == 302
        assert PriceAdjustment.objects.count() == 1
    else:
        assert errors(answer) == [field]
        assert not PriceAdjustment.objects.exists()


def test_an_adjustment_is_for_a_team_of_its_organization(
    as_finance: Client, acme: Organization, search: Team, rival: Organization
) -> None:
    theirs = make.team(rival)
    assert errors(as_finance.post(f"{ADJUSTMENT}add/", adjustment(acme, team=theirs.pk))) == ["team"]
    assert as_finance.post(f"{ADJUSTMENT}add/", adjustment(acme, team=search.pk)).status_code == 302
    assert as_finance.post(f"{ADJUSTMENT}add/", adjustment(acme)).status_code == 302  # another line


def test_a_second_adjustment_of_a_line_and_instant_names_the_first(
    as_finance: Client, acme: Organization, search: Team
) -> None:
    for _ in range(2):
        answer = as_finance.post(f"{ADJUSTMENT}add/", adjustment(acme, team=search.pk))
    first = PriceAdjustment.objects.get()
    assert answer.context["adminform"].form.non_field_errors() == [
        "There is already one of this line from that instant: discount of 5 % by finance@acme.example on 2026-11-24 "
        f"(row {first.pk}). Tick “replace it” to correct it."
    ]
    for percent in ("6", "7"):
        sent = adjustment(acme, team=search.pk, percent=percent, replace="on")
        assert as_finance.post(f"{ADJUSTMENT}add/", sent).status_code == 302
    rows = list(PriceAdjustment.objects.order_by("id"))
    assert [row.corrects_id for row in rows] == [None, rows[0].pk, rows[1].pk]
    assert states(as_finance, ADJUSTMENT) == ["in force", "replaced", "replaced"]


def test_whoever_is_slower_gets_the_same_words(
    as_finance: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_finance.post(f"{ADJUSTMENT}add/", adjustment(acme))
    monkeypatch.setattr("ingestion.admin.term_forms.standing", lambda model, values: None)
    answer = as_finance.post(f"{ADJUSTMENT}add/", adjustment(acme), follow=True)
    assert "There is already one of this line from that instant: discount of 5 %" in answer.content.decode()
    assert PriceAdjustment.objects.count() == 1


def test_the_list_says_what_holds_now(as_finance: Client, acme: Organization, search: Team) -> None:
    def add(days: int, percent: str | None, **fields: Any) -> None:
        since = make.NOW + timedelta(days=days)
        row = {"kind": "discount", "organization": acme, "effective_from": since, **fields}
        PriceAdjustment.objects.create(percent=percent and Decimal(percent), **row)

    add(-9, "1")
    add(-5, "2")
    add(5, "3")
    add(-9, "4", team=search)
    add(-5, None, team=search)
    add(-9, "5", kind="markup")
    found = dict(zip(("3", "2", "none", "1", "4", "5"), states(as_finance, ADJUSTMENT), strict=True))
    assert found["3"] == "in the future"
    assert sorted(states(as_finance, ADJUSTMENT)) == [
        "ended", "in force", "in force", "in the future", "replaced", "replaced"
    ]  # fmt: skip
    now = as_finance.get(ADJUSTMENT, {"now": "1"}).context["cl"].result_list
    assert {row.percent for row in now} == {Decimal(2), None, Decimal(5)}


def test_a_policy_of_an_instant_is_replaced_only_when_told(as_finance: Client, acme: Organization) -> None:
    assert as_finance.post(f"{POLICY}add/", policy(acme)).status_code == 302
    refused = as_finance.post(f"{POLICY}add/", policy(acme, policy="computed_only"))
    (message,) = refused.context["adminform"].form.non_field_errors()
    assert "the gateway's figure, else price book by finance@acme.example" in message
    assert as_finance.post(f"{POLICY}add/", policy(acme, policy="computed_only", replace="on")).status_code == 302
    assert [row.policy for row in CostPolicy.objects.order_by("id")] == ["reported_first", "computed_only"]
    assert states(as_finance, POLICY) == ["in force", "replaced"]
    assert AuditEntry.objects.filter(action="costpolicy.add").count() == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, None),
        ({"model": ""}, None),
        ({"model": "our-gpt", "provider": "openai"}, None),
        ({"model_match": "our-*", "match_kind": "glob"}, None),
        ({"model": "our-gpt"}, "model"),
        ({"model": "gpt-*"}, "model"),
        ({"model": "gpt\u200b\t5"}, "model"),
        ({"provider": "*"}, "provider"),
        ({"provider": "open ai"}, "provider"),
        ({"model_match": "our-*"}, "model_match"),
        ({"model_match": "x" * 257}, "model_match"),
        ({"organization": ""}, "organization"),
    ],
)
def test_aliases_are_checked(as_finance: Client, acme: Organization, fields: dict[str, str], field: str | None) -> None:
    answer = as_finance.post(f"{ALIAS}add/", alias(acme) | fields)
    assert ([field] if field else []) == (errors(answer) if answer.status_code == 200 else [])
    assert ModelAlias.objects.count() == (field is None)


def test_an_alias_is_stored_as_names_are_compared(as_finance: Client, acme: Organization) -> None:
    as_finance.post(f"{ALIAS}add/", alias(acme))
    as_finance.post(f"{ALIAS}add/", alias(acme, model=""))
    assert list(ModelAlias.objects.order_by("id").values_list("model_match", "model")) == [
        ("our-gpt", "gpt-5"), ("our-gpt", "")
    ]  # fmt: skip
    assert states(as_finance, ALIAS) == ["ended", "replaced"]
    assert len(states(as_finance, ALIAS, now="1")) == 1


def test_only_operators_alias_for_everybody(client: Client, superuser: User, finance: User, acme: Organization) -> None:
    client.force_login(superuser)
    assert client.post(f"{ALIAS}add/", alias(None)).status_code == 302
    client.post(f"{ALIAS}add/", alias(acme))
    assert states(client, ALIAS) == ["in force", "in force"]  # of two organizations, so of two lines
    client.force_login(finance)
    assert len(client.get(ALIAS).context["cl"].result_list) == 2


@pytest.mark.parametrize(("path", "row"), ROWS)
def test_nobody_adds_for_another_organization(
    as_finance: Client, rival: Organization, acme: Organization, path: str, row: Any
) -> None:
    assert errors(as_finance.post(f"{path}add/", row(rival))) == ["organization"]
    assert "Rival" not in as_finance.get(f"{path}add/").content.decode()


@pytest.mark.parametrize(("path", "row"), ROWS)
def test_rows_are_seen_by_their_organization_and_changed_by_nobody(
    client: Client, finance: User, outsider: User, superuser: User, acme: Organization, path: str, row: Any
) -> None:
    client.force_login(finance)
    assert client.post(f"{path}add/", row(acme, note="secret of acme")).status_code == 302
    (stored,) = client.get(path).context["cl"].result_list
    page = f"{path}{stored.pk}/change/"
    assert b"secret of acme" in client.get(page).content
    for person in (finance, superuser):
        client.force_login(person)
        assert client.post(page, row(acme, note="other")).status_code == 403
        refused = client.post(f"{path}{stored.pk}/delete/", {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": stored.pk, "post": "yes"}
        for answer in (refused, client.post(path, chosen)):
            assert answer.status_code == 403
            assert b"Nothing is deleted here" in answer.content
    client.force_login(outsider)
    assert list(client.get(path).context["cl"].result_list) == []
    absent = client.get(f"{path}987654/change/")
    assert client.get(page).status_code == absent.status_code == 302
    stored.refresh_from_db()
    assert stored.note == "secret of acme"


@pytest.mark.parametrize(("path", "row"), ROWS)
@pytest.mark.parametrize("persona", ["member", "manager", "viewer", "nobody"])
def test_others_stay_outside(
    client: Client, request: Any, acme: Organization, persona: str, path: str, row: Any
) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert client.get(path).status_code in (302, 403)
    assert client.post(f"{path}add/", row(acme)).status_code in (302, 403)
    assert client.post(f"{path}1/delete/").status_code in (302, 403)
