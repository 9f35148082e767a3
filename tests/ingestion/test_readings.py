"""Rules of an organization fill fields in every format, over HTTP and from files, and of nobody else's records."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ingestion import rules
from ingestion.formats.mapping import PLAIN
from ingestion.models import AttributeRule, IngestBatch, LLMRequest
from ingestion.readings import reading_of
from teams.models import Organization
from teams.services import IssuedKey
from tests import make
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import chat, span
from tests.ingestion.otlp.test_privacy import CANARY, PAYLOADS, everything_stored
from tests.ingestion.test_litellm import START, payload

pytestmark = pytest.mark.django_db
RECORD = {"request_id": "a", "started_at": "2026-11-24T11:59:00Z", "model": "gpt-4o"}


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def rule(organization: Organization, *pairs: tuple[str, str]) -> None:
    for attribute, target in pairs:
        rules.add_rule(actor=None, organization=organization, attribute=attribute, target=target)


def post(key: IssuedKey, body: object, path: str = "/api/v1/requests") -> Any:
    answer = Client().post(path, json.dumps(body), content_type="application/json", headers=make.bearer(key))
    assert answer.status_code == 200, answer.content
    return answer.json()


def stored(request_id: str) -> dict[str, Any]:
    """What the rules of these tests fill, of one request."""
    one = LLMRequest.objects.select_related("team", "virtual_account", "user").get(request_id=request_id)
    names = {name: getattr(one, name) and str(getattr(one, name)) for name in ("team", "virtual_account", "user")}
    return names | {"metadata": one.metadata, "input_tokens": one.input_tokens}


def test_native_records(acme: Organization, ingest_key: IssuedKey) -> None:
    rule(acme, ("cost_center", "team"), ("metadata.app.name", "virtual_account"), ("counted", "input_tokens"))
    sent = RECORD | {"team": "sent", "metadata": {"cost_center": "Search", "app": {"name": "faq"}, "counted": "12"}}
    assert post(ingest_key, [sent])["accepted"] == 1
    assert stored("a") == {
        "team": "Search",
        "virtual_account": "faq",
        "user": None,
        "metadata": {"cost_center": "Search", "counted": "12"},
        "input_tokens": 12,
    }


def test_litellm_payloads(acme: Organization, ingest_key: IssuedKey) -> None:
    rule(
        acme,
        ("metadata.requester_metadata.headers.x-team", "team"),
        ("metadata.requester_metadata.feature", "virtual_account"),
        ("hidden_params.region", "metadata.region"),
        ("department", "metadata.area"),
    )
    sent = payload(hidden_params={"region": "eu"}, litellm_call_id="c", startTime=START, endTime=START + 1)
    sent["metadata"]["requester_metadata"]["headers"] = {"x-team": "Ads", "authorization": "Bearer canary"}
    assert post(ingest_key, [sent], "/api/v1/ingest/litellm")["accepted"] == 1
    found = stored("c")
    assert (found["team"], found["virtual_account"], found["user"]) == ("Ads", "faq", "alice")
    assert found["metadata"]["region"] == "eu"
    assert "area" not in found["metadata"]


@pytest.mark.parametrize("binary", [True, False])
def test_spans_say_it_before_those_around_them_and_the_resource(
    client: Client, acme: Organization, ingest_key: IssuedKey, binary: bool
) -> None:
    rule(acme, ("app.team", "team"), ("app.account", "virtual_account"), ("app.region", "metadata.region"))
    resource = {"app.team": "of the resource", "app.account": "of the resource", "app.region": "of the resource"}
    around = span({"app.team": "of the parent", "app.account": "of the parent"}, resource=resource)
    sent = span(chat(**{"app.team": "of the span", "app.region": ""}), parent_id=around.span_id, resource=resource)
    body = (bodies.in_protobuf if binary else bodies.in_json)([around, sent])
    assert bodies.post(client, body, make.bearer(ingest_key), binary=binary).status_code == 200
    found = stored(sent.request_id)
    assert (found["team"], found["virtual_account"]) == ("of the span", "of the parent")
    assert found["metadata"] == {"region": "of the resource"}


def test_the_path_of_langfuse_too(client: Client, acme: Organization, ingest_key: IssuedKey) -> None:
    rule(acme, ("app.team", "team"))
    sent = span(chat(**{"app.team": "Search"}))
    headers, path = make.bearer(ingest_key), "/api/public/otel/v1/traces"
    assert bodies.post(client, bodies.in_json([sent]), headers, path=path).status_code == 200
    assert stored(sent.request_id)["team"] == "Search"


@pytest.mark.django_db(transaction=True)
def test_files(acme: Organization, tmp_path: Path) -> None:
    rule(acme, ("Department", "team"), ("metadata.app", "virtual_account"))
    path = tmp_path / "requests.csv"
    path.write_text("request_id,timestamp,model,Department,metadata.app\na,2023-11-16T18:17:03Z,llama,Search,faq\n")
    out = io.StringIO()
    call_command("import_requests", str(path), "--organization", "acme", "--json", stdout=out)
    assert json.loads(out.getvalue())["accepted"] == 1
    found = stored("a")
    assert (found["team"], found["virtual_account"], found["metadata"]) == ("Search", "faq", {"app": "faq"})


def test_rules_of_another_organization_never_apply(acme: Organization, rival: Organization) -> None:
    rule(rival, ("department", "team"))
    assert reading_of(acme.pk) == PLAIN
    for organization in (acme, rival):
        post(make.key(organization, "ingest"), [RECORD | {"metadata": {"department": "Rival search"}}])
    named = LLMRequest.objects.values_list("organization__slug", "team__name")
    assert dict(named) == {"acme": None, "rival": "Rival search"}


def test_an_edit_holds_from_the_next_batch_on(acme: Organization, ingest_key: IssuedKey) -> None:
    sent = {"metadata": {"department": "Search", "area": "Ads"}}
    post(ingest_key, [RECORD | sent])
    rule(acme, ("department", "team"))
    post(ingest_key, [RECORD | sent | {"request_id": "b"}])
    one = AttributeRule.objects.get()
    rules.change_rule(actor=None, rule=one, attribute="area", target="team")
    post(ingest_key, [RECORD | sent | {"request_id": "c"}])
    rules.remove_rule(actor=None, rule=one)
    post(ingest_key, [RECORD | sent | {"request_id": "d"}])
    assert [stored(name)["team"] for name in "abcd"] == [None, "Search", "Ads", None]


def test_the_same_record_after_an_edit_is_a_conflict(acme: Organization, ingest_key: IssuedKey) -> None:
    sent = [RECORD | {"metadata": {"department": "Search"}}]
    post(ingest_key, sent)
    rule(acme, ("department", "team"))
    assert post(ingest_key, sent)["conflict"] == 1
    assert stored("a")["team"] is None


def test_a_batch_asks_once_for_the_rules(acme: Organization, ingest_key: IssuedKey) -> None:
    rule(acme, ("department", "team"), ("area", "team"))
    with CaptureQueriesContext(connection) as queries:
        post(ingest_key, [RECORD | {"request_id": f"r{number}"} for number in range(50)])
    assert sum("attributerule" in one["sql"] for one in queries) == 1


def test_without_a_database_the_sender_is_asked_to_come_back(
    ingest_key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(organization_id: int) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("ingestion.views.endpoints.reading_of", refuse)
    answer = Client().post(
        "/api/v1/requests", json.dumps([RECORD]), content_type="application/json", headers=make.bearer(ingest_key)
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("target", ["user", "metadata.prompt", "error_message", "input_tokens"])
def test_payloads_are_not_stored_even_when_a_rule_asks(
    client: Client, acme: Organization, ingest_key: IssuedKey, target: str
) -> None:
    # Past the checks, as if they had been weaker once.
    for attribute in PAYLOADS:
        AttributeRule.objects.create(organization=acme, attribute=attribute, target=target)
    # These two words would make it a span of another vocabulary.
    canaries = {name: CANARY for name in PAYLOADS if not name.startswith(("tfy.", "langfuse.observation."))}
    sent = span(chat(**canaries), is_error=True)
    bodies.post(client, bodies.in_protobuf([sent]), make.bearer(ingest_key), binary=True)
    post(ingest_key, [payload(messages=CANARY, response=CANARY)], "/api/v1/ingest/litellm")
    assert LLMRequest.objects.count() == 2
    assert CANARY not in everything_stored()


def test_a_value_that_does_not_fit_is_not_quoted(acme: Organization, ingest_key: IssuedKey) -> None:
    rule(acme, ("notes", "input_tokens"))
    answer = post(ingest_key, [RECORD | {"metadata": {"notes": CANARY}}, RECORD | {"request_id": "b"}])
    assert answer["accepted"] == 1
    (refused,) = answer["rejected"]
    assert (refused["index"], refused["code"], refused["field"]) == (0, "invalid", "input_tokens")
    assert CANARY not in json.dumps(answer) + repr(IngestBatch.objects.get().examples)


@pytest.mark.parametrize(
    "attribute", ["' OR 1=1 --", '"; DROP TABLE x', "{}", "%s%n", "../..", "a" * 256, "é.ß", "..", "💥"]
)
def test_hostile_names_are_names(acme: Organization, ingest_key: IssuedKey, attribute: str) -> None:
    rule(acme, (attribute, "team"))
    key = attribute[:128]
    post(ingest_key, [RECORD | {"metadata": {key: "Search"}}])
    assert stored("a")["team"] == ("Search" if key == attribute else None)
