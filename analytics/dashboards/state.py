"""The state of the dashboard, all of it in the URL. What is invalid is named and replaced by the default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.http import QueryDict

from analytics.catalog import dimensions
from analytics.catalog.columns import DURATIONS
from analytics.catalog.dimensions import METADATA_PREFIX, Dimension
from analytics.catalog.measures import Population
from analytics.query import keys
from analytics.query.keeping import in_kept_buckets
from analytics.query.parsing import parse_filter, parse_instant
from analytics.query.values import Compare, Filter, InvalidQueryError
from metricsportal.lib.localtime import Interval, automatic_interval, bucket_start, day_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope

T = TypeVar("T")

OWN_PERCENTILE: Final = {name: f"p_{name}" for name in DURATIONS}
"""Parameters by which a chart has another percentile than the others."""
PARAMETERS: Final = (
    *(
        "from",
        "to",
        "by",
        "key",
        "f",
        "p",
        *OWN_PERCENTILE.values(),
        "pop",
        "top",
        "interval",
        "compare",
        "failures",
        "codes",
        "notes",
    ),
    *("sort", "page"),
    *("iso", "stack", "area"),
)
"""What of the URL a saved view may hold."""
REPEATABLE: Final = ("f", "iso", "stack", "area")
"""Which of these may be there several times."""
PERCENTILES: Final = (50, 75, 90, 99)
TOPS: Final = (5, 10, 11)
DEFAULT_FROM: Final = "now-24h"
MOST_POINTS: Final = 750
MOST_FILTERS: Final = 20
MOST_ISOLATED: Final = 20
VIEWS: Final = (*dimensions.VIEWS, "metadata")
NOTES: Final = ("on", "off")
FAILURES: Final = ("error_type", "view")
"""What the series of the chart of failed requests are: error types, or the values of View by."""
CODES: Final = ("status_code", "class")
"""What those of the chart of failure rates are: status codes, or classes of failure."""
STACKABLE: Final = ("requests_per_second", "failure_rate_by_status_code")
"""Charts of lines that add up."""
AS_AREAS: Final = ("cost", "input_tokens", "output_tokens")
"""Charts of bars that may be areas."""
_ZONES: Final = ("org", "viewer")
EVERYONE: Final = "everyone"
"""The value of `compare` that adds the whole organization to rates and latencies."""
_LONGEST: Final = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class State:
    """What the page shows. `messages` name what was wrong in the URL; `label` is the range in words."""

    period: TimeRange
    start_text: str
    end_text: str
    view: str = "model"
    key: str | None = None
    dimension: Dimension = dimensions.BY_NAME["model"]
    filters: tuple[Filter, ...] = ()
    percentile: int = 50
    own_percentiles: Mapping[str, int] = field(default_factory=dict)
    population: Population = Population.SUCCESSFUL
    top: int = 11
    interval: Interval = Interval.HOUR
    interval_text: str = "auto"
    compare: Compare = Compare.NONE
    everyone: bool = False
    failures: str = "error_type"
    codes: str = "status_code"
    isolated: frozenset[str] = frozenset()
    notes: str = "on"
    sort: str = "-requests"
    page: int = 1
    messages: tuple[str, ...] = ()

    def percentile_of(self, duration: str) -> int:
        """That of all charts, or the chart's own."""
        return self.own_percentiles.get(duration, self.percentile)

    @property
    def automatic(self) -> bool:
        """Whether the interval follows from the range."""
        return self.interval_text == "auto"


@dataclass(slots=True)
class _Reader:
    """Reads one parameter after the other and collects messages."""

    params: QueryDict
    messages: list[str] = field(default_factory=list)

    def choice(self, name: str, allowed: tuple[T, ...], default: T, convert: Callable[[str], T]) -> T:
        text = self.params.get(name)
        if text is None:
            return default
        value: T | None
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is not None and value in allowed:
            return value
        words = ", ".join(str(one) for one in allowed)
        self.messages.append(f"“{name}” was {text[:40]!r}; it can be {words}. {default} is used.")
        return default

    def check(self, name: str, text: str, allowed: tuple[str, ...]) -> None:
        if text not in allowed:
            self.messages.append(f"“{name}” was {text[:40]!r}; it can be {', '.join(allowed)}. It is ignored.")

    def attempt(self, read: Callable[[], T], default: T, note: str) -> T:
        try:
            return read()
        except InvalidQueryError as error:
            self.messages.append(f"{error} {note}")
            return default


