"""The parameters of the request list: every problem told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from analytics.api import cursors
from analytics.api.checks import Checks, parameters, refuse
from analytics.api.report_question import FLAGS, available, parse_filters
from analytics.api.request_filters import RequestFilter
from analytics.catalog.measures import select
from analytics.exports.formats import FORMATS, JSON
from analytics.exports.report import days_of
from analytics.query import engine
from analytics.query.facts import scoped_facts
from analytics.query.facts_list import EVER, Facts, Place
from analytics.query.keeping import kept
from analytics.query.values import Filter, Query
from ingestion.watermarks import ALWAYS
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

PARAMETERS: Final = ("start", "end", "limit", "cursor", "format", "count")
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class RequestQuestion:
    """Which requests, from where on, in which form. `asked` is what a cursor is bound to."""

    scope: Scope
    period: TimeRange
    filters: tuple[Filter, ...]
    asked: Mapping[str, Any]
    limit: int
    place: Place | None
    format: str
    counted: bool

    def facts(self) -> Facts:
        """The requests inside the scope that are kept."""
        return scoped_facts(self.scope, self._kept_period(), self.filters)

    @property
    def kept_from(self) -> datetime | None:
        """From when on there are single requests; None: always."""
        floor = kept(self.scope.organization_id).requests
        return floor if floor > ALWAYS else None

    def _kept_period(self) -> TimeRange:
        floor = self.kept_from
        return TimeRange(max(self.period.start, floor), max(self.period.end, floor)) if floor else self.period

    def cursor(self, place: Place | None) -> str | None:
        """The cursor of a place. It holds the range too: relative borders stay where they were."""
        if place is None:
            return None
        borders = (self.period.start.isoformat(), self.period.end.isoformat())
        content = (place.started_at.isoformat(), place.pk, place.newer, *borders)
        return cursors.seal(content, self.scope, self.asked)

    def count(self, now: datetime) -> int:
        """All kept requests that match, from the aggregates. Raises RefusedQueryError where none cover the filters."""
        query = Query(
            scope=self.scope, period=self._kept_period(), selections=(select("requests"),), filters=self.filters
        )
        return engine.run(query, now).summary.total_requests

    @property
    def days(self) -> str:
        """First and last local day, for the name of a file."""
        return "all" if self.period == EVER else days_of(self.period, self.scope.zone)


def parse_requests(sent: QueryDict, scope: Scope, now: datetime) -> RequestQuestion:
    """The question of a query string. Raises InvalidQueryError, FormatError."""
    given = parameters(sent, PARAMETERS, ("filter",))
    checks = Checks()
    asked = {name: given.get(name, "") for name in ("start", "end")} | {"filter": sorted(sent.getlist("filter"))}
    period = _period(given, scope, checks)
    place = None
    if "cursor" in given:
        found = checks.attempt(lambda: _place(given["cursor"], scope, asked))
        place, period = found or (None, period)
    question = RequestQuestion(
        scope=scope,
        period=period,
        filters=parse_filters(checks, sent.getlist("filter"), scope),
        asked=asked,
        limit=checks.whole(given.get("limit", DEFAULT_LIMIT), ("limit",), 1, MAX_LIMIT) or 1,
        place=place,
        format=checks.choice(given.get("format", JSON), FORMATS, ("format",)) or JSON,
        counted=checks.choice(given.get("count", "false"), FLAGS, ("count",)) == "true",
    )
    checks.finish()
    available(question.format)
    return question


def _period(given: Mapping[str, str], scope: Scope, checks: Checks) -> TimeRange:
    borders = RequestFilter(given, queryset=scoped_facts(scope, EVER, ()))
    borders.note_errors(checks)
    start = borders.value("start") or EVER.start
    end = borders.value("end") or EVER.end
    if start > end:
        checks.add(("end",), "invalid_range", "The end must be later than the start.")
        return EVER
    return TimeRange(start, end)


def _place(text: str, scope: Scope, asked: Mapping[str, Any]) -> tuple[Place, TimeRange]:
    content = cursors.unseal(text, scope, asked)
    try:
        moment, pk, newer, start, end = content
        period = TimeRange(datetime.fromisoformat(start), datetime.fromisoformat(end))
        return Place(datetime.fromisoformat(moment), int(pk), bool(newer)), period
    except (TypeError, ValueError):
        raise refuse(("cursor",), "invalid_cursor", "This cursor belongs to another list.") from None
