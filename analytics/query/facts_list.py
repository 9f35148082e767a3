"""Single requests for drill-down: pages by keyset, one request with its trace, all of them as a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet

from analytics.catalog import dimensions
from analytics.query.facts import scoped_facts
from analytics.query.snapshot import snapshot
from analytics.query.values import Filter, Operator
from ingestion.models import LLMRequest
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

EVER: Final = TimeRange(datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
TRACE_LIMIT: Final = 100  # requests of the same trace shown beside one
CHUNK: Final = 2_000
_BOTH_ENDS: Final = ("started_at", "-started_at")
_A_DAY: Final = timedelta(days=1)  # a trace does not last longer; the index is by time
Facts = QuerySet[LLMRequest]
_RELATED: Final = ("model", "virtual_model", "user", "virtual_account", "team", "error_type")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order newest first: the row there, and whether the page lies before it (newer rows)."""

    started_at: datetime
    pk: int
    newer: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows newest first, and the places of the pages after and before; None at the ends."""

    rows: list[LLMRequest]
    following: Place | None
    preceding: Place | None


def page(facts: Facts, limit: int, place: Place | None) -> Page:
    """At most `limit` rows from a place on. Rows that arrive meanwhile neither repeat nor hide others."""
    newer = place is not None and place.newer
    order = ("started_at", "pk") if newer else ("-started_at", "-pk")
    with snapshot():
        # The usage object is for audit, in the administration: it would be read for every row and shown for none.
        rows = list(_beyond(facts, place).order_by(*order).select_related(*_RELATED).defer("usage")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if newer:
        rows.reverse()
    if not rows:
        return Page([], None, None)
    first, last = rows[0], rows[-1]
    following = Place(last.started_at, last.pk) if more or newer else None
    has_newer = more if newer else place is not None
    return Page(rows, following, Place(first.started_at, first.pk, newer=True) if has_newer else None)


def _beyond(facts: Facts, place: Place | None) -> Facts:
    if place is None:
        return facts
    same = Q(started_at=place.started_at)
    if place.newer:
        return facts.filter(started_at__gte=place.started_at).exclude(same & Q(pk__lte=place.pk))
    return facts.filter(started_at__lte=place.started_at).exclude(same & Q(pk__gte=place.pk))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Values of rows newest first, one list per path, and the place of the last one; None when no more follow."""

    columns: list[list[Any]]
    following: Place | None


def chunks(facts: Facts, paths: Sequence[str], place: Place | None = None) -> Iterator[Chunk]:
    """All rows from a place on, a chunk in memory at a time. As values: making objects takes five times as long.

    `started_at` has to be among the paths.
    """
    when = paths.index("started_at")
    while True:
        with snapshot():
            ordered = _beyond(facts, place).order_by("-started_at", "-pk")
            rows = list(ordered.values_list(*paths, "pk")[: CHUNK + 1])
        more = len(rows) > CHUNK
        if not rows:
            return
        columns = [list(values) for values in zip(*rows[:CHUNK], strict=True)]
        place = Place(columns[when][-1], columns[-1][-1])
        yield Chunk(columns[:-1], place if more else None)
        if not more:
            return


def borders(facts: Facts) -> list[datetime]:
    """When the oldest and the newest request started; empty when there is none."""
    first, last = (facts.order_by(order).values_list("started_at", flat=True).first() for order in _BOTH_ENDS)
    return [first, last] if first and last else []


def one_request(scope: Scope, request_id: str) -> LLMRequest | None:
    """The request of that id inside the scope; None when it does not exist or lies outside: nobody can tell which."""
    same_id = _equal("request_id", request_id)
    return scoped_facts(scope, EVER, [same_id]).select_related(*_RELATED).defer("usage").first()


def same_trace(scope: Scope, request: LLMRequest) -> Sequence[dict[str, Any]]:
    """The other requests of its trace inside the scope, oldest first, at most `TRACE_LIMIT`."""
    if not request.trace_id:
        return ()
    near = TimeRange(*(request.started_at + shift for shift in (-_A_DAY, _A_DAY)))
    trace = scoped_facts(scope, near, [_equal("trace_id", request.trace_id)]).exclude(pk=request.pk)
    rows = trace.order_by("started_at", "pk").values("request_id", "started_at", "attempt", "status_code")
    return [dict(row) for row in rows[:TRACE_LIMIT]]


def _equal(name: str, value: str) -> Filter:
    return Filter(dimensions.BY_NAME[name], Operator.EQ, (value,))