def parse(params: QueryDict, scope: Scope, now: datetime) -> State:
    """The state that the URL asks for; never raises for what a person typed."""
    reader = _Reader(params)
    period, start_text, end_text = _period(reader, scope, now)
    view, key, dimension = _view(reader, scope)
    reader.choice("tz", _ZONES, "org", str)  # labels are the browser's affair; only a wrong value is named
    for name, charts in (("stack", STACKABLE), ("area", AS_AREAS)):  # as is how charts are drawn
        for one in params.getlist(name):
            reader.check(name, one, charts)
    percentile = reader.choice("p", PERCENTILES, 50, int)
    interval_text = reader.choice("interval", ("auto", *possible_intervals(period)), "auto", str)
    compare = reader.choice("compare", compares(scope), Compare.NONE.value, str)
    return State(
        period=period,
        start_text=start_text,
        end_text=end_text,
        view=view,
        key=key,
        dimension=dimension,
        filters=_filters(reader, scope),
        percentile=percentile,
        own_percentiles={
            name: reader.choice(parameter, PERCENTILES, percentile, int)
            for name, parameter in OWN_PERCENTILE.items()
            if parameter in params
        },
        population=reader.choice("pop", tuple(Population), Population.SUCCESSFUL, Population),
        top=reader.choice("top", TOPS, 11, int),
        interval=automatic_interval(period) if interval_text == "auto" else Interval(interval_text),
        interval_text=interval_text,
        compare=Compare.NONE if compare == EVERYONE else Compare(compare),
        everyone=compare == EVERYONE,
        failures=reader.choice("failures", FAILURES, "error_type", str),
        codes=reader.choice("codes", CODES, "status_code", str),
        isolated=frozenset(params.getlist("iso")[:MOST_ISOLATED]),
        notes=reader.choice("notes", NOTES, "on", str),
        sort=params.get("sort", "-requests")[:64],
        page=_page(params.get("page", "1")),
        messages=tuple(reader.messages),
    )


def compares(scope: Scope) -> tuple[str, ...]:
    """With what the page can be compared: with the whole organization only by who sees it."""
    return (*(one.value for one in Compare), *([EVERYONE] if scope.reach is Reach.ORGANIZATION else []))


def possible_intervals(period: TimeRange) -> tuple[str, ...]:
    """Intervals that give the range a sensible number of points."""
    sizes = {
        Interval.MINUTE: timedelta(minutes=1),
        Interval.FIVE_MINUTES: timedelta(minutes=5),
        Interval.QUARTER_HOUR: timedelta(minutes=15),
        Interval.HOUR: timedelta(hours=1),
        Interval.DAY: timedelta(days=1),
        Interval.WEEK: timedelta(days=7),
        Interval.MONTH: timedelta(days=30),
    }
    automatic = automatic_interval(period)
    return tuple(
        one.value
        for one, size in sizes.items()
        if one is automatic or (size <= period.length and period.length / size <= MOST_POINTS)
    )


def _page(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _period(reader: _Reader, scope: Scope, now: datetime) -> tuple[TimeRange, str, str]:
    start_text, end_text = reader.params.get("from", DEFAULT_FROM), reader.params.get("to", "now")
    default = (TimeRange(now - timedelta(days=1), now), DEFAULT_FROM, "now")
    note = "The last 24 hours are shown."
    found = reader.attempt(
        lambda: (moment(start_text, scope.zone, now), moment(end_text, scope.zone, now)), (now, now), note
    )
    start, end = found
    if reader.messages:
        return default
    if start >= end or end - start > _LONGEST:
        reader.messages.append(f"A range starts before it ends and is at most ten years long. {note}")
        return default
    # Nobody means the minute of "now-1y": of a time of which only whole hours or days are kept, these are shown.
    whole = in_kept_buckets(TimeRange(start, end), scope)
    return whole if whole.seconds else TimeRange(start, end), start_text, end_text


def moment(text: str, zone_name: str, now: datetime) -> datetime:
    """An instant, `now-7d`, or the local start of today, yesterday, week, last-week, month, last-month."""
    tz = zone(zone_name)
    today = day_start(now, tz)
    words = {
        "today": lambda: today,
        "yesterday": lambda: day_start(today - timedelta(hours=1), tz),
        "week": lambda: bucket_start(now, Interval.WEEK, tz),
        "last-week": lambda: bucket_start(bucket_start(now, Interval.WEEK, tz) - timedelta(days=1), Interval.WEEK, tz),
        "month": lambda: bucket_start(now, Interval.MONTH, tz),
        "last-month": lambda: bucket_start(
            bucket_start(now, Interval.MONTH, tz) - timedelta(days=1), Interval.MONTH, tz
        ),
    }
    return words[text]() if text in words else parse_instant(text, now, ("from/to",))


def _view(reader: _Reader, scope: Scope) -> tuple[str, str | None, Dimension]:
    view = reader.choice("by", VIEWS, "model", str)
    if view != "metadata":
        return view, None, dimensions.BY_NAME[view]
    key = reader.params.get("key") or next((one.name for one in keys.visible_keys(scope)), "")
    dimension = keys.find(METADATA_PREFIX + key, scope)
    if dimension is None:
        reader.messages.append(f"There is no metadata key {key[:80]!r} to view by. Models are shown.")
        return "model", None, dimensions.BY_NAME["model"]
    return view, key, dimension


def _filters(reader: _Reader, scope: Scope) -> tuple[Filter, ...]:
    texts = reader.params.getlist("f")
    if len(texts) > MOST_FILTERS:
        reader.messages.append(f"At most {MOST_FILTERS} filters apply at once; the first ones are used.")
    answer: list[Filter] = []
    for text in texts[:MOST_FILTERS]:
        one = reader.attempt(lambda text=text: parse_filter(text, scope), None, "It is ignored.")  # type: ignore[misc] # one lambda per turn
        answer += [one] if one is not None else []
    return tuple(answer)
