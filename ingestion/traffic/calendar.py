"""When calls happen: rhythm, growth and the events of a period. Pure."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingestion.traffic.companies import SMALL, Company
from ingestion.traffic.profile import Rhythm, Source
from metricsportal.lib.localtime import HOUR, next_day_start
from metricsportal.lib.timerange import TimeRange

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GROWTH: Final = 1.35
"""Traffic at the end of the period against its beginning."""
FAILING_PROVIDER: Final = "anthropic"
_INCIDENT_AT: Final = 0.84
_ROUTING_AT: Final = 0.72
_PRICES_AT: Final = 0.62
_BURSTS_PER_DAY: Final = 0.6
_SURGE: Final = 4.0


@dataclass(frozen=True, slots=True)
class Burst:
    """A few minutes in which one source (its position) sends more than its rate limit allows."""

    source: int
    period: TimeRange


def _start(burst: Burst) -> datetime:
    return burst.period.start


@dataclass(frozen=True, slots=True)
class Calendar:
    """The plan of a period: calls per hour and source, the load of each hour (0..1), and its events.

    `incident`: one provider fails. `routing_change`: a virtual model gets other weights. `price_change`: see profile.
    """

    company: Company
    seed: int
    period: TimeRange
    hours: tuple[TimeRange, ...]
    calls: Ints
    load: Floats
    incident: TimeRange
    routing_change: datetime
    price_change: datetime
    bursts: tuple[Burst, ...]

    @property
    def requests(self) -> int:
        """Number of calls of the whole period."""
        return int(self.calls.sum())

    def bursts_of(self, position: int) -> tuple[Burst, ...]:
        """The bursts of the hour at that position; each lies inside one hour."""
        hour = self.hours[position]
        first, beyond = (bisect_left(self.bursts, at, key=_start) for at in (hour.start, hour.end))
        return self.bursts[first:beyond]


def plan(*, requests: int, days: int, end: datetime, zone: ZoneInfo, seed: int, company: Company = SMALL) -> Calendar:
    """The calendar of exactly `requests` calls in the `days` before `end`; the same arguments give the same plan."""
    if requests < 1 or days < 1 or seed < 0:
        raise ValueError("requests and days are at least 1, seed at least 0")
    period = TimeRange(end - timedelta(days=days), end)
    hours = _hours(period)
    rng = np.random.default_rng([seed, requests, days])
    bursts = _bursts(period, days, company.sources, rng)
    weights = _weights(period, hours, zone, company.sources, rng)
    _surge(weights, hours, bursts)
    calls = rng.multinomial(requests, (weights / weights.sum()).ravel()).reshape(weights.shape)
    # Load is a rate: a short first or last hour must not look idle.
    totals = weights.sum(axis=1) / np.array([hour.seconds for hour in hours])
    return Calendar(
        company=company,
        seed=seed,
        period=period,
        hours=hours,
        calls=calls.astype(np.int64),
        load=totals / totals.max(),
        incident=_incident(period, zone),
        routing_change=next_day_start(_at(period, _ROUTING_AT), zone) if days > 2 else _at(period, _ROUTING_AT),
        price_change=next_day_start(_at(period, _PRICES_AT), zone) if days > 2 else _at(period, _PRICES_AT),
        bursts=bursts,
    )


def _at(period: TimeRange, share: float) -> datetime:
    """The instant after that share of the period, on the full minute."""
    return (period.start + share * period.length).replace(second=0, microsecond=0)


def _hours(period: TimeRange) -> tuple[TimeRange, ...]:
    """The UTC hours of the period, the first and last one cut to it."""
    first = period.start.replace(minute=0, second=0, microsecond=0)
    count = math.ceil((period.end - first) / HOUR)
    whole = (TimeRange(first + i * HOUR, first + (i + 1) * HOUR) for i in range(count))
    return tuple(part for hour in whole if (part := hour.clip(period)))


def _weights(
    period: TimeRange,
    hours: Sequence[TimeRange],
    zone: ZoneInfo,
    sources: Sequence[Source],
    rng: np.random.Generator,
) -> Floats:
    """Expected calls per hour and source, up to a common factor."""
    locals_ = [hour.start.astimezone(zone) for hour in hours]
    clock = np.array([local.hour for local in locals_])
    weekday = np.array([local.weekday() for local in locals_])
    rhythms = np.column_stack([_rhythm(source.rhythm)[weekday, clock] for source in sources])
    shares = np.array([source.share for source in sources])
    elapsed = np.array([(hour.start - period.start) / period.length for hour in hours])
    size = np.array([hour.seconds for hour in hours]) / HOUR.total_seconds()
    days = np.array([local.toordinal() for local in locals_]) - locals_[0].toordinal()
    daily = rng.lognormal(0, 0.07, (int(days[-1]) + 1, len(sources)))[days]
    hourly = rng.lognormal(0, 0.05, (len(hours), len(sources)))
    weights: Floats = shares * rhythms * daily * hourly * (size * GROWTH**elapsed)[:, None]
    return weights


def _surge(weights: Floats, hours: Sequence[TimeRange], bursts: Sequence[Burst]) -> None:
    for burst in bursts:
        row = next(i for i, hour in enumerate(hours) if burst.period.start in hour)
        weights[row, burst.source] *= _SURGE


def _rhythm(rhythm: Rhythm) -> Floats:
    """Weights by weekday and hour with mean 1 over a week."""
    table = np.outer(rhythm.days, rhythm.hours)
    return np.asarray(table / table.mean(), dtype=np.float64)


def _incident(period: TimeRange, zone: ZoneInfo) -> TimeRange:
    """Two hours (less in short periods) of a working day's afternoon where there is one late in the period."""
    length = min(2 * HOUR, period.length / 8)
    fallback = _at(period, _INCIDENT_AT)
    local = fallback.astimezone(zone)
    for later in range(-1, 4):
        day = local + timedelta(days=later)
        start = day.replace(hour=14, minute=20, second=0, microsecond=0).astimezone(UTC)
        if day.weekday() < 5 and period.start + period.length / 2 < start < period.end - length:
            return TimeRange(start, start + length)
    return TimeRange(fallback, fallback + length)


def _bursts(period: TimeRange, days: int, sources: Sequence[Source], rng: np.random.Generator) -> tuple[Burst, ...]:
    """Rate-limit bursts inside single hours; one of them in the last hours of the period, where people look first."""
    count = max(1, round(days * _BURSTS_PER_DAY))
    heavy = np.array([i for i, source in enumerate(sources) if source.share >= 4])
    whole = int(period.length / HOUR) - 2
    places = [*rng.integers(1, max(2, whole), count - 1).tolist(), max(1, whole - 4)]
    found = []
    for place, source in zip(places, rng.choice(heavy, count).tolist(), strict=True):
        hour = (period.start + place * HOUR).replace(minute=0, second=0, microsecond=0) + HOUR
        start = hour + timedelta(minutes=int(rng.integers(5, 40)))
        found.append(Burst(source, TimeRange(start, start + timedelta(minutes=int(rng.integers(4, 13))))))
    return tuple(sorted(found, key=_start))
