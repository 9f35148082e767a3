"""What happens in one hour, as columns: who calls what, how it ends, what it takes. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestion.traffic.calendar import FAILING_PROVIDER, Burst, Calendar, Floats, Ints
from ingestion.traffic.tables import FAILURE_MILLIS, FAILURE_SPREAD, RATES, Tables, tables_of
from ingestion.traffic.targets import (
    CANCELLED,
    INTERNAL,
    NO_KEY,
    OK,
    OUTCOMES,
    OVERLOADED,
    RATE_LIMITED,
    TIMED_OUT,
    Caching,
)
from metricsportal.lib.timerange import TimeRange

Flags = npt.NDArray[np.bool_]

NULL: Final = -1
"""Stands for "the source does not say" in columns of counts; columns of milliseconds use NaN."""
_RETRIED: Final = (RATE_LIMITED, INTERNAL, OVERLOADED, TIMED_OUT)
_INCIDENT_RATES: Final = {INTERNAL: 0.22, OVERLOADED: 0.28, TIMED_OUT: 0.08}


@dataclass(slots=True)
class Calls:
    """The calls of one hour, one element per call. `at` is microseconds since 1970; durations are milliseconds."""

    at: Ints
    source: Ints
    ask: Ints
    model: Ints
    user: Ints
    environment: Ints
    tenant: Ints
    label: Ints
    """Number of the combination of the company's labels."""
    streaming: Flags
    outcome: Ints
    attempt: Ints
    trace: Ints
    replayed: Flags
    input: Ints
    output: Ints
    cache_read: Ints
    cache_write: Ints
    reasoning: Ints
    latency: Floats
    ttft: Floats
    gap: Floats

    def __len__(self) -> int:
        """Number of calls."""
        return len(self.at)


def draw(calendar: Calendar, position: int) -> Calls:
    """The calls of the hour at that position of the calendar, in order of time."""
    rng = np.random.default_rng([calendar.seed, calendar.requests, len(calendar.hours), position])
    hour, load = calendar.hours[position], float(calendar.load[position])
    tables = tables_of(calendar.company)
    calls = _identities(calendar, position, tables, rng)
    _end(calls, calendar, position, rng)
    _fail(calls, rng)
    _fall_back(calls, hour, tables)
    _spend_tokens(calls, tables, rng)
    _take_time(calls, calendar, load, rng)
    _break_off(calls, rng)
    return _sorted(calls)


def _micros(period: TimeRange) -> tuple[int, int]:
    """Both borders in microseconds since 1970."""
    start, end = (round(instant.timestamp() * 1e6) for instant in (period.start, period.end))
    return start, end


def _inside(at: Ints, period: TimeRange) -> Flags:
    start, end = _micros(period)
    return (at >= start) & (at < end)


def _identities(calendar: Calendar, position: int, tables: Tables, rng: np.random.Generator) -> Calls:
    """Everything about the calls that does not depend on how they end."""
    source = np.repeat(np.arange(calendar.calls.shape[1]), calendar.calls[position])
    n = len(source)
    at = _instants(source, calendar, position, rng)
    ask = tables.asked.pick(source, rng)
    changed = at >= calendar.routing_change.timestamp() * 1e6
    model = np.where(changed, tables.target_after.pick(ask, rng), tables.target_before.pick(ask, rng))
    aliased = ask < tables.aliases
    return Calls(
        at=at,
        source=source,
        ask=ask,
        model=model,
        user=tables.user.pick(source, rng),
        environment=tables.environment.pick(source, rng),
        tenant=tables.tenant.pick(source, rng),
        label=_labels(tables, n, rng),
        streaming=(rng.random(n) < tables.streaming[source]) & ~tables.embeds[model],
        outcome=np.full(n, OK, dtype=np.int64),
        attempt=np.where(aliased, 1, NULL),
        trace=np.where(tables.traced[source], rng.integers(1, 2**62, n), NULL),
        replayed=(rng.random(n) < tables.replayed[source]) & aliased,
        input=_nulls(n),
        output=_nulls(n),
        cache_read=_nulls(n),
        cache_write=_nulls(n),
        reasoning=_nulls(n),
        latency=np.full(n, np.nan),
        ttft=np.full(n, np.nan),
        gap=np.full(n, np.nan),
    )


