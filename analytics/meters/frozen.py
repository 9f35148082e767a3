"""Rows of closed months: packed when the month is closed, never changed, read as often as wanted."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from analytics.meters.values import Amounts, Key, Meter
from analytics.models import FrozenMeters, Period, Statement
from metricsportal.lib.timerange import TimeRange

_LEVEL: Final = 6
_BEHIND_KEY: Final = len(Amounts().values) + 1
_TAGS: Final = Key._fields.index("tags")
_TEAM: Final = Key._fields.index("team_id")
A_DAY: Final = timedelta(days=1)


def packed(rows: Iterable[Meter]) -> bytes:
    """Rows as bytes."""
    plain = [[*row.key, *row.amounts.values, row.has_quantity] for row in rows]
    return zlib.compress(msgspec.json.encode(plain), _LEVEL)


def unpacked(content: bytes) -> list[Meter]:
    """The rows that `packed` took."""
    return [_meter(plain) for plain in msgspec.json.decode(zlib.decompress(content))]


def _meter(plain: Sequence[object]) -> Meter:
    # Counted from the end: rows of earlier versions lack the newest fields of their key.
    fields: list[object] = list(plain[:-_BEHIND_KEY])
    fields[_TAGS] = tuple(map(tuple, plain[_TAGS]))  # type: ignore[call-overload]
    *amounts, has_quantity = plain[-_BEHIND_KEY:]
    return Meter(Key(*fields), Amounts(*amounts), bool(has_quantity))  # type: ignore[arg-type]


def days_of(period: TimeRange) -> Iterator[TimeRange]:
    """The period cut at every midnight UTC."""
    start = period.start
    while start < period.end:
        end = min(period.end, midnight(start.astimezone(UTC).date() + A_DAY))
        yield TimeRange(start, end)
        start = end


def midnight(day: date) -> datetime:
    """When the UTC day begins."""
    return datetime.combine(day, time(), UTC)


def frozen_periods(organization_id: int) -> list[Period]:
    """Closed months whose rows are frozen, oldest first."""
    closed = Period.objects.filter(organization=organization_id, closed_at__isnull=False)
    return list(closed.filter(meters__isnull=False).distinct().order_by("start"))


def rows_of_day(organization_id: int, day: date) -> list[Meter]:
    """The frozen rows of a UTC day, each with the number of its statement."""
    mine = FrozenMeters.objects.filter(period__organization=organization_id, day=day, corrections=False)
    return [row for one in mine.order_by("period__start") for row in _issued(one)]


def parts_of_period(period: Period) -> Iterator[list[Meter]]:
    """All of a month, a day in memory at a time; corrections of earlier months first."""
    for one in period.meters.order_by("-corrections", "day").iterator(chunk_size=1):
        yield list(_issued(one))


def rows_of_team(period: Period, team_id: int | None) -> Iterator[Meter]:
    """Those of one statement alone: other teams' rows, most of a month, are not even built."""
    for one in period.meters.order_by("-corrections", "day").iterator(chunk_size=1):
        for plain in msgspec.json.decode(zlib.decompress(bytes(one.content))):
            if plain[_TEAM] == team_id:
                yield _meter(plain)


def corrections_of(period: Period) -> list[Meter]:
    """The corrections of earlier months that were charged with this one, and its shared costs."""
    return [row for one in period.meters.filter(corrections=True) for row in _issued(one)]


def _issued(stored: FrozenMeters) -> Iterator[Meter]:
    issued = Statement.objects.filter(period=stored.period_id).values_list("team_id", "number")
    numbers: dict[int | None, str] = dict(issued)
    for row in unpacked(bytes(stored.content)):
        yield row._replace(key=row.key._replace(invoice=numbers.get(row.key.team_id)))
