"""`metrics/query` and `metrics/meta`: shapes and values."""

import json
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from analytics.catalog.dimensions import DIMENSIONS
from analytics.catalog.measures import MEASURES
from ingestion.models import ChangedHour, LLMModel, LLMRequest
from teams.models import Organization
from teams.services import IssuedKey
from tests import make
from tests.analytics.asking import COST, URL, Json, answer, points
from tests.analytics.world import END, START, World

pytestmark = pytest.mark.usefixtures("kept_world")


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def test_a_distribution_in_full(client: Client, world: World, read_key: IssuedKey) -> None:
    document = answer(
        client,
        read_key,
        aggregations=[
            COST,
            {"type": "p90", "column": "latencyMs"},
            {"type": "rate", "column": "failureRate"},
            {"type": "sum", "column": "inputTokens"},
        ],
        groupBy=["team"],
        filters=[{"fieldName": "modelName", "operator": "IN", "value": ["gpt-5"]}],
    )
    borders = {"startTimestamp": "2026-11-20T01:00:00+01:00", "endTimestamp": "2026-11-21T01:00:00+01:00"}
    assert document["data"]["dataPoints"] == [
        borders
        | {
            "team": "Ads",
            "total": 1,
            "sumCostInUSD": "1.000000000001",
            "p90LatencyMs": 4000.0,
            "p90LatencyMsSamples": 1,
            "rateFailureRate": 0.0,
            "sumInputTokens": 1000,
        },
        borders
        | {
            "team": "Search",
            "total": 2,
            "sumCostInUSD": "0.5",
            "p90LatencyMs": 1000.0,
            "p90LatencyMsSamples": 1,
            "rateFailureRate": 0.5,
            "sumInputTokens": 100,
        },
        borders
        | {
            "team": "Unassigned",
            "total": 1,
            "sumCostInUSD": "0.01",
            "p90LatencyMs": 70.0,
            "p90LatencyMsSamples": 1,
            "rateFailureRate": 0.0,
            "sumInputTokens": 7,
        },
    ]
    summary = document["data"]["summary"]
    assert summary.pop("p90LatencyMs") == pytest.approx(4000, rel=0.0109)
    assert summary == {
        "total": 4,
        "sumCostInUSD": "1.510000000001",
        "p90LatencyMsSamples": 3,
        "rateFailureRate": 0.25,
        "sumInputTokens": 1107,
    }
    meta = document["meta"]
    assert meta.pop("elapsedMs") >= 0
    assert meta.pop("rowsRead") > 0
    assert "team" in meta.pop("source")
    assert meta == {
        "timezone": "Europe/Berlin",
        "interval": None,
        "freshUntil": "2026-11-24T12:00:00.000000Z",
        "pricedShare": 1.0,
        "unpricedRequests": 0,
        "unpricedTokens": 0,
        "priceBookVersion": meta["priceBookVersion"],
        "rowCount": 3,
        "groups": {"shown": 3, "other": 0},
        "staleHours": 0,
        "percentileError": 0.0109,
        "lastVerified": None,
    }


def test_an_ungrouped_question_has_one_row(client: Client, world: World, read_key: IssuedKey) -> None:
    [point] = points(client, read_key)
    assert point == {"total": 6, "sumCostInUSD": "1.760000000001"}
    assert answer(client, read_key)["meta"]["unpricedRequests"] == 1
    assert points(client, read_key, startTs="2025-01-01T00:00:00Z", endTs="2025-01-02T00:00:00Z") == [
        {"total": 0, "sumCostInUSD": "0"}
    ]