def _labels(tables: Tables, n: int, rng: np.random.Generator) -> Ints:
    number = np.zeros(n, dtype=np.int64)
    for choice in tables.labels:
        number = number * choice.width + choice.pick(np.zeros(n, dtype=np.int64), rng)
    return number


def _nulls(n: int) -> Ints:
    return np.full(n, NULL, dtype=np.int64)


def _instants(source: Ints, calendar: Calendar, position: int, rng: np.random.Generator) -> Ints:
    """Instants anywhere in the hour; most calls of a source that bursts crowd into its burst."""
    start, end = _micros(calendar.hours[position])
    at = start + (rng.random(len(source)) * (end - start)).astype(np.int64)
    for burst in calendar.bursts_of(position):
        crowd = (source == burst.source) & (rng.random(len(source)) < 0.7)
        low, high = _micros(burst.period)
        at[crowd] = np.minimum(low + (rng.random(int(crowd.sum())) * (high - low)).astype(np.int64), end - 1)
    return at


def _end(calls: Calls, calendar: Calendar, position: int, rng: np.random.Generator) -> None:
    """Decide how each call ends: everyday rates, bursts above the rate limit, the incident."""
    rates = np.tile(RATES, (len(calls), 1))
    rates[~calls.streaming, CANCELLED] = 0
    rates[:, RATE_LIMITED] += np.where(_bursting(calls, calendar.bursts_of(position)), 0.55, 0)
    for outcome, rate in _INCIDENT_RATES.items():
        rates[_in_incident(calls, calendar), outcome] += rate
    rates[calls.replayed, OK + 1 :] = 0
    borders = np.cumsum(rates[:, ::-1], axis=1)
    # Counted from the last outcome; beyond all borders is position 0, a success.
    passed = (rng.random(len(calls))[:, None] >= borders).sum(axis=1)
    calls.outcome = len(OUTCOMES) - 1 - np.minimum(passed, len(OUTCOMES) - 1)


def _bursting(calls: Calls, bursts: Iterable[Burst]) -> Flags:
    over: Flags = np.zeros(len(calls), dtype=np.bool_)
    for burst in bursts:
        over |= (calls.source == burst.source) & _inside(calls.at, burst.period)
    return over


def _in_incident(calls: Calls, calendar: Calendar) -> Flags:
    hit: Flags = (tables_of(calendar.company).provider[calls.model] == FAILING_PROVIDER) & _inside(
        calls.at, calendar.incident
    )
    return hit


def _fail(calls: Calls, rng: np.random.Generator) -> None:
    """Durations of calls that fail before the first token."""
    failed = (calls.outcome != OK) & (calls.outcome != CANCELLED)
    kind = calls.outcome[failed]
    spread = rng.standard_normal(len(kind)) * FAILURE_SPREAD[kind]
    calls.latency[failed] = FAILURE_MILLIS[kind] * np.exp(spread)


