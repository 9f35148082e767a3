"""What has changed in closed months: the rows as they would be now, less those that are frozen, as differences."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db.models import Sum

from analytics.catalog.dimensions import BY_NAME, NO_VALUE
from analytics.catalog.measures import select
from analytics.meters import frozen
from analytics.meters.reading import Reader
from analytics.meters.values import FROZEN, NOT_ITEMISED, SHARED, Amounts, Key, Meter, merged
from analytics.models import Period, StatementLine
from analytics.query.engine import run
from analytics.query.facts import scoped_facts
from analytics.query.keeping import kept
from analytics.query.values import LabelKind, Query
from ingestion.pricing.arithmetic import STANDARD
from ingestion.records import CostState
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization, Team

_Sums = dict[Key, tuple[Key, Amounts]]
"""Per meter, whatever its price: the first row, and the sum of all."""
_UNPRICED: Final[dict[str, Any]] = {"entry": None, "price": None, "version": 0, "discount": 0, "markup": 0}
Pair = tuple[int | None, str]
"""A team and the name of a model, as statements tell their lines apart."""
_STATED = ("requests", "failed", "input_tokens", "output_tokens", "cost", "unpriced_requests")
_ASKED = ("requests", "failed_requests", "input_tokens", "output_tokens", "cost_usd", "unpriced_requests")


def booked_month(organization_id: int) -> date | None:
    """The open month in which corrections are charged: the one after the last closed month. None: none was closed."""
    last = Period.objects.filter(organization=organization_id, closed_at__isnull=False).order_by("-month").first()
    return None if last is None else date(last.month.year + last.month.month // 12, last.month.month % 12 + 1, 1)


def pending(organization: Organization, booked: date, now: datetime) -> list[Meter]:
    """Corrections of all frozen months before `booked` that no statement has charged yet."""
    rows: list[Meter] = []
    periods = [one for one in frozen.frozen_periods(organization.pk) if one.month < booked]
    for period in periods:
        changed = _changed(organization, period, now)
        if changed:
            rows += _differences(organization, period, changed, booked)
    return merged(rows)


def pair_of(key: Key) -> Pair:
    """The line of a statement to which a row belongs."""
    return key.team_id, key.model or NO_VALUE


def _changed(organization: Organization, period: Period, now: datetime) -> dict[Pair, int]:
    """Lines whose figures are no longer those that were stated, and by how much their costs differ."""
    now_ = _now(organization, TimeRange(period.start, period.end), now)
    then = _stated(period)
    nothing = (0,) * len(_STATED)
    cost = _STATED.index("cost")
    return {
        pair: now_.get(pair, nothing)[cost] - then.get(pair, nothing)[cost]
        for pair in {*now_, *then}
        if now_.get(pair, nothing) != then.get(pair, nothing)
    }


def _now(organization: Organization, period: TimeRange, now: datetime) -> dict[Pair, tuple[int, ...]]:
    query = Query(
        scope=scope_of_organization(organization),
        period=period,
        selections=tuple(select(name) for name in _ASKED),
        group_by=(BY_NAME["team"], BY_NAME["model"]),
        limit=None,
        other=False,
    )
    ids = dict(Team.objects.filter(organization=organization).values_list("name", "pk"))
    answer: dict[Pair, tuple[int, ...]] = {}
    for one in run(query, now).series:
        team, model = one.labels
        pair = None if team.kind is LabelKind.NONE else ids[team.text], model.text
        amounts = tuple(int(value or 0) for value in one.total)
        before = answer.get(pair, (0,) * len(amounts))
        answer[pair] = tuple(a + b for a, b in zip(before, amounts, strict=True))
    return answer


def _stated(period: Period) -> dict[Pair, tuple[int, ...]]:
    """What all statements have said of the month so far: its own, and corrections in later ones."""
    lines = StatementLine.objects.filter(statement__period__organization=period.organization_id)
    own = lines.filter(statement__period=period, adjusts__isnull=True) | lines.filter(adjusts=period.month)
    sums = {f"sum_{name}": Sum(name) for name in _STATED}
    rows = own.order_by().values_list("statement__team_id", "model").annotate(**sums)
    return {(team, model): tuple(int(value) for value in amounts) for team, model, *amounts in rows}


def _differences(organization: Organization, period: Period, changed: dict[Pair, int], booked: date) -> list[Meter]:
    """Now less then, row by row. What is not to be found row by row is stated in one line, so that sums are right."""
    whole = TimeRange(period.start, period.end)
    sums: _Sums = {}
    if kept(organization.pk).requests <= period.start:
        _take(sums, _live(organization, whole, changed), changed, 1)
        _take(sums, _frozen(period), changed, -1)
    rows = list(_corrections(sums, f"{period.month:%Y-%m}", f"{booked:%Y-%m}"))
    missing = dict(changed)
    for key, amounts, _ in rows:
        missing[pair_of(key)] -= amounts.billed
    rest = [_rest(pair, cost, period, booked) for pair, cost in missing.items() if cost]
    return [*rows, *rest]


def _live(organization: Organization, whole: TimeRange, changed: dict[Pair, int]) -> Iterator[Meter]:
    facts = scoped_facts(scope_of_organization(organization), whole, ())
    names = {model for _, model in changed}
    mine = facts if NO_VALUE in names else facts.filter(model__name__in=names)
    reader = Reader(organization.pk, FROZEN, mine)
    for day in frozen.days_of(whole):
        yield from reader.meters(day)


def _frozen(period: Period) -> Iterator[Meter]:
    """The month as it was closed, and what was charged of it later."""
    for one in period.meters.filter(corrections=False).order_by("day").iterator(chunk_size=1):
        yield from frozen.unpacked(bytes(one.content))
    for later in frozen.frozen_periods(period.organization_id):
        if later.month > period.month:
            mine = (row for row in frozen.corrections_of(later) if row.key.adjusts == f"{period.month:%Y-%m}")
            yield from (row for row in mine if row.key.meter != SHARED)


def _take(sums: _Sums, rows: Iterable[Meter], changed: dict[Pair, int], times: int) -> None:
    """Add rows to those of the same meter at whatever price; what now prices it is remembered."""
    for key, amounts, _ in rows:
        if pair_of(key) in changed:
            row = key._replace(invoice=None, adjusts=None, booked=None)
            same = row._replace(team=None, account=None, state="", **_UNPRICED)
            sums.setdefault(same, (row, Amounts()))[1].add(amounts, times)


def _corrections(sums: _Sums, month: str, booked: str) -> Iterator[Meter]:
    for key, amounts in sums.values():
        if any(amounts.values):
            yield Meter(key._replace(adjusts=month, booked=booked), amounts, amounts.quantity != 0)


def _rest(pair: Pair, cost: int, period: Period, booked: date) -> Meter:
    team_id, model = pair
    team = Team.objects.values_list("name", flat=True).get(pk=team_id) if team_id else None
    key = Key(
        day=period.start.astimezone(UTC).date().isoformat(),
        team_id=team_id,
        team=team,
        model="" if model == NO_VALUE else model,
        state=CostState.COMPUTED.value,
        tier=STANDARD,
        meter=NOT_ITEMISED,
        adjusts=f"{period.month:%Y-%m}",
        booked=f"{booked:%Y-%m}",
    )
    return Meter(key, Amounts(list=cost, contracted=cost, billed=cost), has_quantity=False)
