"""300 SQL payloads in every place that a caller can fill: none runs, none is part of a statement's text."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any, Final
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test import Client

from ingestion.metadata import register
from ingestion.models import LLMRequest, MetadataKey
from teams.services import IssuedKey
from tests import make
from tests.analytics.asking import COST
from tests.analytics.world import END, START, World, at, store

pytestmark = pytest.mark.usefixtures("kept_world")

MARK: Final = "zq"  # in every payload: its place in a statement is found by it
_QUOTES: Final = ("'", '"', "`", "''", "\\'", "$$", "")
_ENDS: Final = ("--", "#", "/*", ";", "")
_ATTACKS: Final = (
    "OR 1=1",
    "UNION SELECT name FROM sqlite_master",
    "UNION SELECT tablename FROM pg_tables",
    "; DROP TABLE ingestion_llmrequest",
    "; DELETE FROM teams_team",
    "; UPDATE teams_user SET is_superuser = true",
    "|| pg_sleep(9)",
    "AND (SELECT count(*) FROM teams_apikey) > 0",
)
_ORM: Final = (
    "team__name",
    "organization__slug__startswith",
    "_connector",
    "_negated",
    "pk__in",
    "__class__",
    "a.b.c",
    "metadata.$.x",
    "%s",
    "%(name)s",
    "%%",
    "\x01",
    "\x1f",
    "\u2028",
    "\u00a0",
    "?",
    ":x",
    "@x",
    "$1",
    "{0}",
)
PAYLOADS: Final = (
    *(f"{MARK}{quote_}){attack} {end}" for quote_, attack, end in product(_QUOTES, _ATTACKS, _ENDS)),
    *(f"{MARK}{text}" for text in _ORM),
)
GOOD: Final = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]}
QUERY: Final = "/api/v1/metrics/query"
RANGE: Final = {"start": START, "end": END}


@pytest.fixture(autouse=True)
def frozen(settings: Any) -> Iterator[None]:
    """The clock stands, and callers may ask without end."""
    settings.QUERIES_PER_MINUTE = settings.SUGGESTIONS_PER_MINUTE = 10**6
    settings.METADATA_KEYS_MAX = 10**6
    with time_machine.travel(make.NOW, tick=False):
        yield


def attempts(text: str) -> Iterator[tuple[str, dict[str, Any] | None, dict[str, Any], dict[str, str]]]:
    """Path, body (None = GET), parameters and headers, with the payload in one place each."""
    header = text.encode("ascii", "ignore").decode().translate({1: None, 31: None})
    condition = {"operator": "EQUAL", "value": text}
    for fields in (
        {"groupBy": [text]},
        {"groupBy": [f"metadata.{text}"]},
        {"orderBy": [COST | {"direction": text}]},
        {"orderBy": [{"type": text, "column": text}]},
        {"interval": text, "type": "timeseries"},
        {"filters": [{"fieldName": "team"} | condition]},
        {"filters": [{"metadataKey": "environment"} | condition]},
        {"filters": [{"metadataKey": text} | condition]},
        {"filters": [{"fieldName": text, "operator": text, "value": [text]}]},
        {"startTs": text},
        {text: text},
    ):
        yield QUERY, GOOD | fields, {}, {}
    yield "/api/v1/report", None, RANGE | {"group_by": f"team,metadata.{text}", "filter": f"user:contains:{text}"}, {}
    yield "/api/v1/requests", None, {"cursor": text, "filter": f"model:eq:{text}"}, {}
    yield "/api/v1/requests", None, {"filter": f"metadata.{text}:starts:{text}"}, {}
    yield "/api/v1/requests", None, {"organization": text}, {}
    yield f"/api/v1/requests/{quote(text, safe='')}", None, {}, {}
    yield "/api/v1/dimensions/user/values", None, {"q": text}, {}
    yield f"/api/v1/dimensions/{quote(f'metadata.{text}', safe='')}/values", None, {"q": text, "cursor": text}, {}
    yield "/api/v1/saved-views", {"name": text, "kind": text, "content": {text: text}, "team": text}, {}, {}
    yield f"/api/v1/saved-views/{quote(text, safe='')}", None, {}, {}
    yield "/api/v1/annotations", None, {"from": text, "cursor": text}, {}
    yield f"/api/v1/annotations/{quote(text, safe='')}", None, {}, {}
    yield "/api/v1/statements", None, {"month": text, "cursor": text}, {}
    yield f"/api/v1/statements/{quote(text, safe='')}", None, {"format": text}, {}
    yield "/api/v1/budgets", None, {"cursor": text}, {}
    yield f"/api/v1/budgets/{quote(text, safe='')}/status", None, {}, {}
    yield "/api/v1/requests", None, {"limit": "1"}, {"Authorization": f"Bearer {header}"}
    yield "/api/v1/requests", None, {"limit": "1"}, {"Authorization": header}
    yield "/api/v1/requests", None, {"limit": "0"}, {"X-Request-ID": header}


def state() -> tuple[int, list[str]]:
    with connection.cursor() as cursor:
        return LLMRequest.objects.count(), sorted(connection.introspection.table_names(cursor))


class Watch:
    """Notes the text of every statement, which is what the database parses; the values travel apart."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.texts.append(str(sql))
        return execute(sql, params, many, context)