def _fall_back(calls: Calls, hour: TimeRange, tables: Tables) -> None:
    """Turn every second retryable failure behind a virtual model into the second attempt of the one before it.

    So the number of calls stays as planned. The second attempt starts where the first ended, at another provider.
    """
    retryable = np.flatnonzero(np.isin(calls.outcome, _RETRIED) & (calls.ask < tables.aliases))
    retryable = retryable[np.argsort(calls.at[retryable], kind="stable")]
    first, second = retryable[: len(retryable) // 2 * 2 : 2], retryable[1::2]
    start = calls.at[first] + (calls.latency[first] * 1000).astype(np.int64)
    in_time = start < _micros(hour)[1]
    first, second, start = first[in_time], second[in_time], start[in_time]
    for column in (calls.source, calls.ask, calls.user, calls.environment, calls.tenant, calls.label, calls.streaming):
        column[second] = column[first]
    calls.model[second] = tables.fallback[calls.ask[first], calls.model[first]]
    calls.at[second], calls.attempt[second], calls.outcome[second] = start, 2, OK
    calls.latency[second] = np.nan
    calls.trace[first] = calls.trace[second] = calls.at[first]


def _spend_tokens(calls: Calls, tables: Tables, rng: np.random.Generator) -> None:
    """Token counts of calls that reach a model."""
    n, model, source = len(calls), calls.model, calls.source
    prompt = tables.input[source] * np.exp(rng.standard_normal(n) * 0.8)
    calls.input = np.clip(prompt, 8, tables.context[model]).astype(np.int64)
    answer = np.clip(tables.output[source] * np.exp(rng.standard_normal(n) * 0.7), 1, 16_000).astype(np.int64)
    thought = np.clip(600 * np.exp(rng.standard_normal(n) * 0.8), 1, 12_000).astype(np.int64)
    share = tables.reasoning[model]
    reasoning = np.where(rng.random(n) < share, thought, 0)
    calls.reasoning = np.where(share < 0, NULL, reasoning)
    calls.output = np.where(tables.embeds[model], 0, answer + reasoning)
    _cache_prompts(calls, tables, rng)


def _cache_prompts(calls: Calls, tables: Tables, rng: np.random.Generator) -> None:
    """Reads and writes of the provider's prompt cache, disjoint parts of the input."""
    n, caching = len(calls), tables.caching[calls.model]
    chosen = rng.random(n) < tables.cached[calls.source]
    part = calls.input * rng.uniform(0.45, 0.95, n)
    automatic, explicit = caching == Caching.AUTOMATIC, caching == Caching.EXPLICIT
    blocks = np.where(chosen & (calls.input > 1024), part // 128 * 128, 0)
    reads = chosen & (rng.random(n) < 0.88)
    kept = np.where(reads, (calls.input - part) * 0.3, part * 0.9)
    writes = chosen & (~reads | (rng.random(n) < 0.2))
    read = np.select([automatic, explicit], [blocks, np.where(reads, part, 0)], NULL)
    calls.cache_read = read.astype(np.int64)
    calls.cache_write = np.where(explicit, np.where(writes, kept, 0), NULL).astype(np.int64)


def _take_time(calls: Calls, calendar: Calendar, load: float, rng: np.random.Generator) -> None:
    """Durations of calls that reach a model: they grow with load, prompt and answer, and in the incident."""
    n, model, tables = len(calls), calls.model, tables_of(calendar.company)
    slow = np.where(_in_incident(calls, calendar), 4.0, 1.0)
    waiting = tables.ttft[model] * (1 + 0.6 * load**2) * np.exp(rng.standard_normal(n) * 0.32)
    prefill = tables.prefill[model] * (calls.input - np.maximum(calls.cache_read, 0)) / 1000
    ttft = (waiting + prefill) * slow
    gap = tables.gap[model] * (1 + 0.25 * load) * np.exp(rng.standard_normal(n) * 0.16) * np.sqrt(slow)
    tail = 1 + 3 * np.exp(rng.standard_normal(n) * 0.5)
    replay = 6 * np.exp(rng.standard_normal(n) * 0.4)
    ttft, gap = np.where(calls.replayed, replay, ttft), np.where(calls.replayed, 0.002, gap)
    latency = ttft + gap * np.maximum(calls.output - 1, 0) + tail
    calls.latency = np.where(np.isnan(calls.latency), latency, calls.latency)
    calls.ttft = np.where(calls.streaming, ttft, np.nan)
    # What the gateway measures between chunks leaves out the end of the stream.
    reports = calls.streaming & tables.traced[calls.source] & (calls.output > 1) & ~calls.replayed
    calls.gap = np.where(reports, gap * rng.uniform(0.97, 1.0, n), np.nan)


def _break_off(calls: Calls, rng: np.random.Generator) -> None:
    """Cut cancelled streams short, and leave no tokens on calls that failed before the first one."""
    stopped = (calls.outcome == CANCELLED) & calls.streaming
    kept = np.where(stopped, rng.uniform(0.05, 0.9, len(calls)), 1.0)
    cut_short = calls.ttft + (calls.latency - calls.ttft) * kept
    calls.latency = np.where(stopped, cut_short, calls.latency)
    calls.output = np.where(stopped, np.maximum(1, calls.output * kept), calls.output).astype(np.int64)
    calls.reasoning = np.minimum(calls.reasoning, calls.output)
    early = (calls.outcome != OK) & ~stopped
    for column in (calls.input, calls.output, calls.cache_read, calls.cache_write, calls.reasoning):
        column[early] = NULL
    calls.ttft[early] = np.nan
    calls.gap[early | stopped] = np.nan
    calls.model[calls.outcome == NO_KEY] = NULL


def _sorted(calls: Calls) -> Calls:
    order = np.argsort(calls.at, kind="stable")
    return Calls(**{name: getattr(calls, name)[order] for name in Calls.__slots__})
