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
    """Counts, tokens and picodollars of the requests; money is unknown when it is known of nothing billable."""
    states = [one.cost_state for one in requests]
    both = [one for one in requests if one.list_cost is not None and one.reported_cost is not None]
    return {
        "requests": len(requests),
        "failed_requests": sum(one.failed for one in requests),
        "input_tokens": sum(one.input_tokens or 0 for one in requests),
        "output_tokens": sum(one.output_tokens or 0 for one in requests),
        "cache_read_tokens": sum(one.cache_read_tokens or 0 for one in requests),
        "priced_requests": sum(state in ("computed", "reported") for state in states),
        "unpriced_requests": states.count("unpriced"),
        "unpriced_tokens": sum(
            (one.input_tokens or 0) + (one.output_tokens or 0) for one in requests if one.cost_state == "unpriced"
        ),
        "compared_requests": len(both),
        "itl_reported": sum(one.itl_us not in (None, one.tpot_us) for one in requests if not one.failed),
        "tpot_streaming": sum(one.streaming is True for one in requests if one.tpot_us is not None),
        "tpot_whole": sum(one.streaming is False for one in requests if one.tpot_us is not None),
        "cost_usd": money(requests, "cost"),
        "list_cost_usd": money(requests, "list_cost"),
        "contracted_cost_usd": money(requests, "contracted_cost"),
        "reported_cost_usd": money(requests, "reported_cost"),
        "compared_list_cost_usd": _compared(requests, both, "list_cost"),
        "compared_reported_cost_usd": _compared(requests, both, "reported_cost"),
        "reported_to_list": _ratio(both),
    }


def billable(requests: Iterable[LLMRequest]) -> list[LLMRequest]:
    """Requests that should cost something."""
    return [one for one in requests if one.cost_state != "none"]


def money(requests: Iterable[LLMRequest], name: str) -> int | None:
    """Picodollars; None when something is billable and the amount of none of it is known."""
    requests = list(requests)
    paid = billable(requests)
    if paid and all(getattr(one, name) is None for one in paid):
        return None
    return sum(int(getattr(one, name) or 0) for one in requests)


def _compared(requests: Iterable[LLMRequest], both: Sequence[LLMRequest], name: str) -> int | None:
    amounts = [(one.list_cost or 0, one.reported_cost or 0) for one in both]
    if billable(requests) and not any(map(any, amounts)):
        return None
    return sum(int(getattr(one, name)) for one in both)


def _ratio(both: Sequence[LLMRequest]) -> float | None:
    listed = sum(one.list_cost or 0 for one in both)
    return sum(one.reported_cost or 0 for one in both) / listed if listed else None


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
