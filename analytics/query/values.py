"""The question and the answer: immutable values between every front and every source."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from analytics.catalog.dimensions import Dimension
from analytics.catalog.measures import Population, Selection
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

Value = int | float | None
"""Counts and picodollars are ints, ratios floats, durations milliseconds as floats; None = no value."""


class Operator(StrEnum):
    """Comparison of a filter, by its short name; the long API name is in `LONG_OPERATORS`."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NIN = "nin"
    CONTAINS = "contains"
    NCONTAINS = "ncontains"
    STARTS = "starts"
    NSTARTS = "nstarts"
    ENDS = "ends"
    NENDS = "nends"
    NULL = "null"
    NNULL = "nnull"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"


class Compare(StrEnum):
    """Which other period is answered beside the asked one."""

    NONE = "none"
    PREVIOUS_PERIOD = "previous_period"
    PREVIOUS_CALENDAR = "previous_calendar"


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; values are texts as sent, already checked against the dimension's type."""

    dimension: Dimension
    operator: Operator
    values: tuple[str, ...] = ()


class LabelKind(StrEnum):
    """Three different absences have three different labels."""

    VALUE = "value"
    NONE = "none"
    OVERFLOW = "overflow"
    OTHER = "other"


class Label(NamedTuple):
    """The value of one dimension in a group. `kind` tells a real "(none)" from no value.

    A tuple, because thousands of them are looked up in dictionaries: one of a dataclass takes three times as long.
    """

    text: str
    kind: LabelKind = LabelKind.VALUE


@dataclass(frozen=True, slots=True)
class Query:
    """One question. Cannot be built without a scope.

    `interval` None = one row per group over the whole range; an automatic one may become coarser. `shown` fixes the
    groups and their order instead of ranking them; the others are added up as the rest when `other` is set.
    """

    scope: Scope
    period: TimeRange
    selections: tuple[Selection, ...]
    group_by: tuple[Dimension, ...] = ()
    filters: tuple[Filter, ...] = ()
    interval: Interval | None = None
    interval_automatic: bool = False
    population: Population = Population.SUCCESSFUL
    order_by: Selection | None = None
    descending: bool = True
    limit: int | None = 100
    other: bool = True
    compare: Compare = Compare.NONE
    shown: tuple[tuple[Label, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of an answer, clipped to the range. `partial`: not over yet, or cut by the range."""

    start: datetime
    end: datetime
    partial: bool = False

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Part:
    """One read of an answer. `source`: day, hour, requests or facts; `grain`: axes of aggregates, "" for the last two.

    `period` spans `ranges` ranges; `rows` were read of them in `elapsed_ms` milliseconds.
    """

    source: str
    grain: str
    period: TimeRange
    ranges: int
    rows: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Meta:
    """How an answer came to be.

    `stale_hours`: hours answered from aggregates older than their facts. `priced_share` and, a part of it,
    `reported_share` (priced by the gateway's figure): of the requests with something billable.
    """

    zone: str
    interval: Interval | None
    fresh_until: datetime
    source: str
    rows_read: int
    elapsed_ms: int
    priced_share: float | None
    unpriced_requests: int
    unpriced_tokens: int
    price_book_version: int
    groups_shown: int
    groups_other: int
    stale_hours: int = 0
    reported_share: float | None = None
    last_verified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One group: its values per bucket and over the whole range, in the order of the query's selections."""

    labels: tuple[Label, ...]
    values: tuple[tuple[Value, ...], ...]
    """[bucket][selection]; empty without an interval."""
    total: tuple[Value, ...]
    requests: tuple[int, ...]
    """Requests per bucket; a bucket without any is left out of flat answers."""
    total_requests: int
    samples: tuple[tuple[int, ...], ...] = ()
    """[bucket][selection] sample counts of durations, 0 for other measures."""
    total_samples: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The complete answer: groups in order, `(other)` last, and the ungrouped answer over the whole range."""

    query: Query
    buckets: tuple[Bucket, ...]
    series: tuple[Series, ...]
    summary: Series
    meta: Meta
    previous: "Result | None" = None


class RefusedQueryError(Exception):
    """The question has no complete answer here; nothing was read. Answered 422 with what to change."""

    title = "This question cannot be answered"
    suggestions: tuple[str, ...] = ()


class NotKeptError(RefusedQueryError):
    """The question needs rows that were removed, because they are not kept for so long.

    `kept_from`: the first instant of which they are all there.
    """

    title = "What this question needs is not kept any more"

    def __init__(self, sentence: str, kept_from: datetime, suggestions: tuple[str, ...]) -> None:
        super().__init__(sentence)
        self.kept_from, self.suggestions = kept_from, suggestions


class QueryTooLargeError(RefusedQueryError):
    """The question would read more fact rows than the budget. Answered 422."""

    title = "This question is too large"

    def __init__(self, estimate: int, budget: int, suggestions: tuple[str, ...]) -> None:
        super().__init__(f"This question would read about {estimate:,} single requests; the limit is {budget:,}.")
        self.estimate, self.budget, self.suggestions = estimate, budget, suggestions


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a question: where, a code from a closed list, a sentence, what is allowed."""

    loc: tuple[str | int, ...]
    code: str
    message: str
    allowed: tuple[str, ...] = ()


class InvalidQueryError(ValueError):
    """All problems of a question at once. Answered 400."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems
