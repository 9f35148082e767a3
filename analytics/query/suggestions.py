"""Values of a dimension for drop-downs: from the dimension tables, within the scope, last used first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Case, F, IntegerField, Max, Q, QuerySet, Value, When

from analytics.catalog.columns import NULL
from analytics.catalog.dimensions import Dimension
from analytics.catalog.grains import GRAINS, Grain
from analytics.cells.expressions import MetadataText
from analytics.models import DayAggregate
from analytics.query import matching
from analytics.query.facts import scoped_facts
from analytics.query.facts_list import EVER
from analytics.query.snapshot import once, snapshot
from analytics.query.stored import rows_of
from ingestion.models import GatewayUser, LLMRequest, MetadataKey, MetadataValue
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope
from teams.models import Named

LOOK_BACK: Final = timedelta(days=90)  # before the newest bucket
MOST_NAMES: Final = 20_000  # ids resolved for a scope that sees a part of the organization
NEWEST_REQUESTS: Final = 10_000  # read for a scope that no grain covers
_A_MOMENT: Final = timedelta(microseconds=1)
_BREAKS: Final = (" ", "-", "_", "/", ".", ":", "@")
Seen = dict[Any, datetime | None]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value to filter by, how people read it, and when it last occurred in what the scope sees."""

    value: str
    label: str
    last_seen: datetime | None


def suggest(scope: Scope, dimension: Dimension, text: str, offset: int, limit: int) -> tuple[list[Suggestion], bool]:
    """Values that begin with the text, then those with a word that does; and whether there are more."""
    with snapshot():
        if dimension.table is None:
            found = _matching(_without_table(scope, dimension), text)
        elif scope.reach is Reach.ORGANIZATION:
            found = _from_table(scope, dimension, text, offset + limit + 1)
        else:
            found = _matching(_named(scope, dimension, _seen(scope, dimension)), text)
    return found[offset : offset + limit], len(found) > offset + limit


def _matching(candidates: Iterable[Suggestion], text: str) -> list[Suggestion]:
    ranked = [(rank, one) for one in candidates if (rank := _rank(one, text.casefold())) is not None]
    ranked.sort(key=lambda pair: (pair[0], -_seconds(pair[1].last_seen), pair[1].value))
    return [one for _, one in ranked]


