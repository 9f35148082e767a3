"""Hostile strings in every place that a caller can fill: refused or answered, never an error, never run."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test import Client

from analytics.query import engine
from ingestion.models import LLMRequest
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import END, START, World

pytestmark = pytest.mark.usefixtures("kept_world")

STRINGS = [
    "' OR 1=1 --",
    "'; DROP TABLE ingestion_llmrequest; --",
    '" OR ""="',
    "1); DELETE FROM teams_team; --",
    "team__organization__name__startswith",
    "organization_id",
    "_connector",
    "__class__",
    "pk",
    "*",
    "%s",
    "%(x)s",
    "%%s%",
    "{0}",
    "${jndi:ldap://x}",
    "\\",
    "\\x00",
    "a.b.c",
    "metadata.",
    "metadata.' || (SELECT 1) || '",
    'metadata."environment"',
    "metadata.$.environment",
    "metadata.environment)",
    "metadata.environment__isnull",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\u202eabc",
    "😀",
    "\t\r\n",
    "\x01\x1f\x7f",
    "\x00",
    "a" * 5000,
    "9" * 400,
    "-1",
    "1e400",
    "NaN",
    "Infinity",
    "now-99999w",
    "now()",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+23:59",
    "2026-02-30T00:00:00Z",
    "2026-11-20T00:00:00+99:00",
    "SELECT pg_sleep(20)",
    "model:eq:x:y",
    ":::",
    "::",
    ",",
    "\\,",
]
COST = {"type": "sum", "column": "costInUSD"}
GOOD = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]}
RANGE = {"start": START, "end": END}


@pytest.fixture(autouse=True)
def frozen(settings: Any) -> Iterator[None]:
    """The clock stands, and callers may ask without end."""
    settings.QUERIES_PER_MINUTE = settings.SUGGESTIONS_PER_MINUTE = 10**6
    with time_machine.travel(make.NOW, tick=False):
        yield


def bodies(text: str) -> Iterator[dict[str, Any]]:
    """Questions with the text in every place of the body."""
    for name in ("startTs", "endTs", "type", "interval", "datasource", "compare", "population", "limit", "other", text):
        yield {name: text}
    yield {"groupBy": [text]}
    yield {"groupBy": ["metadata." + text]}
    for part in ("type", "column", text):
        yield {"aggregations": [COST | {part: text}]}
        yield {"orderBy": [COST | {part: text}]}
    for name in ("team", "modelName", "latencyMs", "costInUSD", "traceId", "isFailure", "errorCode", text):
        for operator in ("EQUAL", "NOT_EQUAL", "STRING_CONTAINS", "LESS_THAN", text):
            yield {"filters": [{"fieldName": name, "operator": operator, "value": text}]}
    for condition in ({"metadataKey": "environment"}, {"metadataKey": text}):
        yield {"filters": [condition | {"operator": "STRING_ENDS_WITH", "value": text}]}
        yield {"filters": [condition | {"operator": "IN", "value": [text, "prod"]}]}


def links(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paths and query strings with the text in every place."""
    for name in ("start", "end", "group_by", "measures", "filter", "population", "format", "explain", "organization"):
        yield "/api/v1/report", RANGE | {name: text}
    yield "/api/v1/report", {"start_date": text, "end_date": text}
    yield "/api/v1/report", RANGE | {text: text}
    yield "/api/v1/report", RANGE | {"group_by": f"team,metadata.{text}", "format": "csv"}
    for name in ("start", "end", "limit", "cursor", "filter", "format", "count"):
        yield "/api/v1/requests", {name: text}
    for operator in ("eq", "nin", "contains", "nends", "gte", "between", "null"):
        yield "/api/v1/requests", {"filter": f"user:{operator}:{text}"}
        yield "/api/v1/requests", {"filter": f"metadata.environment:{operator}:{text}"}
    for name in ("q", "cursor", "limit"):
        yield "/api/v1/dimensions/user/values", {name: text}
    yield f"/api/v1/dimensions/{quote(text, safe='')}/values", {}
    yield f"/api/v1/requests/{quote(text, safe='')}", {}
    yield "/api/v1/metrics/query", {"query": text}


def check(response: Any, tried: object) -> None:
    """Answered in full, or refused in the form of a problem that quotes only what was sent."""
    assert response.status_code in (200, 400, 404, 415, 422), tried
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert b"rival" not in content
    if response.status_code != 200:
        assert response["Content-Type"] == "application/problem+json"
        assert b"Traceback" not in content
        assert b'SELECT \\"' not in content


def state() -> tuple[int, list[str]]:
    with connection.cursor() as cursor:
        return LLMRequest.objects.count(), sorted(connection.introspection.table_names(cursor))


@pytest.mark.parametrize("text", STRINGS[::6], ids=ascii)
def test_no_text_does_harm(client: Client, world: World, read_key: IssuedKey, text: str) -> None:
    try_everywhere(client, read_key, text)


@pytest.mark.slow
def test_none_of_all_the_texts_does_harm(client: Client, world: World, read_key: IssuedKey) -> None:
    for text in STRINGS:
        try_everywhere(client, read_key, text)


def try_everywhere(client: Client, key: IssuedKey, text: str) -> None:
    before, headers = state(), make.bearer(key)
    for fields in bodies(text):
        body = json.dumps(GOOD | fields)
        check(client.post("/api/v1/metrics/query", body, content_type="application/json", headers=headers), fields)
    for path, parameters in links(text):
        check(client.get(path, parameters, headers=headers), (path, parameters))
    assert state() == before


@pytest.mark.parametrize("name", ["Authorization", "X-Request-ID", "Accept", "Content-Type"])
def test_no_header_does_harm(client: Client, world: World, read_key: IssuedKey, name: str) -> None:
    for text in STRINGS:
        value = text.encode("latin-1", "replace").decode("latin-1").replace("\r", "").replace("\n", "")
        headers = make.bearer(read_key) | {name: value}
        response = client.get("/api/v1/requests", {"limit": 0}, headers=headers)
        assert response.status_code in (400, 401), value
        assert response["Content-Type"] == "application/problem+json"


def test_an_error_of_ours_says_nothing_of_the_inside(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(engine, "run", fail)
    response = client.get(
        "/api/v1/metrics/query", {"query": json.dumps(GOOD)}, headers=make.bearer(read_key) | {"X-Request-ID": "r-7"}
    )
    assert (response.status_code, response.json()["request_id"]) == (500, "r-7")
    assert b"inside" not in response.content
    assert "r-7: unexpected" in caplog.text
    assert "the inside" in caplog.text
