"""Files into facts: opened, decompressed, recognised and stored batch by batch, with flat memory."""

import gzip
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

from ingestion import services
from ingestion.formats import FORMATS, Format, detect
from ingestion.readings import reading_of
from ingestion.records import Rejection
from ingestion.services import Outcome
from teams.models import Organization

EXAMPLES: Final = 20
"""Rejections that are kept to be shown; the others are counted."""
_GZIP: Final = b"\x1f\x8b"


@dataclass(slots=True)
class Progress:
    """Sums of the batches so far, and how far the file was read (bytes on disk)."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    capped: int = 0
    rejected_by_code: Counter[str] = field(default_factory=Counter)
    examples: list[Rejection] = field(default_factory=list)
    position: int = 0

    @property
    def rejected(self) -> int:
        """Number of refused records."""
        return self.rejected_by_code.total()

    @property
    def received(self) -> int:
        """Number of records read."""
        return self.accepted + self.duplicate + self.conflict + self.rejected

    def add(self, outcome: Outcome, position: int) -> None:
        """Add a batch."""
        self.accepted += outcome.accepted
        self.duplicate += outcome.duplicate
        self.conflict += outcome.conflict
        self.capped += outcome.capped
        self.rejected_by_code.update(one.code.value for one in outcome.rejected)
        self.examples += outcome.rejected[: EXAMPLES - len(self.examples)]
        self.position = position


def import_file(
    path: Path, *, organization: Organization, format_name: str, now: datetime, keep_unknown: bool = False
) -> Iterator[Progress]:
    """Store a file and yield the sums after every batch (the same object each time), and once at the end.

    There is no lower limit of time. Raises OSError, gzip.BadGzipFile, EOFError, MalformedError, UnsupportedError and
    UnavailableError; what earlier batches stored stays, and importing again counts nothing twice.
    """
    progress, reading = Progress(), reading_of(organization.pk, keep_unknown=keep_unknown)
    with path.open("rb") as raw, _opened(raw) as file:
        chosen = _format(format_name, file)
        batches = (
            services.prepare(
                organization=organization, items=batch, source=f"import:{chosen.name}", now=now, past_days=None
            )
            for batch in services.batches(chosen.read_file(file, reading))
        )
        for batch in _one_ahead(batches):
            progress.add(services.store(batch), raw.tell())
            yield progress
    yield progress


def _one_ahead(batches: Iterator[services.Prepared]) -> Iterator[services.Prepared]:
    """The batches, the next one read while the database stores the one before."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        following = pool.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield batch


@contextmanager
def _opened(raw: BinaryIO) -> Iterator[BinaryIO]:
    head = raw.read(len(_GZIP))
    raw.seek(0)
    if head != _GZIP:
        yield raw
        return
    with gzip.open(raw) as unzipped:
        yield cast("BinaryIO", unzipped)


def _format(name: str, file: BinaryIO) -> Format:
    return detect(file) if name == "auto" else FORMATS[name]
