"""Days that stand out: yesterday's cost beside that of the same weekday in the weeks before, told once.

With m the median of the last 8 same weekdays and MAD the median of their distances from m, a day stands out when its
distance from m is at least the smallest amount worth a word, and 0.6745 x distance / max(MAD, m / 20) at least 3.5.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final

from django.db import transaction
from django.urls import reverse

from analytics.budgets.anomaly_watches import recipients, watch_of
from analytics.budgets.notices import tell
from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.models import Notice
from analytics.query.engine import run_if_kept
from analytics.query.values import Filter, LabelKind, Operator, Query, RefusedQueryError, Result
from metricsportal.lib import border, formats
from metricsportal.lib.localtime import Interval, local_date, midnight, zone
from metricsportal.lib.money import to_picodollars, usd_text
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization, Team

logger = logging.getLogger(__name__)
WEEKS: Final = 8
LEAST: Final = 4
"""Same weekdays with records before them: fewer say nothing of a pattern."""
SETTLED: Final = timedelta(hours=3)
"""After midnight: what arrives late would make a day look cheap."""
_SELECTIONS: Final = (select("cost_usd"), select("unpriced_requests"))


@dataclass(frozen=True, slots=True)
class Day:
    """A cost and the usual one, in picodollars."""

    cost: int
    usual: int

    @property
    def difference(self) -> int:
        """Signed."""
        return self.cost - self.usual


def find_due(now: datetime) -> int:
    """Look at yesterday of every organization and team that is watched; the number of notices made."""
    made = 0
    for organization in Organization.objects.order_by("pk"):
        try:
            with border.within(organization.pk):
                made += _find(organization, now)
        except Exception:  # one organization's trouble must not keep the others from being told
            logger.exception("looking for days of %s that stand out failed", organization)
    return made


def _find(organization: Organization, now: datetime) -> int:
    tz = zone(organization.zone)
    today = local_date(now, tz)
    if now < midnight(today, tz) + SETTLED:
        return 0
    watched = Team.objects.filter(pk__in=organization.anomaly_watches.filter(enabled=True).values("team"))
    teams: list[Team | None] = [None, *watched]
    return sum(look(organization, team, today - timedelta(days=1), now) for team in teams)


def look(organization: Organization, team: Team | None, day: date, now: datetime) -> bool:
    """Tell of the day when it stands out and nobody did yet; whether it was told."""
    watch, told = watch_of(organization, team), recipients(organization, team)
    earlier = Notice.objects.filter(organization=organization, budget=None, team=team, starts_on=day)
    if not watch.enabled or not told or earlier.exists():
        return False
    try:
        found = run_if_kept(_question(organization, team, day), now)
        costs = [] if found is None else _costs(found.summary.values, found.summary.requests)
        seen = judged(costs, to_picodollars(watch.minimum))
        if found is None or seen is None:
            return False
        drivers = _drivers(found.query, seen, team, now)
        document = _document(organization, team, day, seen, found=found, drivers=drivers)
    except RefusedQueryError:
        return False
    with transaction.atomic():
        # Two who look at once: the second one sees the first.
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if earlier.all().exists():
            return False
        tell(
            organization=organization,
            team=team,
            budget=None,
            starts_on=day,
            threshold=None,
            document=document,
            recipients=told,
            now=now,
        )
    return True


def judged(costs: Sequence[int], minimum: int) -> Day | None:
    """The last of the days when it stands out."""
    same = [costs[len(costs) - 1 - back] for back in range(7, len(costs), 7)][:WEEKS]
    if len(same) < LEAST:
        return None
    usual = int(median(same))
    spread = max(int(median(abs(one - usual) for one in same)), usual // 20)
    day = Day(costs[-1], usual)
    # In whole numbers: 0.6745 x distance / spread >= 3.5.
    far = abs(day.difference) >= minimum and abs(day.difference) * 6745 >= 35_000 * spread
    return day if far else None


def _question(organization: Organization, team: Team | None, day: date) -> Query:
    tz = zone(organization.zone)
    period = TimeRange(midnight(day - timedelta(weeks=WEEKS), tz), midnight(day + timedelta(days=1), tz))
    filters = (Filter(BY_NAME["team"], Operator.EQ, (team.name,)),) if team else ()
    return Query(scope_of_organization(organization), period, _SELECTIONS, filters=filters, interval=Interval.DAY)


def _costs(rows: Sequence[Sequence[Any]], requests: Sequence[int]) -> list[int]:
    """Of each day from the first whole one with requests on."""
    first = next((place for place, many in enumerate(requests) if many), len(requests))
    return [int(row[0] or 0) for row in rows[0 if first == 0 else first + 1 :]]


def _drivers(query: Query, day: Day, team: Team | None, now: datetime) -> list[str]:
    """Of models, teams and accounts each the one that made most of the difference, in words."""
    names = ("model", "virtual_account") if team else ("model", "team", "virtual_account")
    return [words for name in names if (words := _driver(query, name, day, now))]


def _driver(query: Query, name: str, day: Day, now: datetime) -> str:
    grouped = replace(query, group_by=(BY_NAME[name],), limit=None, other=False)
    found = run_if_kept(grouped, now)
    best, label = None, None
    for one in found.series if found else ():
        costs = [int(row[0] or 0) for row in one.values]
        own = Day(costs[-1], int(median(costs[len(costs) - 1 - back] for back in range(7, len(costs), 7))))
        if best is None or own.difference * (1 if day.difference > 0 else -1) > abs(best.difference):
            best, label = own, one.labels[0]
    if best is None or label is None or label.kind is LabelKind.NONE or best.difference * day.difference <= 0:
        return ""
    share = formats.share(min(best.difference / day.difference, 1))
    what = BY_NAME[name].label
    return (
        f"{what} {label.text}: {formats.usd(best.cost)}, usually {formats.usd(best.usual)} ({share} of the difference)"
    )


def _document(
    organization: Organization, team: Team | None, day: date, seen: Day, *, found: Result, drivers: list[str]
) -> dict[str, Any]:
    unpriced = int(found.summary.values[-1][1] or 0)
    about, least = (team.name if team else organization.name), ("at least " if unpriced else "")
    cost = least + formats.usd(seen.cost)
    more = "more" if seen.difference > 0 else "less"
    return {
        "kind": "anomaly",
        "subject": f"{about}: {cost} on {day.day} {day:%B}, {formats.usd(abs(seen.difference))} {more} than usual",
        "organization": organization.slug,
        "organization_name": organization.name,
        "about": about,
        "day": day.isoformat(),
        "day_words": f"{day:%A}, {day.day} {day:%B %Y}",
        "weekday": f"{day:%A}s",
        "zone": organization.zone,
        "cost": usd_text(seen.cost),
        "usual": usd_text(seen.usual),
        "cost_words": cost,
        "usual_words": formats.usd(seen.usual),
        "difference_words": f"{formats.usd(abs(seen.difference))} {more}",
        "unpriced_words": f"{unpriced:,} requests without a price add nothing to it." if unpriced else "",
        "drivers": drivers,
        "path": _path(organization),
    }


def _path(organization: Organization) -> str:
    """To the budgets page, where such notices are switched off."""
    return reverse("budgets", args=[organization.slug])