def try_all(client: Client, key: IssuedKey, payloads: tuple[str, ...]) -> int:
    before, watch, sent = state(), Watch(), 0
    with connection.execute_wrapper(watch):
        for text in payloads:
            for path, body, parameters, headers in attempts(text):
                made = make.bearer(key) | headers
                response: Any = (
                    client.get(path, parameters, headers=made)
                    if body is None
                    else client.post(path, json.dumps(body), content_type="application/json", headers=made)
                )
                content = b"".join(response.streaming_content) if response.streaming else response.content
                assert response.status_code < 500, (text, path, body, parameters, content)
                assert b"rival" not in content
                sent += 1
    assert len(watch.texts) > sent
    assert [one for one in watch.texts if MARK in one] == []
    assert state() == before
    return sent


def test_there_are_three_hundred() -> None:
    assert len({*PAYLOADS}) == len(PAYLOADS) >= 300
    assert all(MARK in one for one in PAYLOADS)


def test_some_payloads_are_values_and_nothing_else(client: Client, world: World, read_key: IssuedKey) -> None:
    chosen = (*PAYLOADS[:-20:23], *PAYLOADS[-20::4])
    assert try_all(client, read_key, chosen) > 300


@pytest.mark.slow
def test_all_payloads_are_values_and_nothing_else(client: Client, world: World, read_key: IssuedKey) -> None:
    assert try_all(client, read_key, PAYLOADS) > 6000


def test_payloads_that_are_stored_are_found_and_nothing_else(client: Client, world: World, read_key: IssuedKey) -> None:
    """The dangerous case: the payload is a real key, value and name, so that every statement is really made."""
    watch = Watch()
    for number, text in enumerate(one.strip() for one in (*PAYLOADS[:-20:40], "zq%s", "zq%(x)s", "zq$1", "zq\"'`")):
        record = {"request_id": text, "started_at": at(15), "team": text, "user": text, "model": text}
        store(world.acme, record | {"metadata": {text: text}})
        key = MetadataKey.objects.get(organization=world.acme, name=text)
        register(key, make.NOW)
        with connection.execute_wrapper(watch):
            only = {"fieldName": "team", "operator": "EQUAL", "value": text}
            body = GOOD | {"groupBy": [f"metadata.{text}"], "filters": [only]}
            post = client.post(
                "/api/v1/metrics/query",
                json.dumps(body),
                content_type="application/json",
                headers=make.bearer(read_key),
            )
            assert [one[f"metadata.{text}"] for one in post.json()["data"]["dataPoints"]] == [text], number
            found = client.get(f"/api/v1/requests/{quote(text, safe='')}", headers=make.bearer(read_key))
            assert found.json()["metadata"] == {text: text}
            values = client.get("/api/v1/dimensions/user/values", {"q": text}, headers=make.bearer(read_key))
            assert text in [one["value"] for one in values.json()["results"]]
    assert [one for one in watch.texts if MARK in one] == []
