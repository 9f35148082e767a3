"""`metrics/query` and `metrics/meta`: shapes, values, every refusal."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from analytics.catalog.dimensions import DIMENSIONS
from analytics.catalog.measures import MEASURES
from ingestion.models import LLMModel, LLMRequest
from teams.models import Organization, User
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import END, START, World

URL = "/api/v1/metrics/query"
COST = {"type": "sum", "column": "costInUSD"}
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def ask(client: Client, key: IssuedKey, **fields: Any) -> Any:
    body = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]} | fields
    return client.post(URL, json.dumps(body), content_type="application/json", headers=make.bearer(key))


def answer(client: Client, key: IssuedKey, **fields: Any) -> Json:
    response = ask(client, key, **fields)
    assert response.status_code == 200, response.content
    document: Json = response.json()
    return document


def points(client: Client, key: IssuedKey, **fields: Any) -> list[Json]:
    borders = {"startTimestamp", "endTimestamp"}
    found = answer(client, key, **fields)["data"]["dataPoints"]
    return [{name: value for name, value in point.items() if name not in borders} for point in found]


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
            started_at="2026-11-20T09:30:00Z",
            model=model,
            operation="chat",
            attribution="unassigned",
            **facts,
        )
    # A minute of it: the aggregates do not know rows written past the writer.
    found = points(
        client,
        read_key,
        groupBy=["modelName"],
        startTs="2026-11-20T09:30:00Z",
        endTs="2026-11-20T09:31:00Z",
    )
    assert sorted((one["modelName"], one.get("literal", False)) for one in found) == [
        ("(none)", False),
        ("(none)", True),
    ]


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
    settings.QUERY_FACT_BUDGET = 2
    response = ask(client, read_key, groupBy=["streaming"])
    assert response.status_code == 422
    assert {"estimate_rows", "budget_rows", "suggestions"} <= response.json().keys()


def test_meta_tells_the_whole_catalogue(client: Client, world: World, read_key: IssuedKey) -> None:
    document = client.get("/api/v1/metrics/meta", headers=make.bearer(read_key)).json()
    assert [one["name"] for one in document["columns"]] == [measure.api_name for measure in MEASURES]
    named = [dimension.api_name for dimension in DIMENSIONS]
    assert [one["name"] for one in document["dimensions"]] == [*named, "metadata.environment"]
    assert document["dimensions"][-1]["coverage"] == 0.5
    assert document["timezone"] == "Europe/Berlin"
    assert {"auto", "1 hour", "1 month"} < {*document["intervals"]}


@pytest.mark.parametrize(
    ("who", "total"), [("owner", 6), ("admin", 6), ("finance", 6), ("manager", 3), ("viewer", 3), ("member", 1)]
)
def test_every_role_sees_its_own(
    client: Client, world: World, request: pytest.FixtureRequest, who: str, total: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    query = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST], "groupBy": ["team"]}
    response = client.get(URL, {"query": json.dumps(query), "organization": "acme"})
    document = response.json()
    teams = {6: {"Search", "Ads", "Unassigned"}, 3: {"Search"}, 1: {"Ads"}}[total]
    assert document["data"]["summary"]["total"] == total
    assert {one["team"] for one in document["data"]["dataPoints"]} == teams
    assert b"rival" not in response.content


def test_outsiders_and_strangers(client: Client, world: World, outsider: User, nobody: User) -> None:
    query = {"query": json.dumps({"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]})}
    assert client.get(URL, query).status_code == 401
    client.force_login(outsider)
    absent, foreign = (client.get(URL, query | {"organization": slug}) for slug in ("absent", "acme"))
    assert (absent.status_code, foreign.status_code) == (404, 404)
    assert {**absent.json(), "request_id": ""} == {**foreign.json(), "request_id": ""}
    assert client.get(URL, query).json()["data"]["summary"]["sumCostInUSD"] == "99"
    client.force_login(nobody)
    assert client.get(URL, query).status_code == 403


def test_keys(client: Client, world: World, team_key: IssuedKey, ingest_key: IssuedKey) -> None:
    assert answer(client, team_key)["data"]["summary"] == {"total": 3, "sumCostInUSD": "0.75"}
    assert ask(client, ingest_key).status_code == 403
    refused = client.post(URL, "{}", content_type="application/json", headers={"Authorization": "Bearer mp_no"})
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer realm="metrics portal"')
    assert refused["Content-Type"] == "application/problem+json"


def test_the_scope_is_never_a_parameter(client: Client, world: World, team_key: IssuedKey) -> None:
    assert ask(client, team_key, scope="organization", organization_id=1).status_code == 400
    other_team = {"fieldName": "team", "operator": "EQUAL", "value": "Ads"}
    assert answer(client, team_key, filters=[other_team])["data"]["summary"]["total"] == 0
    body = json.dumps({"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]})
    url = f"{URL}?organization=rival"
    response = client.post(url, body, content_type="application/json", headers=make.bearer(team_key))
    assert response.status_code == 404


def test_a_browser_needs_csrf_to_post(world: World, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(URL, "{}", content_type="application/json").status_code == 403
