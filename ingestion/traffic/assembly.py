"""Columns to records: names, identifiers and the gateway's own cost. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import numpy as np

from ingestion.records import Operation, RequestRecord
from ingestion.traffic.calendar import Calendar, Floats, Ints
from ingestion.traffic.calls import NULL, Calls, Flags, draw
from ingestion.traffic.companies import Company
from ingestion.traffic.tables import tables_of
from ingestion.traffic.targets import OK, OUTCOMES

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
    words, tables = _words(calendar.company), tables_of(calendar.company)
    models, users, mails, operations = calendar.company.models, words.users, words.mails, words.operations
    asks, aliases = tables.asks, tables.aliases
    rows = zip(*_columns(calls, words, calendar.seed, done).values(), strict=True)
    for (
        request_id, at, model, ask, source, user, metadata, streaming, outcome, attempt, trace,
        input_tokens, output_tokens, cache_read, cache_write, cache_write_1h, reasoning, latency, ttft, gap, cost,
    ) in rows:  # fmt: skip
        target = models[model] if model >= 0 else None
        yield RequestRecord(
            request_id=request_id,
            started_at=_EPOCH + timedelta(microseconds=at),
            model=target.name if target else None,
            provider=target.provider if target else None,
            virtual_model=asks[ask] if ask < aliases else None,
            user=users[user],
            user_email=mails[user],
            virtual_account=source.account,
            team=source.team if source.names_team else None,
            metadata=metadata,
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
            operation=operations[model],
            attempt=attempt,
            trace_id=trace,
        )


class _Words:
    """What the positions in columns stand for in a company."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.users = (*company.users, None)
        self.mails = (*(f"{user}@{MAIL_DOMAIN}" for user in company.users), None)
        # The last one stands for calls that reached no model.
        self.operations = (
            *(Operation.EMBEDDINGS.value if model.embeds else Operation.CHAT.value for model in company.models),
            Operation.CHAT.value,
        )
        self.labels: list[dict[str, str]] = [{}]
        for label in company.labels:
            self.labels = [known | {label.name: value} for known in self.labels for value in label.values]
        self.pico = tuple(_pico_per_token(company, name) for name in ("input", "cache_read", "cache_write", "output"))
        self._metadata: dict[tuple[str | None, int, int, bool], dict[str, str]] = {}

    def metadata(self, calls: Calls) -> list[dict[str, str]]:
        """The metadata of each call, a dict of its own."""
        sources, made, labels = self.company.sources, self._metadata, self.labels
        columns = (calls.source, calls.environment, calls.tenant, calls.replayed, calls.label)
        found = []
        for source, environment, tenant, replayed, label in zip(*(c.tolist() for c in columns), strict=True):
            key = (sources[source].app, environment, tenant, replayed)
            if (known := made.get(key)) is None:
                known = made[key] = self._combined(*key)
            found.append(known | labels[label])
        return found

    def _combined(self, app: str | None, environment: int, tenant: int, replayed: bool) -> dict[str, str]:
        values = {"environment": self.company.environments[environment]}
        if tenant < len(self.company.tenants):
            values["tenant"] = self.company.tenants[tenant]
        if app:
            values["app"] = app
        if replayed:
            values["gateway_cache"] = "hit"
        return values


_words = cache(_Words)


def _columns(calls: Calls, words: _Words, seed: int, done: int) -> dict[str, list[Any]]:
    """The columns as Python values, None where the source does not say."""
    sources, tables = words.company.sources, tables_of(words.company)
    kept = np.where(tables.keeps_cache[calls.source] & (calls.cache_write >= 0), calls.cache_write, NULL)
    return {
        "request_id": identifiers(np.arange(done, done + len(calls)), seed),
        "at": calls.at.tolist(),
        "model": calls.model.tolist(),
        "ask": calls.ask.tolist(),
        "source": [sources[source] for source in calls.source.tolist()],
        "user": calls.user.tolist(),
        "metadata": words.metadata(calls),
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
        "cost": _reported_costs(calls, words),
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


def _pico_per_token(company: Company, token_class: str) -> Ints:
    """Picodollars per token by model, 0 without a price; falls back to the price of input tokens."""
    prices = (company.prices.get(model.name, {}) for model in company.models)
    return np.array([int(Decimal(p.get(token_class, p.get("input", "0"))) * 10**6) for p in prices], dtype=np.int64)


def _reported_costs(calls: Calls, words: _Words) -> list[Decimal | None]:
    """The gateway's own figure where it sends one: its price list knows neither tiers nor the price change."""
    reports, (each_input, each_read, each_write, each_output) = tables_of(words.company).reports_cost, words.pico
    known: Flags = reports[calls.source] & (calls.outcome == OK) & (calls.model >= 0)
    costs: list[Decimal | None] = [None] * len(calls)
    where = np.flatnonzero(known)
    model, read, write = calls.model[where], *(np.maximum(c[where], 0) for c in (calls.cache_read, calls.cache_write))
    pico = (calls.input[where] - read - write) * each_input[model] + read * each_read[model] + write * each_write[model]
    pico += calls.output[where] * each_output[model]
    for position, amount in zip(where.tolist(), pico.tolist(), strict=True):
        costs[position] = Decimal(amount).scaleb(-12)
    return costs
