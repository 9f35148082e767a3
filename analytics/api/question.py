"""The body of `metrics/query` to a `Query`: TrueFoundry's shape, every problem told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from analytics.api.checks import Checks, Loc, refuse
from analytics.catalog import measures
from analytics.catalog.dimensions import METADATA_PREFIX, Dimension
from analytics.catalog.measures import Population, Selection
from analytics.query.parsing import LONG_OPERATORS, OPERATORS, find_dimension, groupable_dimension, make_filter
from analytics.query.parsing import parse_instant as instant_of
from analytics.query.values import Compare, Filter, Operator, Query
from metricsportal.lib.localtime import Interval, automatic_interval
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

AUTO: Final = "auto"
INTERVALS: Final = (AUTO, *(interval.value for interval in Interval))
TYPES: Final = ("distribution", "timeseries")
DATASOURCES: Final = ("modelMetrics",)
DIRECTIONS: Final = ("asc", "desc")
FIELDS: Final = (
    "startTs",
    "endTs",
    "datasource",
    "type",
    "interval",
    "aggregations",
    "groupBy",
    "filters",
    "orderBy",
    "limit",
    "other",
    "compare",
    "population",
    "explain",
)
MAX_AGGREGATIONS: Final = 20
MAX_GROUP_BY: Final = 2
MAX_FILTERS: Final = 50
MAX_GROUPS: Final = 1000
_HUGE: Final = 10**18


@dataclass(frozen=True, slots=True)
class Question:
    """A query with what only its answer's form needs: the names of the groups as asked, whether the rest is shown."""

    query: Query
    group_names: tuple[str, ...]
    show_other: bool
    explain: bool = False


def parse_question(body: object, scope: Scope, now: datetime) -> Question:
    """The question of a body. Raises InvalidQueryError with every problem found."""
    if not isinstance(body, Mapping):
        raise refuse((), "invalid_type", "The question is a JSON object.", FIELDS)
    checks = Checks()
    _check_fields(checks, body)
    question = _Body(body, scope, now, checks).question()
    checks.finish()
    return question


def _check_fields(checks: Checks, body: Mapping[str, Any]) -> None:
    if "intervalInSeconds" in body:
        checks.add(("intervalInSeconds",), "unknown_field", "Lengths of buckets are named: use interval.", INTERVALS)
    checks.known((name for name in body if name != "intervalInSeconds"), FIELDS)