def test_the_rest_is_one_row_and_the_summary_always_whole(client: Client, world: World, read_key: IssuedKey) -> None:
    shown = answer(client, read_key, groupBy=["modelName"], limit=1)
    assert [(one["modelName"], one["sumCostInUSD"]) for one in shown["data"]["dataPoints"]] == [
        ("gpt-5", "1.510000000001"),
        ("(other)", "0.25"),
    ]
    assert shown["meta"]["groups"] == {"shown": 1, "other": 2}
    alone = answer(client, read_key, groupBy=["modelName"], limit=1, other=False)
    assert [one["modelName"] for one in alone["data"]["dataPoints"]] == ["gpt-5"]
    assert alone["data"]["summary"] == shown["data"]["summary"] == {"total": 6, "sumCostInUSD": "1.760000000001"}


def test_a_time_series_leaves_empty_buckets_out(client: Client, world: World, read_key: IssuedKey) -> None:
    found = answer(
        client,
        read_key,
        type="timeseries",
        interval="1 hour",
        groupBy=["virtualModelName"],
        aggregations=[{"type": "count", "column": "requests"}],
    )
    rows = [
        (one["startTimestamp"], one["virtualModelName"], one["countRequests"], one["partial"])
        for one in found["data"]["dataPoints"]
    ]
    assert rows == [
        ("2026-11-20T10:00:00+01:00", "(none)", 1, False),
        ("2026-11-20T10:00:00+01:00", "chat-default", 2, False),
        ("2026-11-20T11:00:00+01:00", "chat-default", 1, False),
        ("2026-11-20T12:00:00+01:00", "(none)", 2, False),
    ]
    assert found["meta"]["interval"] == "1 hour"


def test_two_groups_and_metadata(client: Client, world: World, read_key: IssuedKey) -> None:
    found = points(client, read_key, groupBy=["metadata.environment", "team"])
    assert {(one["metadata.environment"], one["team"]): one["total"] for one in found} == {
        ("prod", "Search"): 2,
        ("(none)", "Search"): 1,
        ("dev", "Ads"): 1,
        ("(none)", "Ads"): 1,
        ("(none)", "Unassigned"): 1,
    }


def test_the_unfinished_bucket_is_partial(client: Client, world: World, read_key: IssuedKey) -> None:
    with time_machine.travel("2026-11-20T10:30:00Z", tick=False):
        found = points(client, read_key, type="timeseries", interval="1 hour", endTs="now")
    assert [(one["total"], one["partial"]) for one in found] == [(3, False), (1, True)]


def test_the_period_before_is_aligned_by_position(client: Client, world: World, read_key: IssuedKey) -> None:
    found = answer(
        client,
        read_key,
        startTs="2026-11-20T10:00:00Z",
        endTs="2026-11-20T11:00:00Z",
        compare="previous_period",
        groupBy=["team"],
    )
    [point] = found["data"]["dataPoints"]
    assert (point["team"], point["total"], point["previous"]) == ("Search", 1, {"total": 2, "sumCostInUSD": "0.5"})
    assert found["data"]["summary"]["previous"]["total"] == 3


