"""What an import of a file would store: its first records as they are read, without storing anything."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from ingestion import services
from ingestion.formats.mapping import METADATA, Reading
from ingestion.imports import chosen_format, opened
from ingestion.models import Upload
from ingestion.pipeline import Draft, Item
from ingestion.records import Operation, Rejection, RequestRecord
from ingestion.uploads import files
from ingestion.uploads.reasons import UNREADABLE, reason
from ingestion.uploads.running import reading_of
from metricsportal.lib import formats, localtime

SHOWN: Final = 20
SAMPLE: Final = 1_000
"""Records that are looked at, for the estimate and for what would be refused."""
SAMPLE_BYTES: Final = 8 * 2**20
REASONS: Final = 10
_CELL: Final = 80  # characters
_FIELDS: Final = tuple(name for name in RequestRecord.__struct_fields__ if name not in {"metadata", "operation"})


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its place, its values by the preview's columns, or why it would be refused."""

    place: int
    cells: tuple[str, ...]
    refused: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found. `error`: why the file cannot be read, at all or beyond what is shown."""

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
    path, reading = files.path_of(upload.stored_as), reading_of(upload)
    sample = _sample(path, upload.format, reading)
    unknown = _unknown(sample, _sample(path, upload.format, Reading(keep_unknown=not reading.keep_unknown)))
    prepared = services.prepare(
        organization=upload.organization, items=sample.items, source="preview", now=now, past_days=None
    )
    shown = {draft.index: draft for draft in prepared.drafts if draft.index < SHOWN}
    columns = _columns(shown.values())
    reasons = {one.index: one for one in prepared.rejected}
    zone = localtime.zone(upload.organization.zone)
    rows = [
        Row(index, tuple(_cell(shown[index].record, name, zone) for name in columns) if index in shown else (), why)
        for index, _ in sample.items[:SHOWN]
        for why in [reasons[index].message if index in reasons else ""]
    ]
    return Preview(
        format=sample.format,
        columns=columns,
        rows=tuple(rows),
        count=_count(sample),
        sampled=formats.exact(len(sample.items)),
        refused=formats.exact(len(prepared.rejected)) if prepared.rejected else "",
        reasons=tuple(prepared.rejected[:REASONS]),
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
            sample.share = raw.tell() / max(path.stat().st_size, 1)
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


def _count(sample: _Sample) -> str:
    """How many records the file has; an estimate by the bytes that the first ones took."""
    number = len(sample.items)
    if sample.whole:
        return formats.exact(number)
    if sample.error or not sample.share:
        return f"at least {formats.exact(number)}"
    return f"about {formats.compact(max(number + 1, round(number / sample.share)))}"


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
    names += ["metadata"] if any(record.metadata for record in records) else []
    return tuple(names)


def _cell(record: RequestRecord, name: str, zone: ZoneInfo) -> str:
    value = getattr(record, name)
    match value:
        case None:
            return formats.NO_VALUE
        case bool():
            return "yes" if value else "no"
        case datetime():
            text = value.astimezone(zone).isoformat(" ", "milliseconds")
        case dict():
            text = ", ".join(f"{key}={one}" for key, one in value.items())
        case Decimal() | float():
            text = f"{value:f}".rstrip("0").rstrip(".")
        case _:
            text = str(value)
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