class _Body:
    """One body being read; problems are noted in `checks`, and stand-ins take the place of what is wrong."""

    def __init__(self, body: Mapping[str, Any], scope: Scope, now: datetime, checks: Checks) -> None:
        self.body, self.scope, self.now, self.checks = body, scope, now, checks

    def question(self) -> Question:
        self.choice("datasource", DATASOURCES, DATASOURCES[0])
        timeseries = self.choice("type", TYPES, None) == "timeseries"
        period = self.period()
        interval = self.interval(period)
        selections = self.selections()
        order_by, descending = self.order(selections)
        groups = self.group_by()
        other = self.flag("other", default=True)
        query = Query(
            scope=self.scope,
            period=period,
            selections=selections,
            group_by=tuple(dimension for _, dimension in groups),
            filters=self.filters(),
            interval=interval if timeseries else None,
            interval_automatic=self.body.get("interval", AUTO) == AUTO,
            population=Population(self.choice("population", tuple(Population), Population.SUCCESSFUL)),
            order_by=order_by,
            descending=descending,
            limit=self.limit(),
            other=True,  # read even when it is not shown: the summary holds every group
            compare=Compare(self.choice("compare", tuple(Compare), Compare.NONE)),
        )
        return Question(query, tuple(name for name, _ in groups), other, self.flag("explain", default=False))

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None) -> str:
        """One of a closed list; the default (None = required) when absent."""
        if name not in self.body and default is not None:
            return default
        return self.checks.choice(self.body.get(name), allowed, (name,)) or allowed[0]

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.body.get(name, default)
        if not isinstance(value, bool):
            self.checks.add((name,), "invalid_type", f"{name} is true or false.", ("true", "false"))
        return value is True

    def limit(self) -> int:
        if "limit" not in self.body:
            return 100
        return self.checks.whole(self.body["limit"], ("limit",), 1, MAX_GROUPS) or 1

    def items(self, name: str, most: int, least: int = 0) -> list[Any]:
        """A list of bounded length, empty when absent or wrong."""
        value = self.body.get(name, [])
        if not isinstance(value, list):
            self.checks.add((name,), "invalid_type", f"{name} is a list.")
            return []
        if not least <= len(value) <= most:
            self.checks.add((name,), "out_of_range", f"{name} has {least} to {most} entries, not {len(value)}.")
        return value[:most]

    def period(self) -> TimeRange:
        start, end = self.instant("startTs"), self.instant("endTs")
        if start and end and start >= end:
            self.checks.add(("endTs",), "invalid_range", "endTs must be later than startTs.")
        return TimeRange(start, end) if start and end and start < end else TimeRange(self.now, self.now)

    def instant(self, name: str) -> datetime | None:
        value = self.body.get(name)
        if not isinstance(value, str):
            message = f"{name} is an ISO 8601 instant with an offset."
            self.checks.add((name,), "required" if value is None else "invalid_type", message)
            return None
        return self.checks.attempt(lambda: instant_of(value, self.now, (name,)))

    def interval(self, period: TimeRange) -> Interval:
        name = self.choice("interval", INTERVALS, AUTO)
        return automatic_interval(period) if name == AUTO else Interval(name)

    def selections(self) -> tuple[Selection, ...]:
        found = (
            self.selection(one, ("aggregations", number))
            for number, one in enumerate(self.items("aggregations", MAX_AGGREGATIONS, least=1))
        )
        return tuple(dict.fromkeys(one for one in found if one))

    def selection(self, one: object, loc: Loc, extra: tuple[str, ...] = ()) -> Selection | None:
        """The column of `{"type", "column"}`; the catalogue decides which pairs make sense."""
        if not isinstance(one, Mapping):
            self.checks.add(loc, "invalid_type", "An aggregation is an object with type and column.")
            return None
        self.checks.known(one, ("type", "column", *extra), loc)
        name = self.checks.choice(one.get("column"), measures.BY_API_NAME, (*loc, "column"), "unknown_measure")
        if name is None:
            return None
        measure, kind = measures.BY_API_NAME[name], one.get("type")
        if kind not in measure.aggregations:
            shown = str(kind)[:40]
            message = f"{shown} of {measure.api_name} is not defined."
            self.checks.add((*loc, "type"), "aggregation_not_allowed", message, measure.aggregations)
            return None
        return Selection(measure, str(kind))

    def order(self, selections: tuple[Selection, ...]) -> tuple[Selection | None, bool]:
        for number, one in enumerate(self.items("orderBy", 1)):
            loc: Loc = ("orderBy", number)
            chosen = self.selection(one, loc, ("direction",))
            if chosen is None:
                continue
            if chosen not in selections:
                names = (selection.api_name for selection in selections)
                self.checks.add(loc, "not_requested", f"{chosen.api_name} is not among the aggregations.", names)
            sent = one.get("direction", "desc")
            direction = sent.lower() if isinstance(sent, str) else sent
            return chosen, self.checks.choice(direction, DIRECTIONS, (*loc, "direction")) != "asc"
        return None, True

    def group_by(self) -> list[tuple[str, Dimension]]:
        groups: list[tuple[str, Dimension]] = []
        for number, name in enumerate(self.items("groupBy", MAX_GROUP_BY)):
            loc: Loc = ("groupBy", number)
            if not isinstance(name, str):
                self.checks.add(loc, "invalid_type", "A group is the name of a dimension.")
                continue
            found = self.dimension(name, loc, groupable=True)
            if found and found in [dimension for _, dimension in groups]:
                self.checks.add(loc, "repeated", f"{name[:80]} is grouped by already.")
            elif found:
                groups.append((name, found))
        return groups

    def dimension(self, name: str, loc: Loc, *, groupable: bool = False) -> Dimension | None:
        find = groupable_dimension if groupable else find_dimension
        return self.checks.attempt(lambda: find(name, self.scope, loc, api=True))

    def filters(self) -> tuple[Filter, ...]:
        found = (self.filter(one, ("filters", number)) for number, one in enumerate(self.items("filters", MAX_FILTERS)))
        return tuple(one for one in found if one)

    def filter(self, one: object, loc: Loc) -> Filter | None:
        if not isinstance(one, Mapping):
            self.checks.add(loc, "invalid_type", "A filter is an object with fieldName or metadataKey, and operator.")
            return None
        self.checks.known(one, ("fieldName", "metadataKey", "operator", "value"), loc)
        dimension = self.filtered(one, loc)
        if dimension is None:
            self.checks.choice(one.get("operator"), LONG_OPERATORS, (*loc, "operator"), "unknown_operator")
            return None
        allowed = [name for name, short in LONG_OPERATORS.items() if short in OPERATORS[dimension.value_type]]
        operator = self.checks.choice(one.get("operator"), allowed, (*loc, "operator"), "operator_not_allowed")
        if operator is None:
            return None
        short = LONG_OPERATORS[operator]
        values = self.checks.attempt(lambda: _texts(one.get("value"), short, (*loc, "value")))
        if values is None:
            return None
        return self.checks.attempt(lambda: make_filter(dimension, short, values, (*loc, "value")))

    def filtered(self, one: Mapping[str, Any], loc: Loc) -> Dimension | None:
        """The dimension of a filter, named by exactly one of fieldName and metadataKey."""
        named = [name for name in ("fieldName", "metadataKey") if name in one]
        value = one.get(named[0]) if len(named) == 1 else None
        if not isinstance(value, str):
            message = "A filter has either fieldName or metadataKey, a text."
            self.checks.add(loc, "required", message, ("fieldName", "metadataKey"))
            return None
        prefix = METADATA_PREFIX if named == ["metadataKey"] else ""
        return self.dimension(prefix + value, (*loc, named[0]))


def _texts(value: object, operator: Operator, loc: Loc) -> tuple[str, ...]:
    """The values of a filter as texts: a list where the operator takes one, else a single value, none for nulls."""
    if operator in (Operator.NULL, Operator.NNULL):
        if value not in (None, "", []):
            raise refuse(loc, "invalid_value", "This operator takes no value.")
        return ()
    if operator in (Operator.IN, Operator.NIN, Operator.BETWEEN):
        if not isinstance(value, list):
            raise refuse(loc, "invalid_type", "This operator takes a list of values.")
        return tuple(_scalar(one, loc) for one in value)
    return (_scalar(value, loc),)


def _scalar(value: object, loc: Loc) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and abs(Decimal(value)) < _HUGE:
        return str(value)
    raise refuse(loc, "invalid_type", "A value is a text, a number below 10^18, true or false.")
