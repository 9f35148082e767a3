"""What an import of a file would store: its first records as they are read, without storing anything."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, cast
from zoneinfo import ZoneInfo

from django.conf import settings

from ingestion import services
from ingestion.formats.mapping import METADATA, Reading
from ingestion.imports import chosen_format, opened
from ingestion.models import Upload
from ingestion.pipeline import Draft, Item
from ingestion.readings import reading_of
from ingestion.records import Operation, Rejection, RequestRecord
from ingestion.uploads import files
from ingestion.uploads.reasons import UNREADABLE, reason
from ingestion.watermarks import kept
from metricsportal.lib import formats, localtime

SHOWN: Final = 20
SAMPLE: Final = 2_000
"""Records that are looked at, for the estimate and for what would be refused."""
SAMPLE_BYTES: Final = 8 * 2**20
REASONS: Final = 10
_CELL: Final = 80  # characters
# `operation` is shown where it is not the usual one, metadata at the end.
_APART: Final = frozenset({"operation", "metadata", "units", "usage"})
_FIELDS: Final = tuple(name for name in RequestRecord.__struct_fields__ if name not in _APART)


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its place, the texts of its columns and whether each is a number, or why it is refused."""

    place: int
    cells: tuple[tuple[str, bool], ...]
    refused: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found. `reasons` are of records after those that are shown.

    `error`: why the file cannot be read, at all or beyond what is shown.
    """

    format: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    count: str
    sampled: str
    refused: str
    reasons: tuple[Rejection, ...]
    unknown: tuple[str, ...]
    error: str

    @property
    def numbers(self) -> frozenset[str]:
        """Columns of numbers."""
        cells = [row.cells for row in self.rows if row.cells]
        return frozenset(name for place, name in enumerate(self.columns) if any(one[place][1] for one in cells))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to import."""
        return not self.rows


@dataclass(slots=True)
class _Sample:
    """The first items of a file; `share` of its bytes were read for them, all of it when it is `whole`."""

    format: str = ""
    items: list[Item] = field(default_factory=list)
    whole: bool = False
    share: float = 1.0
    head: bytes = b""
    error: str = ""


def preview(upload: Upload, now: datetime) -> Preview:
    """Read the beginning of an uploaded file as its import would."""
    path = files.path_of(upload.stored_as)
    reading = reading_of(upload.organization_id, keep_unknown=upload.keep_unknown)
    sample = _sample(path, upload.format, reading)
    unknown = _unknown(sample, _sample(path, upload.format, replace(reading, keep_unknown=not reading.keep_unknown)))
    prepared = services.prepare(
        organization=upload.organization,
        items=sample.items,
        source="preview",
        now=now,
        past_days=None,
        not_before=kept(upload.organization_id).requests,
    )
    shown = {draft.index: draft for draft in prepared.drafts if draft.index < SHOWN}
    columns = _columns(shown.values())
    reasons = {one.index: one for one in prepared.rejected}
    zone = localtime.zone(upload.organization.zone)
    rows = [
        Row(
            index,
            tuple(_cell(shown[index].record, name, zone) for name in columns) if index in shown else (),
            reasons[index].message if index in reasons else "",
        )
        for index, _ in sample.items[:SHOWN]
    ]
    return Preview(
        format=sample.format,
        columns=columns,
        rows=tuple(rows),
        count=_count(sample),
        sampled=_records(len(sample.items)),
        refused=formats.exact(len(prepared.rejected)) if prepared.rejected else "",
        reasons=tuple(one for one in prepared.rejected if one.index >= SHOWN)[:REASONS],
        unknown=unknown,
        error=sample.error,
    )


def _sample(path: Path, format_name: str, reading: Reading) -> _Sample:
    sample = _Sample()
    longest = settings.INGEST_MAX_BODY_BYTES
    try:
        with path.open("rb") as raw, opened(raw, longest, longest) as file:
            chosen = chosen_format(format_name, file)
            sample.format, sample.head = chosen.name, file.readline(2**16)
            file.seek(0)
            items = (item for item in chosen.read_file(file, reading))
            with closing(items):
                sample.whole = _take(items, sample.items, lambda: file.tell() > SAMPLE_BYTES)
            sample.share = _share(raw, cast("BufferedReader", file), path.stat().st_size)
    except UNREADABLE as error:
        sample.error = reason(error)
    return sample


def _take(items: Iterator[Item], found: list[Item], enough: Callable[[], bool]) -> bool:
    """Collect items, those before an error too; whether there are no more."""
    for item in items:
        found.append(item)
        if len(found) >= SAMPLE or enough():
            return next(items, None) is None
    return True


def _share(raw: BinaryIO, file: BufferedReader, size: int) -> float:
    """The part of a file that its first items take: what was read ahead for them is not theirs."""
    read = file.raw.tell()
    return raw.tell() / size * (file.tell() / read) if read and size else 1.0


def _records(number: int, text: str = "") -> str:
    return f"{text or formats.exact(number)} record{'' if number == 1 else 's'}"


def _count(sample: _Sample) -> str:
    """How many records the file has; an estimate by the bytes that the first ones took."""
    number = len(sample.items)
    if sample.whole:
        return _records(number)
    if sample.error or not sample.share:
        return f"at least {_records(number)}"
    estimate = max(number + 1, round(number / sample.share))
    return f"about {_records(estimate, formats.compact(round(estimate, 2 - len(str(estimate)))))}"


def _unknown(sample: _Sample, other: _Sample) -> tuple[str, ...]:
    """Columns that the format does not know: what only one of the two ways of reading takes as metadata.

    Where a format refuses a file for its unknown columns, they are what the header does not call metadata.
    """
    here, there = _keys(sample.items), _keys(other.items)
    if sample.items and other.items:
        return tuple(sorted(here ^ there))
    return tuple(sorted(key for key in here | there if f"{METADATA}{key}".encode() not in sample.head))


def _keys(items: Iterable[Item]) -> set[str]:
    return {key for _, item in items if isinstance(item, RequestRecord) for key in item.metadata}


def _columns(drafts: Iterable[Draft]) -> tuple[str, ...]:
    """Fields that at least one of the records has, in the order of the documentation."""
    records = [draft.record for draft in drafts]
    names = [name for name in _FIELDS if any(getattr(record, name) is not None for record in records)]
    names += ["operation"] if any(record.operation != Operation.CHAT for record in records) else []
    names += ["units"] if any(record.units for record in records) else []
    names += ["metadata"] if any(record.metadata for record in records) else []
    return tuple(names)


def _cell(record: RequestRecord, name: str, zone: ZoneInfo) -> tuple[str, bool]:
    value = getattr(record, name)
    text = _text(value, zone)
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return (text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"), is_number


def _text(value: object, zone: ZoneInfo) -> str:
    match value:
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = value.astimezone(zone).replace(tzinfo=None).isoformat(" ", "milliseconds")
        case dict():
            text = ", ".join(f"{key}={one}" for key, one in value.items())
        case int() | None:
            text = formats.exact(value)
        case Decimal() | float():
            text = f"{value:f}".rstrip("0").rstrip(".")
        case _:
            text = str(value)
    return text
