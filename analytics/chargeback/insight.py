"""What a statement means beside its lines: what changed, the months before, who used most.

Changes and months come from frozen statements, so they never change either; both are of the team's own use, without
corrections and shared costs. Users are no part of a statement; they are
read from the requests as they are stored now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode

from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.chargeback import months
from analytics.chargeback.document import Document, from_json, is_unknown
from analytics.chargeback.presentation import plain_cost, signed
from analytics.chargeback.usage import Amounts
from analytics.models import Statement
from analytics.query import engine
from analytics.query.parsing import filter_of, filter_text
from analytics.query.values import Filter, LabelKind, Operator, Query, RefusedQueryError, Series
from metricsportal.lib import formats
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

DRIVERS: Final = 5
MONTHS: Final = 12
USERS: Final = 8
_SUMS: Final = (select("cost_usd"), select("requests"), select("unpriced_requests"))


@dataclass(frozen=True, slots=True)
class Driver:
    """A model and what it did to the use of the month."""

    model: str
    before: str
    now: str
    change: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The use of one month; `height` in hundredths of the highest, `x` in tenths of a bar."""

    name: str
    cost: str
    height: float
    x: int
    own: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One caller of the month; `url` is the query string of their month, "" for several together."""

    name: str
    cost: str
    share: str
    requests: str
    url: str


@dataclass(frozen=True, slots=True)
class Insight:
    """Everything beside the lines. `refused`: why users cannot be told."""

    drivers: tuple[Driver, ...]
    bars: tuple[Bar, ...]
    people: tuple[Person, ...]
    refused: str = ""


def insight(statement: Statement, scope: Scope, now: datetime) -> Insight:
    """For whoever may open the statement."""
    document = from_json(statement.document)
    earlier = _earlier(statement)
    before = next((one for one in earlier if one.month == months.preceding(document.month)), None)
    drivers = tuple(_drivers(document, before)) if before else ()
    bars = tuple(_bars([*earlier, document]))
    try:
        return Insight(drivers, bars, tuple(_people(statement, document, scope, now)))
    except RefusedQueryError as refusal:
        return Insight(drivers, bars, (), str(refusal))


def bars(statement: Statement) -> tuple[Bar, ...]:
    """The use of each month up to that of the statement, from frozen statements."""
    return tuple(_bars([*_earlier(statement), from_json(statement.document)]))


def _earlier(statement: Statement) -> list[Document]:
    """The team's statements of the months before, oldest first, no more than fit the picture."""
    found = Statement.objects.filter(
        period__organization=statement.period.organization_id,
        team=statement.team_id,
        period__month__lt=statement.period.month,
    ).order_by("-period__month")
    return [from_json(value) for value in reversed(found.values_list("document", flat=True)[: MONTHS - 1])]


def _drivers(document: Document, before: Document) -> Iterator[Driver]:
    """The models whose cost changed most, the largest change first."""
    now, then = _by_model(document), _by_model(before)
    pairs = [(model, now.get(model, Amounts()), then.get(model, Amounts())) for model in {*now, *then}]
    changed = [one for one in pairs if one[1].cost != one[2].cost]
    for model, mine, theirs in sorted(changed, key=lambda one: (-abs(one[1].cost - one[2].cost), one[0]))[:DRIVERS]:
        yield Driver(model, _cost(theirs), _cost(mine), signed(mine.cost - theirs.cost))


def _by_model(document: Document) -> dict[str, Amounts]:
    return {line.model: line.amounts for line in document.lines}


def _cost(amounts: Amounts) -> str:
    return plain_cost(amounts) if amounts else formats.NO_VALUE


def _bars(documents: Sequence[Document]) -> Iterator[Bar]:
    """One per month from the earliest on, months without a statement included."""
    used = {one.month: one.used for one in documents}
    last = documents[-1].month
    every = _months(max(min(used), _back(last, MONTHS - 1)), last)
    highest = max((used[month].cost for month in every if month in used), default=0)
    for place, month in enumerate(every):
        amounts = used.get(month, Amounts())
        height = round(100 * max(amounts.cost, 0) / highest, 1) if highest > 0 else 0.0
        yield Bar(months.name_of(month), plain_cost(amounts), height, 10 * place, month == last)


def _months(first: date, last: date) -> list[date]:
    answer = [first]
    while answer[-1] < last:
        answer.append(months.following(answer[-1]))
    return answer


def _back(month: date, count: int) -> date:
    for _ in range(count):
        month = months.preceding(month)
    return month


def _people(statement: Statement, document: Document, scope: Scope, now: datetime) -> Iterator[Person]:
    team = statement.team
    own = Filter(BY_NAME["team"], Operator.EQ, (team.name,)) if team else Filter(BY_NAME["team"], Operator.NULL)
    question = Query(
        scope=scope,
        period=TimeRange(document.start, document.end),
        selections=_SUMS,
        group_by=(BY_NAME["user"],),
        filters=(own,),
        order_by=_SUMS[0],
        limit=USERS,
    )
    found = engine.run(question, now)
    whole = _amounts(found.summary)
    for series in found.series:
        yield _person(series, whole, own, document)


def _person(series: Series, whole: Amounts, own: Filter, document: Document) -> Person:
    label, amounts = series.labels[0], _amounts(series)
    narrowed, known = filter_of("user", label), not is_unknown(amounts.cost, amounts.unpriced_requests)
    parameters = [("month", f"{document.month:%Y-%m}"), ("f", filter_text(own)), ("f", narrowed)]
    names = {LabelKind.OTHER: "All others", LabelKind.NONE: "Without a user"}
    return Person(
        name=names.get(label.kind, label.text),
        cost=plain_cost(amounts),
        share=formats.share(amounts.cost / whole.cost) if known and whole.cost else formats.NO_VALUE,
        requests=formats.exact(amounts.requests),
        url="?" + urlencode(parameters) if narrowed else "",
    )


def _amounts(series: Series) -> Amounts:
    cost, requests, unpriced = (int(value or 0) for value in series.total)
    return replace(Amounts(), cost=cost, requests=requests, unpriced_requests=unpriced)
