"""The OpenAPI file is valid, complete, and true of real answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from analytics.api import urls
from ingestion import urls as ingest_urls
from teams.models import User
from teams.services import IssuedKey
from tests import make
from tests.analytics.exports.asking import REPORT, REQUESTS, get, post, prepare
from tests.analytics.world import END, START, World

pytestmark = pytest.mark.usefixtures("kept_world")

COST = {"type": "sum", "column": "costInUSD"}
QUESTION = {
    "startTs": START,
    "endTs": END,
    "type": "timeseries",
    "aggregations": [COST, {"type": "p99", "column": "timeToFirstTokenMs"}],
    "groupBy": ["team"],
    "compare": "previous_period",
}
CALLS: list[tuple[str, str, dict[str, str]]] = [
    ("/api/v1/metrics/query", "/api/v1/metrics/query", {"query": json.dumps(QUESTION)}),
    ("/api/v1/metrics/meta", "/api/v1/metrics/meta", {}),
    ("/api/v1/report", "/api/v1/report", {"start": START, "end": END, "group_by": "day,user", "explain": "true"}),
    ("/api/v1/requests", "/api/v1/requests", {"limit": "3", "count": "true"}),
    ("/api/v1/requests/{request_id}", "/api/v1/requests/s1", {}),
    ("/api/v1/dimensions/{name}/values", "/api/v1/dimensions/user/values", {}),
    ("/api/v1/saved-views", "/api/v1/saved-views", {}),
    ("/api/v1/annotations", "/api/v1/annotations", {"from": START, "to": END}),
    ("/api/v1/statements", "/api/v1/statements", {"month": "2026-11"}),
    ("/api/v1/budgets", "/api/v1/budgets", {}),
]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def described() -> Any:
    """The paths of the OpenAPI file."""
    return SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call] # untyped library


def check(operation: Any, response: Any) -> None:
    """The answer is what the file says about its status and content type."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    kind = response["Content-Type"].partition(";")[0]
    schema = operation["responses"][str(response.status_code)]["content"][kind]["schema"]
    jsonschema.Draft202012Validator(schema).validate(json.loads(content))


def test_the_file_is_valid_and_has_no_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True)
    assert "openapi: 3.1" in capsys.readouterr().out


def test_every_route_is_described(described: Any) -> None:
    patterns = [str(one.pattern) for one in (*urls.urlpatterns[:-1], *ingest_urls.urlpatterns)]
    machines = (one for one in patterns if one.startswith(("api/", "v1/")))
    assert {*described} == {"/" + re.sub(r"<\w+:(\w+)>", r"{\1}", one) for one in machines}
    assert {*described["/api/v1/requests"]} == {"get", "post"}


@pytest.mark.parametrize(("path", "url", "parameters"), CALLS, ids=[call[0] for call in CALLS])
def test_answers_and_refusals_are_as_described(
    client: Client,
    world: World,
    read_key: IssuedKey,
    ingest_key: IssuedKey,
    described: Any,
    path: str,
    url: str,
    parameters: dict[str, str],
) -> None:
    operation = described[path]["get"]
    headers = make.bearer(read_key)
    answers = {
        200: client.get(url, parameters, headers=headers),
        401: client.get(url, parameters),
        403: client.get(url, parameters, headers=make.bearer(ingest_key)),
        404: client.get(url, parameters | {"organization": "rival"}, headers=headers),
    }
    if "400" in operation["responses"]:
        answers[400] = client.get(url, parameters | {"typo": "1"}, headers=headers)
    for status, response in answers.items():
        assert response.status_code == status
        check(operation, response)


def test_exports_are_as_described(
    client: Client, world: World, read_key: IssuedKey, described: Any, folder: Path
) -> None:
    operation = described["/api/v1/exports"]["post"]
    body = jsonschema.Draft202012Validator(operation["requestBody"]["content"]["application/json"]["schema"])
    for sent in (REPORT, REQUESTS, REPORT | {"group_by": "team", "explain": True, "filter": ["team:eq:x"]}):
        body.validate(sent)
        response = post(client, read_key, sent)
        assert response.status_code == 202
        check(operation, response)
    assert not body.is_valid(REPORT | {"cursor": "x"})
    for sent, status in ((REPORT, 429), ({"of": "x"}, 400), (REPORT | {"format": "x"}, 415)):
        response = post(client, read_key, sent)
        assert response.status_code == status
        check(operation, response)
    jobs = get(client, read_key, "/api/v1/exports")
    check(described["/api/v1/exports"]["get"], jobs)
    *_, job = jobs.json()["results"]
    prepare(job)
    for path, key, status in (("", read_key, 200), ("/manifest", read_key, 200), ("/manifest", None, 401)):
        response = get(client, key, f"/api/v1/exports/{job['id']}{path}")
        assert response.status_code == status
        check(described["/api/v1/exports/{export_id}" + path]["get"], response)
    response = get(client, read_key, f"/api/v1/exports/{job['id']}/file")
    assert b"".join(response.streaming_content)
    file = described["/api/v1/exports/{export_id}/file"]["get"]
    assert response["Content-Type"].partition(";")[0] in file["responses"]["200"]["content"]
    assert "204" in described["/api/v1/exports/{export_id}"]["delete"]["responses"]


def test_the_question_of_the_test_fits_the_description(described: Any) -> None:
    schema = described["/api/v1/metrics/query"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(QUESTION)
    assert not validator.is_valid(QUESTION | {"typo": 1})
    assert not validator.is_valid({name: value for name, value in QUESTION.items() if name != "type"})


def test_saved_views_are_as_described(client: Client, world: World, owner: User, described: Any) -> None:
    client.force_login(owner)
    listed, one = described["/api/v1/saved-views"], described["/api/v1/saved-views/{view_id}"]
    sent = {"name": "Kept", "kind": "metrics_query", "content": QUESTION}
    body = listed["post"]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(body).validate(sent)
    for document, status in ((sent, 201), (sent, 200), (sent | {"kind": "report"}, 400), (sent | {"team": "Ads"}, 201)):
        response = client.post("/api/v1/saved-views", json.dumps(document), content_type="application/json")
        assert response.status_code == status
        check(listed["post"], response)
    other = json.dumps(sent | {"content": QUESTION | {"groupBy": []}})
    check(listed["post"], client.post("/api/v1/saved-views", other, content_type="application/json"))
    place = response["Location"]
    check(listed["get"], client.get("/api/v1/saved-views"))
    check(one["get"], client.get(place))
    check(one["put"], client.put(place, json.dumps(sent), content_type="application/json"))
    check(described["/api/v1/saved-views/{view_id}/result"]["get"], client.get(f"{place}/result"))
    deleted = client.delete(place)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert "content" not in one["delete"]["responses"]["204"]


def test_annotations_are_as_described(
    client: Client, world: World, read_key: IssuedKey, ingest_key: IssuedKey, described: Any
) -> None:
    listed, one = described["/api/v1/annotations"], described["/api/v1/annotations/{annotation_id}"]
    body = listed["post"]["requestBody"]["content"]["application/json"]["schema"]
    kept = {"kind": "deploy", "text": "search 4.2", "external_id": "d-1"}
    long = {"kind": "incident", "text": "429", "at": "now-1h", "end": "now", "team": "Ads", "link": "https://x.example"}
    place = ""
    for sent, key, status in (
        (kept, ingest_key, 201),
        (kept, ingest_key, 200),
        (kept | {"text": "other"}, ingest_key, 409),
        (long, ingest_key, 201),
        (long, read_key, 403),
    ):
        jsonschema.Draft202012Validator(body).validate(sent)
        response = client.post(
            "/api/v1/annotations", json.dumps(sent), content_type="application/json", headers=make.bearer(key)
        )
        assert response.status_code == status
        check(listed["post"], response)
        place = response.headers.get("Location", "") or place
    for wrong in (kept | {"typo": 1}, kept | {"kind": "x"}, kept | {"link": "javascript:x"}, kept | {"text": ""}):
        assert not jsonschema.Draft202012Validator(body).is_valid(wrong)
        refused = client.post(
            "/api/v1/annotations", json.dumps(wrong), content_type="application/json", headers=make.bearer(ingest_key)
        )
        assert refused.status_code == 400
        check(listed["post"], refused)
    answer = client.get("/api/v1/annotations", headers=make.bearer(read_key))
    assert len(answer.json()["results"]) == 2
    check(listed["get"], answer)
    check(one["get"], client.get(place, headers=make.bearer(read_key)))
    for status in (204, 404):
        deleted = client.delete(place, headers=make.bearer(ingest_key))
        assert deleted.status_code == status
    check(one["delete"], deleted)
    assert "content" not in one["delete"]["responses"]["204"]


def test_ingest_is_as_described(client: Client, world: World, ingest_key: IssuedKey, described: Any) -> None:
    operation = described["/api/v1/requests"]["post"]
    records = [
        {"request_id": "new", "started_at": "2026-11-24T11:00:00Z", "input_tokens": 7, "reported_cost_usd": "0.5"},
        {"request_id": "bad", "started_at": "2026-11-24T11:00:00Z", "input_tokens": -7},
    ]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(body).validate(records[0])
    for sent, status in ((json.dumps(records), 200), ("{", 400)):
        response = client.post(
            "/api/v1/requests", sent, content_type="application/json", headers=make.bearer(ingest_key)
        )
        assert response.status_code == status
        check(operation, response)


def test_batches_of_langfuse_are_as_described(
    client: Client, world: World, ingest_key: IssuedKey, described: Any
) -> None:
    operation = described["/api/public/ingestion"]["post"]
    good = {"id": "e-1", "type": "generation-create", "timestamp": "2026-11-24T11:00:00Z", "body": {"id": "call"}}
    document = {"batch": [good, good | {"id": "e-2", "timestamp": "soon"}]}
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(schema).validate(document)
    for sent, status in ((json.dumps(document), 207), ("{", 400)):
        response = client.post(
            "/api/public/ingestion", sent, content_type="application/json", headers=make.bearer(ingest_key)
        )
        assert response.status_code == status
        check(operation, response)


def test_traces_are_as_described(client: Client, world: World, ingest_key: IssuedKey, described: Any) -> None:
    operation = described["/v1/traces"]["post"]
    kind = {"key": "tfy.span_type", "value": {"stringValue": "Model"}}
    timeless = {"traceId": "a" * 32, "spanId": "b" * 16, "attributes": [kind]}
    refused = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [timeless]}]}]})
    for sent, status, rejected in (("{}", 200, None), (refused, 200, "1"), ("{", 400, None)):
        response = client.post("/v1/traces", sent, content_type="application/json", headers=make.bearer(ingest_key))
        assert response.status_code == status
        assert response.json().get("partialSuccess", {}).get("rejectedSpans") == rejected
        check(operation, response)
