"""Filters that no aggregate holds: counted one by one, right or refused with an estimate."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoDbBlocker

from analytics import rollups
from ingestion.models import LLMRequest
from teams.models import Organization
from teams.services import IssuedKey
from tests import kept, make
from tests.analytics.asking import answer, ask
from tests.analytics.world import at, store
from tests.personas import acme_works

Test = Callable[[LLMRequest], bool]
# The filter as report and list take it, as metrics/query takes it, and what it means.
CASES: list[tuple[str, dict[str, Any], Test]] = [
    ("failed:eq:true", {"fieldName": "isFailure", "operator": "EQUAL", "value": True}, lambda one: one.failed),
    ("failed:ne:true", {"fieldName": "isFailure", "operator": "NOT_EQUAL", "value": True}, lambda one: not one.failed),
    (
        "failure_class:in:timeout,5xx",
        {"fieldName": "failureClass", "operator": "IN", "value": ["timeout", "5xx"]},
        lambda one: one.failure_class in {"timeout", "5xx"},
    ),
    (
        "failure_class:nin:429",
        {"fieldName": "failureClass", "operator": "NOT_IN", "value": ["429"]},
        lambda one: one.failure_class != "429",
    ),
    (
        "streaming:eq:true",
        {"fieldName": "streaming", "operator": "EQUAL", "value": True},
        lambda one: one.streaming is True,
    ),
    (
        "streaming:ne:true",
        {"fieldName": "streaming", "operator": "NOT_EQUAL", "value": True},
        lambda one: one.streaming is not True,
    ),
    ("streaming:null:", {"fieldName": "streaming", "operator": "IS_NULL"}, lambda one: one.streaming is None),
    (
        "cost_state:eq:unpriced",
        {"fieldName": "costState", "operator": "EQUAL", "value": "unpriced"},
        lambda one: one.cost_state == "unpriced",
    ),
    (
        "latency_ms:between:500,1500.5",
        {"fieldName": "latencyMs", "operator": "BETWEEN", "value": [500, 1500.5]},
        lambda one: one.latency_us is not None and 500_000 <= one.latency_us <= 1_500_500,
    ),
    (
        "latency_ms:gt:1500",
        {"fieldName": "latencyMs", "operator": "GREATER_THAN", "value": 1500},
        lambda one: one.latency_us is not None and one.latency_us > 1_500_000,
    ),
    (
        "status_code:gte:500",
        {"fieldName": "httpStatusCode", "operator": "GREATER_THAN_EQUAL", "value": "500"},
        lambda one: one.status_code is not None and one.status_code >= 500,
    ),
    (
        "error_type:ncontains:rate",
        {"fieldName": "errorType", "operator": "STRING_NOT_CONTAINS", "value": "rate"},
        lambda one: one.error_type is None or "rate" not in one.error_type.name.lower(),
    ),
    (
        "cost_usd:lt:0.5",
        {"fieldName": "costInUSD", "operator": "LESS_THAN", "value": 0.5},
        lambda one: one.cost is not None and one.cost < 5 * 10**11,
    ),
]
DAY = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def _stored(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    with kept.for_the_module(request, django_db_blocker):
        with django_db_blocker.unblock(), time_machine.travel(make.NOW, tick=False):
            _store_every_kind()
        yield


def _store_every_kind() -> None:
    random = Random(11)
    store(
        acme_works(),
        *(
            {
                "request_id": f"x{number}",
                "started_at": at(random.randrange(24), random.randrange(60)),
                "status_code": random.choice((200, 200, 429, 404, 500, 504, 499, None)),
                "error_type": random.choice((None, None, None, "RateLimitError", "Timeout")),
                "streaming": random.choice((True, False, None)),
                "latency_ms": random.choice((None, 500.0, 1500.5, float(random.randrange(3000)))),
                "input_tokens": random.choice((None, 10)),
                "reported_cost_usd": random.choice((None, Decimal("0.25"), Decimal("0.75"))),
                "team": random.choice(("Search", "Ads")),
            }
            for number in range(120)
        ),
    )
    rollups.drain()


@pytest.fixture
def mixed(_stored: None, acme: Organization) -> list[LLMRequest]:
    """Requests of every kind."""
    return list(LLMRequest.objects.filter(organization=acme).select_related("error_type"))


@pytest.mark.parametrize(("short", "long", "holds"), CASES, ids=[case[0] for case in CASES])
def test_filters_count_what_they_say(
    client: Client, mixed: list[LLMRequest], read_key: IssuedKey, short: str, long: dict[str, Any], holds: Test
) -> None:
    expected = {one.request_id for one in mixed if holds(one)}
    assert 0 < len(expected) < len(mixed)
    headers = make.bearer(read_key)
    listed = client.get("/api/v1/requests", DAY | {"filter": short, "limit": "1000", "count": "true"}, headers=headers)
    document = listed.json()
    assert {one["request_id"] for one in document["results"]} == expected
    assert document["meta"]["total_count"] == len(expected)
    report: Any = client.get("/api/v1/report", DAY | {"filter": short, "measures": "requests"}, headers=headers)
    assert json.loads(b"".join(report.streaming_content))["totals"] == {"requests": len(expected)}
    found = answer(client, read_key, filters=[long], groupBy=["team"])["data"]
    assert found["summary"]["total"] == len(expected) == sum(one["total"] for one in found["dataPoints"])


@pytest.mark.parametrize(("short", "long", "holds"), CASES[1:4], ids=[case[0] for case in CASES[1:4]])
def test_too_many_to_count_one_by_one_are_refused(
    client: Client,
    mixed: list[LLMRequest],
    read_key: IssuedKey,
    settings: Any,
    short: str,
    long: dict[str, Any],
    holds: Test,
) -> None:
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 1
    refused = ask(client, read_key, filters=[long])
    assert refused.status_code == 422
    document = refused.json()
    assert (document["budget_rows"], document["estimate_rows"] > 1) == (1, True)
    assert any("narrow" in one for one in document["suggestions"])
    counted = client.get("/api/v1/requests", DAY | {"filter": short, "count": "true"}, headers=make.bearer(read_key))
    assert counted.status_code == 422
