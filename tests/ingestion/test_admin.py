"""Administration of prices, names and requests."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from ingestion.models import ChangedHour, GatewayUser, LLMRequest, MetadataKey, PriceEntry
from teams.models import AuditEntry, Organization, Team, User
from tests import make

pytestmark = pytest.mark.django_db
ADD = "/admin/ingestion/priceentry/add/"


def price_form(organization: Organization | None, **fields: str) -> dict[str, Any]:
    return {
        "organization": organization.pk if organization else "",
        "provider": "openai",
        "model_match": "gpt-5",
        "match_kind": "exact",
        "token_class": "input",
        "price": "1.25",
        "service_tier": "standard",
        "context_above": "0",
        "effective_from_0": "2026-01-01",
        "effective_from_1": "00:00:00",
        "note": "",
        **fields,
    }


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def test_finance_adds_prices(client: Client, finance: User, acme: Organization) -> None:
    sent = price_form(acme, model_match=" GPT-5 ", provider="Vertex_AI", service_tier="Batch", price="0.000001")
    answer = signed_in(client, finance).post(ADD, sent)
    assert answer.status_code == 302
    entry = PriceEntry.objects.get()
    assert (entry.organization, entry.created_by, entry.source) == (acme, finance, "manual")
    assert (entry.model_match, entry.provider, entry.service_tier) == ("gpt-5", "google-vertex", "batch")
    assert AuditEntry.objects.filter(action="priceentry.add", actor=finance).count() == 1
    assert b"gpt-5" in client.get("/admin/ingestion/priceentry/").content


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"price": "1.1234567"}, "price"),
        ({"price": "-1"}, "price"),
        ({"provider": "open ai"}, "provider"),
        ({"provider": "* "}, None),
        ({"model_match": "gpt-*"}, "model_match"),
        ({"model_match": "gpt", "match_kind": "glob"}, "model_match"),
        ({"model_match": "gpt-*", "match_kind": "glob"}, None),
        ({"token_class": "words"}, "token_class"),
        ({"price": ""}, None),
        ({"context_above": "-1"}, "context_above"),
    ],
)
def test_prices_are_checked(
    client: Client, finance: User, acme: Organization, fields: dict[str, str], field: str | None
) -> None:
    answer = signed_in(client, finance).post(ADD, price_form(acme, **fields))
    if field is None:
        assert answer.status_code == 302
        assert PriceEntry.objects.count() == 1
    else:
        assert field in answer.context["adminform"].form.errors
        assert not PriceEntry.objects.exists()


def test_only_operators_price_for_everybody(client: Client, finance: User, acme: Organization) -> None:
    refused = signed_in(client, finance).post(ADD, price_form(None))
    assert "organization" in refused.context["adminform"].form.errors
    assert signed_in(client, make.user(is_superuser=True)).post(ADD, price_form(None)).status_code == 302
    assert PriceEntry.objects.get().organization is None


def test_nobody_prices_for_another_organization(client: Client, finance: User, rival: Organization) -> None:
    answer = signed_in(client, finance).post(ADD, price_form(rival))
    assert answer.status_code == 200
    assert not PriceEntry.objects.exists()


@pytest.mark.parametrize("verb", ["change", "delete"])
@pytest.mark.parametrize("operator", [False, True])
def test_prices_are_never_changed(client: Client, finance: User, acme: Organization, verb: str, operator: bool) -> None:
    entry = make.price("gpt-5", "input", "1", organization=acme)
    person = make.user(is_superuser=True) if operator else finance
    path = f"/admin/ingestion/priceentry/{entry.pk}/{verb}/"
    sent = {"post": "yes"} if verb == "delete" else price_form(acme, price="9")
    assert signed_in(client, person).post(path, sent).status_code == 403
    assert PriceEntry.objects.get().price == 1


def test_the_page_of_a_price_tells_its_history(client: Client, finance: User, acme: Organization) -> None:
    shared = make.price("gpt-5", "input", "1")
    make.price("gpt-5", "input", "2", organization=acme, effective_from=make.NOW)
    page = signed_in(client, finance).get(f"/admin/ingestion/priceentry/{shared.pk}/change/")
    assert page.status_code == 200
    rows = client.get("/admin/ingestion/priceentry/entries/?model_match=gpt-5").context["cl"].result_list
    assert [str(entry.price.normalize()) for entry in rows] == ["2", "1"]


READ_ONLY = ["llmmodel", "virtualmodel", "errortype", "llmrequest", "ingestbatch"]


@pytest.mark.parametrize("model", [*READ_ONLY, "gatewayuser", "metadatakey", "priceentry"])
def test_lists_show_one_organization(
    client: Client, admin: User, acme: Organization, rival: Organization, model: str
) -> None:
    for organization, word in ((acme, "ours"), (rival, "theirs")):
        make.request(
            organization, request_id=word, user=word, model=word, virtual_model=f"v-{word}", status_code=500,
            error_type=word, metadata={word: word},
        )  # fmt: skip
        make.price(word, "input", "1", organization=organization)
    page = signed_in(client, admin).get(f"/admin/ingestion/{model}/")
    assert page.status_code == 200
    assert b"theirs" not in page.content
    assert b"Rival" not in page.content
    assert model == "ingestbatch" or b"ours" in page.content


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_traffic_writes_is_looked_at_only(client: Client, admin: User, acme: Organization, model: str) -> None:
    make.request(acme, virtual_model="v", status_code=500, error_type="e")
    base = f"/admin/ingestion/{model}/"
    signed_in(client, admin)
    row = client.get(base).context["cl"].result_list[0]
    assert client.get(f"{base}{row.pk}/change/").status_code == 200
    for path in ("add/", f"{row.pk}/change/", f"{row.pk}/delete/"):
        assert client.post(base + path, {"post": "yes", "name": "x"}).status_code == 403
    assert LLMRequest.objects.count() == 1


@pytest.mark.parametrize("persona", ["member", "manager", "viewer"])
def test_others_see_nothing(client: Client, request: pytest.FixtureRequest, persona: str) -> None:
    client.force_login(request.getfixturevalue(persona))
    for model in (*READ_ONLY, "gatewayuser", "metadatakey", "priceentry"):
        assert client.get(f"/admin/ingestion/{model}/").status_code in (302, 403)


def test_a_request_is_found_by_its_id(client: Client, admin: User, acme: Organization) -> None:
    for name in ("aaa", "aab"):
        make.request(acme, request_id=name)
    signed_in(client, admin)
    for term, found in (("aab", ["aab"]), ("aa", []), ("\0", ["aab", "aaa"])):
        rows = client.get("/admin/ingestion/llmrequest/", {"q": term}).context["cl"].result_list
        assert [row.request_id for row in rows] == found
    unpriced = client.get("/admin/ingestion/llmrequest/?cost_state=none").context["cl"].result_list
    assert list(unpriced) == []


def test_the_list_of_requests_counts_no_table(client: Client, admin: User, acme: Organization) -> None:
    make.request(acme)
    signed_in(client, admin)
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/ingestion/llmrequest/")
    counts = [one["sql"] for one in queries if "COUNT" in one["sql"] and "ingestion_llmrequest" in one["sql"]]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


def test_a_caller_gets_a_team(client: Client, admin: User, acme: Organization, search: Team) -> None:
    make.request(acme, user="alice")
    caller = GatewayUser.objects.get()
    path = f"/admin/ingestion/gatewayuser/{caller.pk}/change/"
    signed_in(client, admin).post(path, {"team": search.pk, "name": "mallory"})
    caller.refresh_from_db()
    assert (caller.team, caller.name) == (search, "alice")


def test_registering_a_key_lets_hours_be_aggregated_again(
    client: Client, admin: User, acme: Organization, settings: Settings
) -> None:
    settings.METADATA_KEYS_MAX = 0
    make.request(acme, metadata={"env": "prod"})
    make.request(acme, started_at=make.NOW - timedelta(hours=5))
    ChangedHour.objects.all().delete()
    key = MetadataKey.objects.get()
    path = f"/admin/ingestion/metadatakey/{key.pk}/change/"
    refused = signed_in(client, admin).post(path, {"registered": "on"})
    assert "registered" in refused.context["adminform"].form.errors
    settings.METADATA_KEYS_MAX = 1
    assert client.post(path, {"registered": "on"}).status_code == 302
    key.refresh_from_db()
    assert key.registered
    assert ChangedHour.objects.count() == 2
