"""The meters of UTC days for whoever may see them: frozen ones of closed months, the others from the requests."""

from collections.abc import Iterator
from datetime import date, datetime

from django.core.exceptions import PermissionDenied

from analytics.meters import corrections, frozen
from analytics.meters.reading import Reader
from analytics.meters.values import Grain, Meter, coarser, merged
from analytics.query.facts import scoped_facts
from analytics.query.keeping import kept
from analytics.query.snapshot import NOBODY_WAITS_MS, snapshot
from analytics.query.values import InvalidQueryError, NotKeptError, Problem
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope
from teams.models import Organization


def sees_teams(scope: Scope) -> bool:
    """Whether a scope sees a team as a whole: costs are charged to teams, not to callers."""
    return scope.reach in (Reach.ORGANIZATION, Reach.TEAMS)


def require_teams(scope: Scope) -> None:
    """Raise PermissionDenied for scopes that see no team as a whole."""
    if not sees_teams(scope):
        raise PermissionDenied


class Days:
    """Rows of one day after the other, by a grain."""

    def __init__(self, scope: Scope, grain: Grain, now: datetime) -> None:
        require_teams(scope)
        self._scope, self._grain, self._now = scope, grain, now
        self._organization = Organization.objects.get(pk=scope.organization_id)
        self._frozen = frozen.frozen_periods(scope.organization_id)
        self._reader: Reader | None = None
        self._booked = corrections.booked_month(scope.organization_id)

    def check(self, period: TimeRange) -> None:
        """Raise InvalidQueryError or NotKeptError for what has no complete answer any more."""
        if self._grain.tags and any(one.start < period.end and period.start < one.end for one in self._frozen):
            message = "The rows of closed months are not kept by metadata: leave it out, or begin after the last one."
            raise InvalidQueryError([Problem(("dimensions",), "not_kept", message)])
        floor = kept(self._scope.organization_id).requests
        if any(part.start < floor for part in self._open(period)):
            sentence = "Single requests of this time were removed, and the month was not frozen by token class."
            raise NotKeptError(sentence, floor, (f"begin on {floor:%Y-%m-%d} or later",))

    def rows(self, day: date) -> list[Meter]:
        """The rows of a day; those of the first day of a month begin with the corrections charged in it."""
        with snapshot(NOBODY_WAITS_MS):  # while somebody waits, `check_size` has looked before
            found = [
                *self._corrections(day),
                *(frozen.rows_of_day(self._scope.organization_id, day) if self._frozen else ()),
            ]
            mine = coarser(filter(self._is_mine, found), self._grain)
            whole = next(frozen.days_of(TimeRange(frozen.midnight(day), frozen.midnight(day + frozen.A_DAY))))
            live = [row for part in self._open(whole) for row in self._read(part)]
        return merged([*mine, *live])

    def _is_mine(self, row: Meter) -> bool:
        return self._scope.reach is Reach.ORGANIZATION or row.key.team_id in self._scope.team_ids

    def _open(self, period: TimeRange) -> Iterator[TimeRange]:
        """What of a period lies in no frozen month."""
        start = period.start
        for one in self._frozen:
            if one.start < period.end and start < one.end:
                if start < one.start:
                    yield TimeRange(start, one.start)
                start = max(start, one.end)
        if start < period.end:
            yield TimeRange(start, period.end)

    def _read(self, period: TimeRange) -> list[Meter]:
        if self._reader is None:
            everything = TimeRange(period.start, datetime.max.replace(tzinfo=period.start.tzinfo))
            self._reader = Reader(self._scope.organization_id, self._grain, scoped_facts(self._scope, everything, ()))
        return self._reader.meters(period)

    def _corrections(self, day: date) -> Iterator[Meter]:
        if day.day != 1:
            return
        for one in self._frozen:
            if one.month == day:
                yield from frozen.corrections_of(one)
        if day == self._booked:
            yield from corrections.pending(self._organization, day, self._now)