def test_the_population_of_latency(client: Client, world: World, read_key: IssuedKey) -> None:
    samples = {
        population: points(
            client, read_key, population=population, aggregations=[{"type": "max", "column": "latencyMs"}]
        )[0]
        for population in ("successful", "all", "failed")
    }
    assert {name: one["maxLatencyMsSamples"] for name, one in samples.items()} == {
        "successful": 5,
        "all": 6,
        "failed": 1,
    }
    assert samples["failed"]["maxLatencyMs"] == 212.4


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ({"fieldName": "team", "operator": "EQUAL", "value": "Ads"}, 2),
        ({"fieldName": "team", "operator": "NOT_IN", "value": ["Ads"]}, 4),
        ({"fieldName": "team", "operator": "IS_NULL"}, 1),
        ({"fieldName": "modelName", "operator": "STRING_STARTS_WITH", "value": "GPT"}, 4),
        ({"fieldName": "virtualModel", "operator": "NOT_EQUAL", "value": "chat-default"}, 3),
        ({"metadataKey": "environment", "operator": "EQUAL", "value": "prod"}, 2),
        ({"fieldName": "metadata.environment", "operator": "IS_NOT_NULL"}, 3),
        ({"fieldName": "latencyMs", "operator": "BETWEEN", "value": [70, 1000.0]}, 3),
        ({"fieldName": "costInUSD", "operator": "GREATER_THAN", "value": 1}, 1),
        ({"fieldName": "costInUSD", "operator": "EQUAL", "value": "1.000000000001"}, 1),
        ({"fieldName": "isFailure", "operator": "EQUAL", "value": True}, 1),
        ({"fieldName": "httpStatusCode", "operator": "IN", "value": [429, 500]}, 1),
        ({"fieldName": "requestId", "operator": "EQUAL", "value": "s1"}, 1),
        ({"fieldName": "inputTokens", "operator": "LESS_THAN_EQUAL", "value": 7}, 2),
        ({"fieldName": "costInUSD", "operator": "LESS_THAN_EQUAL", "value": 1e-300}, 1),
    ],
)
def test_filters(client: Client, world: World, read_key: IssuedKey, condition: Json, ids: int) -> None:
    [point] = points(client, read_key, filters=[condition])
    assert point["total"] == ids


def test_a_link_asks_the_same(client: Client, world: World, read_key: IssuedKey) -> None:
    body = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]}
    response = client.get(URL, {"query": json.dumps(body)}, headers=make.bearer(read_key))
    assert response.json()["data"] == answer(client, read_key)["data"]
    assert response["Cache-Control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= {part.strip() for part in response["Vary"].split(",")}


def test_a_real_value_spelt_like_an_absence_says_so(client: Client, acme: Organization, read_key: IssuedKey) -> None:
    row = LLMModel.objects.create(organization=acme, name="(none)")
    facts = {"hour_start": "2026-11-20T09:00:00Z", "received_at": make.NOW, "failed": False, "cost_state": "none"}
    for number, model in enumerate((row, None)):
        LLMRequest.objects.create(
            organization=acme,
            request_id=f"r{number}",
            payload_hash=b"",
            started_at="2026-11-20T09:40:00Z",
            model=model,
            operation="chat",
            attribution="unassigned",
            **facts,
        )
    # The hour is marked as the writer would: the aggregates do not know of it yet.
    ChangedHour.objects.create(organization=acme, hour_start="2026-11-20T09:00:00Z")
    found = points(
        client,
        read_key,
        groupBy=["modelName"],
        startTs="2026-11-20T09:40:00Z",
        endTs="2026-11-20T09:41:00Z",
    )
    assert sorted((one["modelName"], one.get("literal", False)) for one in found) == [
        ("(none)", False),
        ("(none)", True),
    ]


def test_meta_tells_the_whole_catalogue(client: Client, world: World, read_key: IssuedKey) -> None:
    document = client.get("/api/v1/metrics/meta", headers=make.bearer(read_key)).json()
    assert [one["name"] for one in document["columns"]] == [measure.api_name for measure in MEASURES]
    named = [dimension.api_name for dimension in DIMENSIONS]
    assert [one["name"] for one in document["dimensions"]] == [*named, "metadata.environment"]
    assert document["dimensions"][-1]["coverage"] == 0.5
    assert document["timezone"] == "Europe/Berlin"
    assert {"auto", "1 hour", "1 month"} < {*document["intervals"]}


def test_several_hours_begin_at_local_midnight(client: Client, world: World, read_key: IssuedKey) -> None:
    found = answer(client, read_key, type="timeseries", interval="6 hour")
    points = [(one["startTimestamp"], one["endTimestamp"], one["total"]) for one in found["data"]["dataPoints"]]
    assert points == [
        ("2026-11-20T06:00:00+01:00", "2026-11-20T12:00:00+01:00", 4),
        ("2026-11-20T12:00:00+01:00", "2026-11-20T18:00:00+01:00", 2),
    ]
    assert found["meta"]["source"].startswith("hour")
