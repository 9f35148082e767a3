"""Our side: what the requests of UTC days used and cost by provider, model and token class, as they are stored now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from analytics.meters import frozen, itemising
from analytics.meters.grouping import groups
from analytics.meters.names import Names
from analytics.meters.reading import Reader
from analytics.meters.values import NOT_ITEMISED, REPORTED, REQUESTS, Grain, Meter
from analytics.query.facts import scoped_facts
from analytics.query.keeping import kept
from analytics.query.snapshot import snapshot
from ingestion.models import LLMModel
from ingestion.pricing import history
from ingestion.pricing.arithmetic import REQUEST
from ingestion.records import CostState
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

_A_DAY: Final = timedelta(days=1)
_GRAIN: Final = Grain()
_REPORTED: Final = CostState.REPORTED.value


@dataclass(slots=True)
class Row:
    """One class of one model on one UTC day, of one state and price. Costs in picodollars, price in USD per million."""

    day: date
    provider: str
    model: str
    token_class: str
    tier: str = ""
    state: str = ""
    quantity: int = 0
    requests: int = 0
    list: int = 0
    contracted: int = 0
    billed: int = 0
    price: str | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed requests of one model on one UTC day, and what they cost."""

    day: date
    provider: str
    model: str
    number: int
    cost: int


@dataclass(slots=True)
class Ours:
    """`gone`: the first and last day of which neither requests nor frozen rows are kept."""

    rows: list[Row]
    failures: list[Failures]
    gone: tuple[date, date] | None = None


def providers(organization_id: int) -> list[str]:
    """Who is known to have sold anything."""
    found = LLMModel.objects.filter(organization=organization_id).exclude(provider="")
    return sorted(set(found.values_list("provider", flat=True)))


def read(scope: Scope, first: date, last: date) -> Ours:
    """The days from the first to the last one."""
    found = Ours([], [])
    with snapshot():
        floor = kept(scope.organization_id).requests
        reader = _Live(scope, _span(first, last))
        for number in range((last - first).days + 1):
            day = first + _A_DAY * number
            if _span(day, day).start >= floor:
                reader.add(day, found)
            else:
                _from_frozen(scope.organization_id, day, found)
        found.failures += reader.failures()
    return found


def _span(first: date, last: date) -> TimeRange:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return TimeRange(start, start + _A_DAY * ((last - first).days + 1))


def _from_frozen(organization_id: int, day: date, found: Ours) -> None:
    rows = list(frozen.rows_of_day(organization_id, day))
    found.rows += [_row(meter) for meter in rows]
    if not rows:
        found.gone = (found.gone[0] if found.gone else day, day)


def _row(meter: Meter) -> Row:
    key, amounts = meter.key, meter.amounts
    is_counted = key.meter != REQUEST and key.unit != REQUESTS
    return Row(
        date.fromisoformat(key.day),
        key.provider,
        key.model,
        key.meter,
        key.tier,
        key.state,
        amounts.quantity if is_counted else 0,
        amounts.requests,
        amounts.list,
        amounts.contracted,
        amounts.billed,
        key.price,
    )


class _Live:
    """Reads requests that are kept."""

    def __init__(self, scope: Scope, whole: TimeRange) -> None:
        self._facts = scoped_facts(scope, whole, ())
        self._reader = Reader(scope.organization_id, _GRAIN, self._facts)
        self._contexts = history.contexts(scope.organization_id)
        self._names = Names()

    def add(self, day: date, found: Ours) -> None:
        """What one day has."""
        period = _span(day, day)
        for meter in self._reader.meters(period):
            row = _row(meter)
            if row.state == _REPORTED and row.token_class in (REPORTED, NOT_ITEMISED):
                row.quantity = 0  # told by class below
            found.rows.append(row)
        if any(row.state == _REPORTED for row in found.rows if row.day == day):
            found.rows += self._reported(day, period)

    def _reported(self, day: date, period: TimeRange) -> Iterator[Row]:
        """The tokens of what the gateway priced: their cost is one line, their quantities are known by class."""
        facts = self._facts.filter(started_at__gte=period.start, started_at__lt=period.end, cost_state=_REPORTED)
        for group in groups(facts, _GRAIN, self._contexts):
            provider, model = self._names.model(group.model_id)
            for item in itemising.unpriced(group):
                if item.meter != REQUEST:
                    quantity = item.amounts.quantity
                    yield Row(day, provider, model, item.meter, group.tier or "", _REPORTED, quantity)

    def failures(self) -> Iterator[Failures]:
        """Of all days at once."""
        days = self._facts.filter(failed=True).annotate(day=TruncDate("started_at", tzinfo=UTC)).order_by()
        sums = days.values_list("day", "model_id").annotate(number=Count("pk"), spent=Sum("contracted_cost"))
        for day, model_id, number, spent in sums:
            yield Failures(day, *self._names.model(model_id), number, int(spent or 0))
