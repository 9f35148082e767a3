"""Columns to records: names, identifiers and the gateway's own cost. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from ingestion.records import Operation, RequestRecord
from ingestion.traffic import tables
from ingestion.traffic.calendar import Calendar, Floats, Ints
from ingestion.traffic.calls import NULL, Calls, Flags, draw
from ingestion.traffic.profile import ENVIRONMENTS, SOURCES, TENANTS, USERS
from ingestion.traffic.targets import MODELS, OK, OUTCOMES, PRICES

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAIL_DOMAIN: Final = "example.com"


def generate(calendar: Calendar) -> Iterator[RequestRecord]:
    """All calls of the calendar in order of time; at no moment more than one hour of them is in memory."""
    done = 0
    for position in np.flatnonzero(calendar.calls.sum(axis=1)).tolist():
        calls = draw(calendar, position)
        yield from _records(calls, calendar, done)
        done += len(calls)


def _records(calls: Calls, calendar: Calendar, done: int) -> Iterator[RequestRecord]:
    rows = zip(*_columns(calls, calendar.seed, done).values(), strict=True)
    for (
        request_id, at, model, ask, source, user, metadata, streaming, outcome, attempt, trace,
        input_tokens, output_tokens, cache_read, cache_write, cache_write_1h, reasoning, latency, ttft, gap, cost,
    ) in rows:  # fmt: skip
        target = MODELS[model] if model >= 0 else None
        yield RequestRecord(
            request_id=request_id,
            started_at=_EPOCH + timedelta(microseconds=at),
            model=target.name if target else None,
            provider=target.provider if target else None,
            virtual_model=tables.ASKS[ask] if ask < tables.ALIASES else None,
            user=_USER_IDS[user],
            user_email=_USER_MAILS[user],
            virtual_account=source.account,
            team=source.team if source.names_team else None,
            metadata=metadata.copy(),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cache_read,
            cache_write_tokens=cache_write,
            cache_write_1h_tokens=cache_write_1h,
            reasoning_tokens=reasoning,
            latency_ms=latency,
            ttft_ms=ttft,
            itl_ms=gap,
            streaming=streaming,
            status_code=outcome.status,
            error_type=outcome.error,
            error_message=outcome.message,
            reported_cost_usd=cost,
            service_tier=source.tier,
            operation=_OPERATIONS[model],
            attempt=attempt,
            trace_id=trace,
        )


_USER_IDS: Final = (*USERS, None)
_USER_MAILS: Final = (*(f"{user}@{MAIL_DOMAIN}" for user in USERS), None)
# The last one stands for calls that reached no model.
_OPERATIONS: Final = (
    *(Operation.EMBEDDINGS.value if model.embeds else Operation.CHAT.value for model in MODELS),
    Operation.CHAT.value,
)


def _metadata(environment: int, tenant: int, replayed: bool) -> dict[str, str]:
    values = {"environment": ENVIRONMENTS[environment]}
    if tenant != tables.NO_TENANT:
        values["tenant"] = TENANTS[tenant]
    if replayed:
        values["gateway_cache"] = "hit"
    return values


# Every combination once, by environment, tenant and replay; records get copies.
_METADATA: Final = [
    _metadata(environment, tenant, replayed)
    for environment in range(len(ENVIRONMENTS))
    for tenant in range(len(TENANTS) + 1)
    for replayed in (False, True)
]


def _columns(calls: Calls, seed: int, done: int) -> dict[str, list[Any]]:
    """The columns as Python values, None where the source does not say."""
    combination = (calls.environment * (len(TENANTS) + 1) + calls.tenant) * 2 + calls.replayed
    kept = np.where(tables.KEEPS_CACHE[calls.source] & (calls.cache_write >= 0), calls.cache_write, NULL)
    return {
        "request_id": identifiers(np.arange(done, done + len(calls)), seed),
        "at": calls.at.tolist(),
        "model": calls.model.tolist(),
        "ask": calls.ask.tolist(),
        "source": [SOURCES[source] for source in calls.source.tolist()],
        "user": calls.user.tolist(),
        "metadata": [_METADATA[index] for index in combination.tolist()],
        "streaming": calls.streaming.tolist(),
        "outcome": [OUTCOMES[outcome] for outcome in calls.outcome.tolist()],
        "attempt": _counts(calls.attempt),
        "trace": _traces(calls.trace, seed),
        "input": _counts(calls.input),
        "output": _counts(calls.output),
        "cache_read": _counts(calls.cache_read),
        "cache_write": _counts(calls.cache_write),
        "cache_write_1h": _counts(kept),
        "reasoning": _counts(calls.reasoning),
        "latency": _millis(calls.latency),
        "ttft": _millis(calls.ttft),
        "gap": _millis(calls.gap),
        "cost": _reported_costs(calls),
    }


def _counts(values: Ints) -> list[int | None]:
    return [None if value < 0 else value for value in values.tolist()]


def _millis(values: Floats) -> list[float | None]:
    """Milliseconds to the microsecond; NaN is not equal to itself."""
    return [value if value == value else None for value in np.round(values, 3).tolist()]  # noqa: PLR0124 - NaN


def _mixed(numbers: Ints, stream: int) -> "np.ndarray[Any, np.dtype[np.uint64]]":
    """A bijection of 64-bit integers that looks random (the finalizer of SplitMix64); one per stream."""
    mixed = numbers.astype(np.uint64) + np.uint64((stream * 0x9E3779B97F4A7C15) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def identifiers(numbers: Ints, seed: int) -> list[str]:
    """One identifier of 32 hexadecimal digits per number; different for different numbers of a seed."""
    # Big-endian, so that the first 16 digits are the bijection's value.
    halves = np.stack([_mixed(numbers, 2 * seed + 1), _mixed(numbers, 2 * seed + 2)], axis=1)
    text = halves.astype(">u8").tobytes().hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]


def _traces(numbers: Ints, seed: int) -> list[str | None]:
    return [
        None if number < 0 else text
        for number, text in zip(numbers.tolist(), identifiers(numbers, seed + 2**31), strict=True)
    ]


def _pico_per_token(token_class: str) -> Ints:
    """Picodollars per token by model, 0 without a price; falls back to the price of input tokens."""
    prices = (PRICES.get(model.name, {}) for model in MODELS)
    return np.array([int(Decimal(p.get(token_class, p.get("input", "0"))) * 10**6) for p in prices], dtype=np.int64)


_INPUT, _READ, _WRITE, _OUTPUT = map(_pico_per_token, ("input", "cache_read", "cache_write", "output"))


def _reported_costs(calls: Calls) -> list[Decimal | None]:
    """The gateway's own figure where it sends one: its price list knows neither tiers nor the price change."""
    known: Flags = tables.REPORTS_COST[calls.source] & (calls.outcome == OK) & (calls.model >= 0)
    costs: list[Decimal | None] = [None] * len(calls)
    where = np.flatnonzero(known)
    model, read, write = calls.model[where], *(np.maximum(c[where], 0) for c in (calls.cache_read, calls.cache_write))
    pico = (calls.input[where] - read - write) * _INPUT[model] + read * _READ[model] + write * _WRITE[model]
    pico += calls.output[where] * _OUTPUT[model]
    for position, amount in zip(where.tolist(), pico.tolist(), strict=True):
        costs[position] = Decimal(amount).scaleb(-12)
    return costs
