"""Random requests, any question about them, and its answer compared with what brute force says."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from analytics import rollups
from analytics.catalog.measures import NATIVE, PERCENTILES
from analytics.query import keys
from analytics.query.values import Query, Result
from ingestion.models import LLMRequest
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from metricsportal.lib.histogram import RELATIVE_ERROR
from teams.access import scope_of_organization
from teams.models import Organization
from tests import make
from tests.analytics import oracle
from tests.make import NOW

DAYS = timedelta(days=9.5)
SPREAD = timedelta(minutes=30)
MEET = 5
"""Requests that start within the same half hour, or so."""
COLUMNS = tuple(NATIVE.values())
GROUPABLE: Final = (
    "model",
    "provider",
    "virtual_model",
    "user",
    "virtual_account",
    "team",
    "status_code",
    "error_type",
    "failure_class",
    "operation",
    "streaming",
    "cost_state",
    "metadata.environment",
    "metadata.tenant",
)
"""Dimensions to group by, those of metadata once their keys are registered."""
FILTERS: Final[tuple[tuple[str, Callable[[LLMRequest], bool]], ...]] = (
    ("model:eq:gpt-5", lambda one: oracle.label(one, "model") == "gpt-5"),
    ("model:nin:gpt-5,claude", lambda one: oracle.label(one, "model") not in ("gpt-5", "claude")),
    ("model:contains:PRICED", lambda one: "priced" in oracle.label(one, "model")),
    ("team:null:", lambda one: one.team is None),
    ("team:nnull:", lambda one: one.team is not None),
    ("provider:ne:openai", lambda one: oracle.label(one, "provider") != "openai"),
    ("user:starts:A", lambda one: oracle.label(one, "user") == "ann"),
    ("virtual_account:in:bot,nobody", lambda one: oracle.label(one, "virtual_account") == "bot"),
    ("failed:eq:true", lambda one: one.failed),
    ("status_code:gte:500", lambda one: (one.status_code or 0) >= 500),
    ("status_code:ne:429", lambda one: one.status_code != 429),
    ("error_type:eq:boom", lambda one: oracle.label(one, "error_type") == "boom"),
    ("streaming:eq:false", lambda one: one.streaming is False),
    ("cost_state:in:unpriced,none", lambda one: one.cost_state in ("unpriced", "none")),
    ("latency_ms:lte:1500.5", lambda one: one.latency_us is not None and one.latency_us <= 1500500),
    ("input_tokens:between:7,5000", lambda one: one.input_tokens in (7, 5000)),
    ("cost_usd:gt:0.2", lambda one: (one.cost or 0) > 2 * 10**11),
    ("metadata.environment:eq:prod", lambda one: one.metadata.get("environment") == "prod"),
    ("metadata.environment:ne:prod", lambda one: one.metadata.get("environment") != "prod"),
    ("metadata.tenant:in:t\\,1,x", lambda one: one.metadata.get("tenant") == "t,1"),
    ("metadata.tenant:null:", lambda one: "tenant" not in one.metadata),
    ("operation:eq:embeddings", lambda one: one.operation == "embeddings"),
)
"""Filters as the API writes them, and which requests they leave."""


def record(dice: random.Random, number: int, started_at: datetime) -> RequestRecord:
    """Anything a gateway may send: unknown tokens, zero latencies, failures, unpriced models, huge reported costs."""
    failed = dice.random() < 0.25
    latency = dice.choice([None, 0.0, dice.lognormvariate(7, 1.5), dice.lognormvariate(7, 1.5)])
    fields: dict[str, Any] = {
        "request_id": f"r{number}",
        "started_at": started_at,
        "model": dice.choice(["gpt-5", "gpt-5", "claude", "unpriced-one", None]),
        "provider": dice.choice(["openai", "azure", None]),
        "virtual_model": dice.choice(["chat", "code", None]),
        "user": dice.choice(["ann", "bob", "eve", None]),
        "virtual_account": dice.choice(["bot", "batch", None]),
        "team": dice.choice(["Search", "Ads", None]),
        "metadata": dice.choice([{}, {"environment": "prod"}, {"environment": "dev", "tenant": "t,1"}]),
        "input_tokens": dice.choice([None, 0, 7, 5000]),
        "output_tokens": dice.choice([None, 0, 1, 300]),
        "latency_ms": latency,
        "ttft_ms": latency / 3 if latency and dice.random() < 0.5 else None,
        "itl_ms": dice.choice([None, None, 12.5, 40.0]),
        "streaming": dice.choice([None, True, False]),
        "operation": dice.choice(["chat", "embeddings"]),
        "status_code": dice.choice([429, 500, 504, None]) if failed else dice.choice([200, None]),
        "error_type": dice.choice(["RateLimitError", "boom"]) if failed else None,
        "reported_cost_usd": dice.choice([None, None, Decimal("0.25"), Decimal("900000")]),
    }
    return make.record(**fields)


def instants(dice: random.Random, size: int, end: datetime, length: timedelta) -> list[datetime]:
    """So many of the time before `end`, in few half hours, as each hour is rolled up on its own; the later half of them
    in a third of those, so that most hours do not wait again.
    """
    last = [end - dice.uniform(0, 1) * (length - SPREAD) for _ in range(max(3, size // MEET))]
    chosen = [dice.choice(last if number < size // 2 else last[::3]) for number in range(size)]
    return [one - dice.uniform(0, 1) * SPREAD for one in chosen]


def store(
    organization: Organization, dice: random.Random, size: int, *, end: datetime = NOW, length: timedelta = DAYS
) -> list[LLMRequest]:
    """Half of the records rolled up, the other half still waiting in the log."""
    records = [record(dice, number, at) for number, at in enumerate(instants(dice, size, end, length))]
    for part in (records[: size // 2], records[size // 2 :]):
        if part is not records[: size // 2]:
            rollups.drain(organization.pk)
        ingest_records(organization=organization, records=part, source="test", now=NOW, past_days=None)
    related = ("model", "virtual_model", "user", "virtual_account", "team", "error_type")
    return list(LLMRequest.objects.filter(organization=organization).select_related(*related))


def answers(result: Result) -> dict[tuple[oracle.Key, datetime | None], dict[str, Any]]:
    names = [selection.name for selection in result.query.selections]
    lines = result.series if result.query.group_by else (result.summary,)
    return {
        (tuple(label.text for label in one.labels), bucket.start if result.query.interval else None): dict(
            zip(names, values, strict=True)
        )
        for one in lines
        for bucket, values, requests in zip(result.buckets, one.values, one.requests, strict=True)
        if requests
    }


def assert_equal(result: Result, expected: dict[tuple[oracle.Key, datetime | None], list[LLMRequest]]) -> None:
    found = answers(result)
    assert found.keys() == expected.keys()
    for key, requests in expected.items():
        for name, value in oracle.sums(requests).items():
            assert found[key][name] == value, (key, name)
        for name in ("latency", "ttft", "itl", "tpot"):
            samples = oracle.durations(requests, name, result.query.population)
            for percentile in PERCENTILES:
                exact = oracle.nearest_rank(samples, percentile)
                answer = found[key][f"{name}_p{percentile}_ms"]
                assert (answer is None) == (exact is None), (key, name)
                if exact is not None:
                    # Answers are told in whole microseconds: half of one on top of the bound.
                    assert abs(answer * 1000 - exact) <= RELATIVE_ERROR * exact + 0.5, (key, name, percentile)


def ask(organization: Organization, question: dict[str, Any], **changes: Any) -> Query:
    found = tuple(keys.find_any(name, organization.pk) for name in question["group_by"])
    query = Query(
        scope=scope_of_organization(organization),
        period=question["period"],
        selections=COLUMNS,
        group_by=tuple(one for one in found if one is not None),
        interval=question["interval"],
        population=question["population"],
        limit=None,
    )
    return replace(query, **changes)
