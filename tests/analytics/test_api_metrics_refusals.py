"""What `metrics/query` refuses, and in which words."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from teams.services import IssuedKey
from tests import make
from tests.analytics.asking import COST, URL, Json, answer, ask
from tests.analytics.world import START, World

pytestmark = pytest.mark.usefixtures("kept_world")


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


WRONG: list[tuple[Json, list[str | int], str, str]] = [
    ({"startTs": "yesterday"}, ["startTs"], "invalid_instant", "2026-11-01T00:00:00Z"),
    ({"startTs": "2026-11-20T00:00:00"}, ["startTs"], "no_offset", ""),
    ({"startTs": "now-99999w"}, ["startTs"], "invalid_instant", ""),
    ({"startTs": 1700000000}, ["startTs"], "invalid_type", ""),
    ({"endTs": START}, ["endTs"], "invalid_range", ""),
    ({"type": "histogram"}, ["type"], "unknown_value", "timeseries"),
    ({"interval": "2 minute"}, ["interval"], "unknown_value", "5 minute"),
    ({"intervalInSeconds": 60}, ["intervalInSeconds"], "unknown_field", "1 hour"),
    ({"datasource": "mcpMetrics"}, ["datasource"], "unknown_value", "modelMetrics"),
    ({"groupby": ["team"]}, ["groupby"], "unknown_field", "groupBy"),
    ({"groupBy": ["modelname"]}, ["groupBy", 0], "unknown_dimension", "modelName"),
    ({"groupBy": ["createdBySubjectType"]}, ["groupBy", 0], "unknown_dimension", "metadata.environment"),
    ({"groupBy": ["latencyMs"]}, ["groupBy", 0], "not_groupable", "modelName"),
    ({"groupBy": ["team", "team"]}, ["groupBy", 1], "repeated", ""),
    ({"groupBy": ["team", "modelName", "userEmail"]}, ["groupBy"], "out_of_range", ""),
    ({"aggregations": []}, ["aggregations"], "out_of_range", ""),
    (
        {"aggregations": [{"type": "sum", "column": "cost"}]},
        ["aggregations", 0, "column"],
        "unknown_measure",
        "costInUSD",
    ),
    (
        {"aggregations": [COST, {"type": "p99", "column": "costInUSD"}]},
        ["aggregations", 1, "type"],
        "aggregation_not_allowed",
        "avg",
    ),
    (
        {"filters": [{"fieldName": "team", "operator": "ARRAY_HAS_ANY", "value": ["a"]}]},
        ["filters", 0, "operator"],
        "operator_not_allowed",
        "STRING_CONTAINS",
    ),
    (
        {"filters": [{"fieldName": "latencyMs", "operator": "EQUAL", "value": "fast"}]},
        ["filters", 0, "value"],
        "invalid_value",
        "",
    ),
    (
        {"filters": [{"fieldName": "team", "operator": "IN", "value": "Ads"}]},
        ["filters", 0, "value"],
        "invalid_type",
        "",
    ),
    (
        {"filters": [{"metadataKey": "nothing", "operator": "IS_NULL"}]},
        ["filters", 0, "metadataKey"],
        "unknown_dimension",
        "metadata.environment",
    ),
    ({"orderBy": [{"type": "count", "column": "requests"}]}, ["orderBy", 0], "not_requested", "sumCostInUSD"),
    ({"limit": 0}, ["limit"], "out_of_range", ""),
    ({"limit": 1001}, ["limit"], "out_of_range", ""),
    ({"other": "yes"}, ["other"], "invalid_type", "true"),
    ({"compare": "last_year"}, ["compare"], "unknown_value", "previous_period"),
    ({"population": "some"}, ["population"], "unknown_value", "failed"),
]


@pytest.mark.parametrize(("fields", "loc", "code", "allowed"), WRONG, ids=[str(one[0])[:60] for one in WRONG])
def test_what_is_wrong_is_named(
    client: Client, world: World, read_key: IssuedKey, fields: Json, loc: list[str | int], code: str, allowed: str
) -> None:
    response = ask(client, read_key, **fields)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    [error] = response.json()["errors"]
    assert (error["loc"], error["code"]) == (loc, code)
    assert allowed in error.get("allowed", [""])


def test_everything_wrong_is_told_at_once(client: Client, world: World, read_key: IssuedKey) -> None:
    document = ask(
        client,
        read_key,
        interval="1 fortnight",
        groupBy=["modelname"],
        aggregations=[{"type": "p99", "column": "costInUSD"}],
        filters=[{"fieldName": "team", "operator": "LIKE", "value": "a"}],
        typo=1,
    ).json()
    assert [error["loc"][0] for error in document["errors"]] == [
        "typo",
        "interval",
        "aggregations",
        "groupBy",
        "filters",
    ]
    assert {name: document[name] for name in ("type", "title", "status", "detail", "instance")} == {
        "type": "https://docs.metrics-portal.example/problems/invalid-query",
        "title": "The query is not valid",
        "status": 400,
        "detail": "5 fields need attention.",
        "instance": URL,
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"type": NaN}', 400),
        (b'{"limit": 1e400}', 400),
        (b'{"type": "\\ud800"}', 400),
        (b'{"type": "\\u0000"}', 400),
        (b"[" * 200_000, 400),
        (b"\xff\xfe", 400),
        (b" " * 300_000, 413),
    ],
)
def test_bodies_that_are_no_question(client: Client, read_key: IssuedKey, body: bytes, status: int) -> None:
    response = client.post(URL, body, content_type="application/json", headers=make.bearer(read_key))
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"


def test_other_content_types_and_methods(client: Client, read_key: IssuedKey) -> None:
    headers = make.bearer(read_key)
    assert client.post(URL, b"a=1", content_type="text/plain", headers=headers).status_code == 415
    assert client.put(URL, b"{}", content_type="application/json", headers=headers).status_code == 405
    assert client.get(URL, headers=headers).json()["errors"][0]["loc"] == ["query"]
    assert client.get("/api/v1/nothing", headers=headers).json()["status"] == 404


def test_questions_that_are_too_large(client: Client, world: World, read_key: IssuedKey) -> None:
    document = ask(client, read_key, type="timeseries", interval="1 minute", startTs="2006-11-20T00:00:00Z").json()
    assert (document["status"], document["type"].rpartition("/")[2]) == (422, "question-too-large")
    assert document["estimate_rows"] > document["budget_rows"] > 0
    assert "use a longer interval" in document["suggestions"]


def test_two_centuries_are_answered_like_the_day_that_has_data(
    client: Client, world: World, read_key: IssuedKey
) -> None:
    found = answer(client, read_key, startTs="1971-01-01T00:00:00Z", endTs="2199-12-31T00:00:00Z")
    assert found["data"]["summary"] == answer(client, read_key)["data"]["summary"]
    assert found["meta"]["source"].startswith("day")
    empty = make.key(make.organization())
    assert answer(client, empty, startTs="1971-01-01T00:00:00Z")["data"]["summary"]["total"] == 0


def test_too_many_single_requests(client: Client, world: World, read_key: IssuedKey, settings: Any) -> None:
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 2
    response = ask(client, read_key, groupBy=["streaming"])
    assert response.status_code == 422
    assert {"estimate_rows", "budget_rows", "suggestions"} <= response.json().keys()
