"""The brute force that the engine must equal: plain Python over single requests, no database, no numpy."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from analytics.catalog.measures import Population
from ingestion.models import LLMRequest
from metricsportal.lib.localtime import Interval, bucket_start, zone
from metricsportal.lib.timerange import TimeRange

Key = tuple[str, ...]


def label(request: LLMRequest, dimension: str) -> str:
    """What a request is called in that dimension."""
    if dimension.startswith("metadata."):
        return str(request.metadata.get(dimension.removeprefix("metadata."), "(none)"))
    readers: dict[str, Callable[[LLMRequest], object | None]] = {
        "model": lambda one: one.model and one.model.name,
        "provider": lambda one: one.model and one.model.provider,
        "virtual_model": lambda one: one.virtual_model,
        "user": lambda one: one.user,
        "virtual_account": lambda one: one.virtual_account,
        "team": lambda one: one.team or "Unassigned",
        "status_code": lambda one: one.status_code,
        "error_type": lambda one: one.error_type,
        "operation": lambda one: one.operation,
        "streaming": lambda one: None if one.streaming is None else str(one.streaming).lower(),
        "cost_state": lambda one: one.cost_state,
        "failure_class": lambda one: one.failure_class,
        "failed": lambda one: str(one.failed).lower(),
    }
    value = readers[dimension](request)
    return "(none)" if value is None or value == "" else str(value)


def groups(
    requests: Iterable[LLMRequest],
    period: TimeRange,
    dimensions: Sequence[str],
    interval: Interval | None,
    zone_name: str,
) -> dict[tuple[Key, datetime | None], list[LLMRequest]]:
    """Requests of the period by labels and by the start of their bucket, clipped to the period."""
    answer: dict[tuple[Key, datetime | None], list[LLMRequest]] = {}
    for request in requests:
        if request.started_at not in period:
            continue
        start = None
        if interval is not None:
            start = max(bucket_start(request.started_at, interval, zone(zone_name)), period.start)
        key = tuple(label(request, dimension) for dimension in dimensions)
        answer.setdefault((key, start), []).append(request)
    return answer


def sums(requests: Sequence[LLMRequest]) -> dict[str, Any]:
    """Counts, tokens and picodollars of the requests; money is unknown when nothing billable has a price."""
    states = {one.cost_state for one in requests}
    unknown = "unpriced" in states and not states & {"computed", "reported"}
    money = {
        f"{name}_usd": None if unknown else sum(getattr(one, name) or 0 for one in requests)
        for name in ("cost", "list_cost", "reported_cost")
    }
    return money | {
        "requests": len(requests),
        "failed_requests": sum(one.failed for one in requests),
        "input_tokens": sum(one.input_tokens or 0 for one in requests),
        "output_tokens": sum(one.output_tokens or 0 for one in requests),
        "cache_read_tokens": sum(one.cache_read_tokens or 0 for one in requests),
    }


def durations(requests: Iterable[LLMRequest], name: str, population: Population) -> list[int]:
    """The samples of a duration in microseconds, ascending."""
    wanted = {Population.SUCCESSFUL: (False,), Population.FAILED: (True,), Population.ALL: (False, True)}[population]
    if name in ("itl", "tpot"):
        wanted = (False,)
    values = (getattr(one, f"{name}_us") for one in requests if one.failed in wanted)
    return sorted(value for value in values if value is not None)


def nearest_rank(samples: Sequence[int], percentile: int) -> int | None:
    """The k-th smallest sample, k = max(1, ceil(n*p/100)); None without samples."""
    return samples[max(1, -(-len(samples) * percentile // 100)) - 1] if samples else None
