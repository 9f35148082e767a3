"""Looking at budgets whose hours changed, and telling each threshold once per period.

What was told is a row that is unique for budget, period and threshold: neither a restart, late records nor a second
process at the same time tells it again. The log of changed hours is consumed after the look, so a kill repeats it.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction

from analytics.budgets import forecasting
from analytics.budgets.documents import document_of
from analytics.budgets.forecasting import Forecast
from analytics.budgets.notices import tell
from analytics.budgets.periods import Span, span_at, span_before
from analytics.budgets.standing import Standing, UnknownStandingError, limit_of, standing
from analytics.models import Budget, ChangedSpend, Notice
from metricsportal.lib import border
from teams.models import Organization

logger = logging.getLogger(__name__)
_WITH: Final = ("organization", "team", "user", "account")
_AT_ONCE: Final = 500  # ids of one statement: SQLite takes so many parameters


def look_due(now: datetime) -> int:
    """Look at the budgets of every organization whose hours changed; the number of notices made."""
    made = 0
    for pk in ChangedSpend.objects.order_by().values_list("organization_id", flat=True).distinct():
        try:
            with border.within(pk):
                made += _look_at(pk, now)
        except Exception:  # one organization's trouble must not keep the others from being told
            logger.exception("looking at the budgets of organization %d failed", pk)
    return made


def _look_at(pk: int, now: datetime) -> int:
    marks = dict(ChangedSpend.objects.filter(organization_id=pk).values_list("pk", "hour_start"))
    made = look(Organization.objects.get(pk=pk), {*marks.values()}, now)
    _consume(pk, list(marks))
    return made


def _consume(pk: int, marks: list[int]) -> None:
    """Those that were there before the look alone: what came meanwhile asks for another one."""
    for start in range(0, len(marks), _AT_ONCE):
        ChangedSpend.objects.filter(organization_id=pk, pk__in=marks[start : start + _AT_ONCE]).delete()


def look(organization: Organization, hours: Iterable[datetime], now: datetime) -> int:
    """Look at every budget: its present period, and the one before when one of these hours is in it."""
    made, changed = 0, tuple(hours)
    for budget in Budget.objects.filter(organization=organization).select_related(*_WITH):
        present = span_at(budget.every, now, organization.zone)
        before = span_before(present, organization.zone)
        late = any(hour in before.range for hour in changed)
        for span in (before, present) if late else (present,):
            try:
                made += _look(budget, span, now)
            except UnknownStandingError as error:
                logger.info("budget %d of %s: %s", budget.pk, organization, error)
    return made


def _look(budget: Budget, span: Span, now: datetime) -> int:
    found = standing(budget, span, now, amount=1)
    rest = None
    if budget.forecast and now in span.range:
        rest = forecasting.forecast(budget, standing_of(budget, found), now)
    with transaction.atomic():
        locked = Budget.objects.select_for_update(of=("self",), no_key=True).filter(pk=budget.pk)
        current = locked.select_related(*_WITH).first()
        amount = limit_of(current, span.range.end) if current else None
        if current is None or amount is None:  # deleted meanwhile, or younger than the period
            return 0
        now_standing = Standing(found.unit, span, found.used, amount, found.unpriced)
        return _tell_new(current, now_standing, rest, now)


def standing_of(budget: Budget, found: Standing) -> Standing:
    """The same use of the budget's amount."""
    return Standing(found.unit, found.span, found.used, limit_of(budget) or 1, found.unpriced)


def _tell_new(budget: Budget, found: Standing, rest: Forecast | None, now: datetime) -> int:
    """Rows for all thresholds that were passed since the last look; the highest is told, unless a higher one was."""
    told = {*Notice.objects.filter(budget=budget, starts_on=found.span.first).values_list("threshold", flat=True)}
    passed = sorted(one for one in budget.thresholds if found.has_reached(one) and one not in told)
    highest = max((one for one in told if one is not None), default=0)
    for one in passed:
        is_told = one == passed[-1] and one > highest
        _note(budget, found, rest, now=now, threshold=one, passed=passed if is_told else None)
    made = len(passed)
    if _is_forecast_new(budget, found, rest, told):
        _note(budget, found, rest, now=now, threshold=Notice.FORECAST, passed=[])
        made += 1
    return made


def _is_forecast_new(budget: Budget, found: Standing, rest: Forecast | None, told: set[int | None]) -> bool:
    if rest is None or not budget.forecast or Notice.FORECAST in told or found.has_reached(100):
        return False
    return rest.total >= found.amount


def _note(
    budget: Budget, found: Standing, rest: Forecast | None, *, now: datetime, threshold: int, passed: list[int] | None
) -> None:
    """`passed`: what is told with it; None: the row alone, as another one speaks for it."""
    document = {} if passed is None else document_of(budget, found, rest, now=now, threshold=threshold, passed=passed)
    tell(
        organization=budget.organization,
        team=budget.team,
        budget=budget,
        starts_on=found.span.first,
        threshold=threshold,
        document=document,
        recipients=[] if passed is None else budget.recipients,
        now=now,
    )