def _rank(one: Suggestion, text: str) -> int | None:
    """0 = begins with the text, 1 = one of its words does, None = neither."""
    names = (one.value.casefold(), one.label.casefold())
    if any(name.startswith(text) for name in names):
        return 0
    return 1 if any(mark + text in name for mark in _BREAKS for name in names) else None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _from_table(scope: Scope, dimension: Dimension, text: str, most: int) -> list[Suggestion]:
    """Straight from the dimension's table: everything in it was seen in this organization."""
    fields = [dimension.attribute, *(["email"] if dimension.table is GatewayUser else [])]
    prefix, word = Q(), Q()
    for field in fields:
        prefix |= Q(**{f"{field}__istartswith": text})
        for mark in _BREAKS:
            word |= Q(**{f"{field}__icontains": mark + text})
    rank = Case(When(prefix, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = _rows(scope, dimension).exclude(**{dimension.attribute: ""}).filter(prefix | word if text else Q())
    grouped = rows.annotate(rank=rank).values("rank", *fields).annotate(newest=Max("last_seen"))
    ordered = grouped.order_by("rank", F("newest").desc(nulls_last=True), dimension.attribute)
    return [_suggestion(row, dimension) for row in ordered[:most]]


def _suggestion(row: dict[str, Any], dimension: Dimension) -> Suggestion:
    value = row[dimension.attribute]
    return Suggestion(value, row.get("email") or value, row["newest"])


def _rows(scope: Scope, dimension: Dimension) -> QuerySet[Any]:
    """The dimension's names in the organization."""
    if dimension.table is None:
        raise ValueError(f"{dimension.name} has no table of names")
    rows = dimension.table._default_manager.filter(organization_id=scope.organization_id).order_by()
    if issubclass(
        dimension.table, Named
    ):  # a name that was changed has no requests; a merged one may, in closed months
        rows = rows.exclude(merged_into__isnull=False, last_seen=None)
    return rows.filter(key_id=dimension.key_id) if dimension.table is MetadataValue else rows


def _named(scope: Scope, dimension: Dimension, seen: Seen) -> list[Suggestion]:
    """The names of ids (or names) that the scope sees, with when it saw them."""
    newest: dict[tuple[str, str], datetime | None] = {}
    fields = ("pk", dimension.attribute, *(("email",) if dimension.table is GatewayUser else ()))
    by_name = bool(seen) and isinstance(next(iter(seen)), str)
    lookup = f"{dimension.attribute}__in" if by_name else "pk__in"
    for part in _chunks(list(seen)[:MOST_NAMES]):
        for pk, name, *email in _rows(scope, dimension).filter(**{lookup: part}).values_list(*fields):
            if name:
                one = (name, (email[0] if email else "") or name)
                newest[one] = max((newest.get(one), seen[name if by_name else pk]), key=_seconds)
    return [Suggestion(value, label, last) for (value, label), last in newest.items()]


def _chunks(items: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _seen(scope: Scope, dimension: Dimension) -> Seen:
    """What occurs within a part of an organization, with the last time: from a grain, else from the newest requests."""
    grain = _grain(scope, dimension)
    if grain is None:
        return _seen_in_facts(scope, dimension)
    newest = _newest_day(scope.organization_id)
    if newest is None:
        return {}
    period = (TimeRange(newest - LOOK_BACK, newest + _A_MOMENT),)
    stored = rows_of("day", scope.organization_id, grain.name, dimension.key_id, period)
    inside = matching.seen(scope, stored.kept.column)
    ids, seconds = stored.kept.column(dimension.axis), stored.seconds
    if inside is not None:
        ids, seconds = ids[inside], seconds[inside]
    # In order of time: the last of equal ids stays.
    seen = dict(zip(ids.tolist(), seconds.tolist(), strict=True))
    seen.pop(NULL, None)
    return {one: datetime.fromtimestamp(second, UTC) for one, second in [*seen.items()][-MOST_NAMES:]}


@once
def _newest_day(organization_id: int) -> datetime | None:
    rows = DayAggregate.objects.filter(organization_id=organization_id)
    newest: datetime | None = rows.aggregate(newest=Max("bucket_start"))["newest"]
    return newest


def _grain(scope: Scope, dimension: Dimension) -> Grain | None:
    """The smallest grain that holds both the dimension and what bounds the scope."""
    need = {dimension.axis} | ({"team_id"} if scope.reach is Reach.TEAMS else {"user_id"})
    failures_suffice = dimension.name in ("error_type", "status_code")
    fitting = (
        grain
        for grain in GRAINS
        if need <= {*grain.axes}
        and grain.per_metadata_key == (dimension.key_id is not None)
        and (failures_suffice or not grain.only_failed)
    )
    return min(fitting, key=lambda grain: len(grain.axes), default=None)


def _seen_in_facts(scope: Scope, dimension: Dimension) -> Seen:
    facts = scoped_facts(scope, EVER, ()).order_by("-started_at")
    return _newest(_values(facts, dimension)[:NEWEST_REQUESTS])


def _values(facts: QuerySet[LLMRequest], dimension: Dimension) -> QuerySet[LLMRequest, Any]:
    if dimension.key_id is None:
        return facts.values_list(dimension.axis, "started_at")
    key = MetadataKey.objects.get(pk=dimension.key_id)
    return facts.annotate(text=MetadataText(key.name)).values_list("text", "started_at")


def _newest(pairs: Iterable[tuple[Any, datetime]]) -> Seen:
    seen: Seen = {}
    for value, moment in pairs:
        if value is not None:
            seen.setdefault(value, moment)
    return seen


def _without_table(scope: Scope, dimension: Dimension) -> list[Suggestion]:
    """Closed lists in full; status codes that occurred; nothing for free numbers and ids."""
    if dimension.codes:
        return [Suggestion(code, code, None) for code in dimension.codes]
    if dimension.name != "status_code":
        return []
    return [Suggestion(str(code), str(code), last) for code, last in _seen(scope, dimension).items()]
