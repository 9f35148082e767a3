"""Budgets for people: where each stands, with its bar, in words."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlencode

from analytics.budgets import forecasting, subjects
from analytics.budgets.forecasting import Forecast
from analytics.budgets.periods import A, span_at
from analytics.budgets.reading import may_write, visible
from analytics.budgets.standing import Standing, UnknownStandingError, amount_words, standing
from analytics.models import Budget, Notice
from analytics.query.parsing import filter_text
from analytics.query.snapshot import snapshot
from metricsportal.lib.localtime import zone
from teams.access import Reach, Scope

PAGE: Final = 20
"""Budgets of a page: each is a question or two."""
MOST: Final = 6
"""Budgets of another page."""
WIDTH: Final = 1000
"""Of a bar's picture, which ends a little behind the furthest mark."""


def rows(budgets: Iterable[Budget], scope: Scope, now: datetime) -> list[dict[str, Any]]:
    """Each budget with its standing, all as of one instant."""
    with snapshot():
        return [row(one, scope, now) for one in budgets]


def row(budget: Budget, scope: Scope, now: datetime) -> dict[str, Any]:
    """One budget; `problem` in place of its standing where that cannot be said."""
    span = span_at(budget.every, now, budget.organization.zone)
    head = {
        "id": budget.pk,
        "name": budget.name,
        "about": subjects.words(budget),
        "period": span.words,
        "may_write": may_write(scope, budget.team_id),
        "recipients": budget.recipients,
        "webhook": bool(budget.webhook),
        "told": _told(budget, span.first) if budget.pk else [],
    }
    try:
        found = standing(budget, span, now)
    except UnknownStandingError as error:
        return head | {"problem": str(error)}
    rest = forecasting.forecast(budget, found, now)
    return head | said(budget, found, rest) | {"metrics": _link(budget, found)}


def said(budget: Budget, found: Standing, rest: Forecast | None) -> dict[str, Any]:
    """The standing in words, and its bar."""
    return {
        "amount": f"{amount_words(found.unit, found.amount)} {A[budget.every]}",
        "limit": amount_words(found.unit, found.amount),
        "used": found.used_words,
        "share": found.share_words,
        "unpriced": found.unpriced_words,
        "forecast": forecasting.words(rest, found),
        "state": _state(budget, found, rest),
        "bar": bar(budget, found, rest),
    }


def _state(budget: Budget, found: Standing, rest: Forecast | None) -> str:
    """Over, near (a threshold is passed, or the forecast passes the amount), or fine."""
    if found.has_reached(100):
        return "over"
    near = max((one for one in budget.thresholds if one < 100), default=80)
    return "near" if found.has_reached(near) or (rest is not None and rest.total >= found.amount) else "fine"


def bar(budget: Budget, found: Standing, rest: Forecast | None) -> dict[str, Any]:
    """Widths and places in thousandths of the picture, of which 100 % is at most nine tenths."""
    expected = 100 * rest.total / found.amount if rest else 0.0
    furthest = min(max(100.0, found.per_cent, expected), 300.0)
    scale = 0.9 * WIDTH / furthest
    return {
        "used": round(min(found.per_cent, furthest) * scale),
        "forecast": round(min(expected, furthest) * scale),
        "marks": [
            {"at": round(one * scale), "text": f"{one} %", "full": one == 100}
            for one in sorted({*budget.thresholds, 100})
            if one * scale <= WIDTH
        ],
    }


def _told(budget: Budget, first: date) -> list[str]:
    """What was told of the period, oldest first: 50 % on 12 November 14:05."""
    tz, found = zone(budget.organization.zone), budget.notices.filter(starts_on=first).order_by("at", "threshold")
    return [
        f"{'forecast' if one.threshold == Notice.FORECAST else f'{one.threshold} %'}"
        f" on {one.at.astimezone(tz):%-d %B %H:%M}"
        for one in found
    ]


def _link(budget: Budget, found: Standing) -> str:
    """The parameters of the dashboard for the same requests."""
    borders = {"from": found.span.range.start.isoformat(), "to": found.span.range.end.isoformat()}
    return urlencode([*borders.items(), *(("f", filter_text(one)) for one in subjects.filters_of(budget))])


def of_subject(scope: Scope, team: str | None, now: datetime) -> list[dict[str, Any]]:
    """The budgets of all that the viewer sees, or of all of one team, for their own pages."""
    found = visible(scope).filter(dimension="")
    if team is not None:
        found = found.filter(team__name=team)
    elif scope.reach is Reach.ORGANIZATION:
        found = found.filter(team=None)
    return rows(found[:MOST], scope, now)
