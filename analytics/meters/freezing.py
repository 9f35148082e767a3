"""The rows of a month as they are frozen with its statements: read beforehand, kept only if they add up to them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from analytics.meters import corrections, frozen
from analytics.meters.corrections import Pair, pair_of
from analytics.meters.reading import Reader
from analytics.meters.values import FROZEN, Meter
from analytics.models import FrozenMeters, Period
from analytics.query.facts import scoped_facts
from analytics.query.snapshot import NOBODY_WAITS_MS, snapshot
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization

Costs = Mapping[Pair, int]
"""Billed picodollars per team and model."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Days as bytes, the corrections of earlier months, and what both cost."""

    period: TimeRange
    days: tuple[tuple[date, bytes], ...]
    corrections: tuple[Meter, ...]
    costs: Costs
    adjusted: Costs

    def adds_up_to(self, period: TimeRange, costs: Costs, adjusted: Costs) -> bool:
        """Whether these are the rows of statements with those costs."""
        return (self.period, _known(self.costs), _known(self.adjusted)) == (period, _known(costs), _known(adjusted))


def prepare(organization: Organization, month: date, period: TimeRange, now: datetime) -> Prepared:
    """Read the rows of a month, and what earlier months lack."""
    scope = scope_of_organization(organization)
    reader = Reader(organization.pk, FROZEN, scoped_facts(scope, period, ()))
    costs, days = Counter[Pair](), list[tuple[date, bytes]]()
    for part in frozen.days_of(period):
        with snapshot(NOBODY_WAITS_MS):
            rows = reader.meters(part)
        _add(costs, rows)
        if rows:
            days.append((part.start.astimezone(UTC).date(), frozen.packed(rows)))
    pending = corrections.pending(organization, month, now)
    adjusted = Counter[Pair]()
    _add(adjusted, pending)
    return Prepared(period, tuple(days), tuple(pending), costs, adjusted)


def freeze(period: Period, prepared: Prepared, shared: Iterable[Meter]) -> None:
    """Keep them with rows of shared costs, in the transaction that closes the month.

    An empty month is kept as its first day without rows.
    """
    days = prepared.days or ((prepared.period.start.astimezone(UTC).date(), frozen.packed(())),)
    FrozenMeters.objects.bulk_create(_stored(period, days, (*prepared.corrections, *shared)))


def _stored(period: Period, days: Iterable[tuple[date, bytes]], pending: tuple[Meter, ...]) -> Iterator[FrozenMeters]:
    for day, content in days:
        yield FrozenMeters(period=period, day=day, content=content)
    if pending:
        yield FrozenMeters(period=period, day=period.month, corrections=True, content=frozen.packed(pending))


def adjusts_frozen(organization_id: int) -> set[date]:
    """The months whose corrections have rows."""
    return {one.month for one in frozen.frozen_periods(organization_id)}


def _add(costs: Counter[Pair], rows: Iterable[Meter]) -> None:
    for row in rows:
        costs[pair_of(row.key)] += row.amounts.billed


def _known(costs: Costs) -> dict[Pair, int]:
    return {pair: cost for pair, cost in costs.items() if cost}
