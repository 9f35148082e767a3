"""The parameters of `report` to a `Report`: every problem told at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from django.http import QueryDict

from analytics.api.checks import Checks, parameters
from analytics.api.limits import MAX_BUCKETS, check_buckets
from analytics.api.problems import FormatError
from analytics.catalog.dimensions import Dimension
from analytics.catalog.measures import NATIVE, Population, Selection
from analytics.exports.formats import FORMATS, JSON
from analytics.exports.report import INTERVAL_WORDS, Report
from analytics.query.parsing import groupable_dimension, parse_day, parse_filter, parse_instant, split_values
from analytics.query.values import Compare, Filter, Query
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

PARAMETERS: Final = (
    "start_date",
    "end_date",
    "start",
    "end",
    "group_by",
    "measures",
    "population",
    "compare",
    "format",
    "explain",
)
MAX_GROUPS: Final = 6
MAX_FILTERS: Final = 50
FLAGS: Final = ("false", "true")


def parse_report(
    sent: QueryDict, scope: Scope, now: datetime, *, most_buckets: int = MAX_BUCKETS
) -> tuple[Report, str]:
    """The report and its format. Raises InvalidQueryError, FormatError, TooManyPointsError."""
    given = parameters(sent, PARAMETERS, ("filter",))
    written = _format(given)
    checks = Checks()
    reader = _Parameters(given, scope, now, checks)
    groups, interval = reader.groups()
    query = Query(
        scope=scope,
        period=reader.period(),
        selections=reader.measures(),
        group_by=tuple(one for one in groups if one is not None),
        filters=parse_filters(checks, sent.getlist("filter"), scope),
        interval=interval,
        population=Population(reader.choice("population", tuple(Population), Population.SUCCESSFUL)),
        limit=None,
        other=False,
        compare=Compare(reader.choice("compare", tuple(Compare), Compare.NONE)),
    )
    report = Report(query, groups, explain=reader.choice("explain", FLAGS, "false") == "true")
    checks.finish()
    check_buckets(query, most_buckets)
    return report, written


def parse_filters(checks: Checks, texts: Sequence[str], scope: Scope) -> tuple[Filter, ...]:
    """The repeated parameter `filter`; problems are noted with their position."""
    if len(texts) > MAX_FILTERS:
        checks.add(("filter",), "out_of_range", f"At most {MAX_FILTERS} filters.")
    found = (
        checks.attempt(partial(parse_filter, text, scope, ("filter", number)))
        for number, text in enumerate(texts[:MAX_FILTERS])
    )
    return tuple(one for one in found if one)


def _format(given: Mapping[str, str]) -> str:
    name = given.get("format", JSON)
    if name not in FORMATS:
        raise FormatError(f"This format is not written here. Supported: {', '.join(FORMATS)}.")
    return available(name)


def available(name: str) -> str:
    """The name of a format that this installation can write. Raises FormatError that says what is missing."""
    library = FORMATS[name].library
    if not FORMATS[name].available:
        raise FormatError(f"{name} needs the package {library}: pip install -r requirements-exports.txt.")
    return name


class _Parameters:
    """Parameters being read; problems are noted in `checks`."""

    def __init__(self, given: Mapping[str, str], scope: Scope, now: datetime, checks: Checks) -> None:
        self.given, self.scope, self.now, self.checks = given, scope, now, checks

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        return self.checks.choice(self.given.get(name, default), allowed, (name,)) or default

    def period(self) -> TimeRange:
        """Local days, both inclusive, or instants, half-open; one pair of them."""
        nothing = TimeRange(self.now, self.now)
        days = [name for name in ("start_date", "end_date") if name in self.given]
        instants = [name for name in ("start", "end") if name in self.given]
        if (days and instants) or len(days or instants) != 2:
            message = "A report needs start_date and end_date, or start and end."
            self.checks.add(("start_date",), "required", message, ("start_date", "end_date", "start", "end"))
            return nothing
        start, end = (self._day(0), self._day(1)) if days else (self._instant("start"), self._instant("end"))
        if start is None or end is None:
            return nothing
        if start >= end:
            self.checks.add(("end_date" if days else "end",), "invalid_range", "The end must be later than the start.")
            return nothing
        return TimeRange(start, end)

    def _day(self, later: int) -> datetime | None:
        name = ("start_date", "end_date")[later]
        zone = self.scope.zone
        return self.checks.attempt(lambda: parse_day(self.given[name], zone, (name,), days_later=later))

    def _instant(self, name: str) -> datetime | None:
        return self.checks.attempt(lambda: parse_instant(self.given[name], self.now, (name,)))

    def groups(self) -> tuple[tuple[Dimension | None, ...], Interval | None]:
        """Dimensions in order, None in the place of the interval."""
        names = split_values(self.given["group_by"]) if self.given.get("group_by") else ()
        found: list[Dimension | None] = []
        interval = None
        if len(names) > MAX_GROUPS:
            self.checks.add(("group_by",), "out_of_range", f"At most {MAX_GROUPS} groups.")
        for number, name in enumerate(names[:MAX_GROUPS]):
            if name in INTERVAL_WORDS and interval is None:
                interval = INTERVAL_WORDS[name]
                found.append(None)
            elif name in INTERVAL_WORDS:
                self.checks.add(
                    ("group_by", number), "repeated", f"One of {', '.join(INTERVAL_WORDS)}.", INTERVAL_WORDS
                )
            else:
                found.extend(self._group(name, number, found))
        return tuple(found), interval

    def _group(self, name: str, number: int, before: list[Dimension | None]) -> list[Dimension]:
        loc = ("group_by", number)
        one = self.checks.attempt(lambda: groupable_dimension(name, self.scope, loc))
        if one in before and one is not None:
            self.checks.add(loc, "repeated", f"{name[:80]} is grouped by already.")
            return []
        return [one] if one else []

    def measures(self) -> tuple[Selection, ...]:
        if "measures" not in self.given:
            return tuple(NATIVE.values())
        names = dict.fromkeys(self.given["measures"].split(","))
        found = (
            self.checks.choice(name, NATIVE, ("measures", number), "unknown_measure")
            for number, name in enumerate(names)
        )
        return tuple(NATIVE[name] for name in found if name)
