"""Files into facts: opened, decompressed, recognised and stored batch by batch, with flat memory."""

import gzip
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, cast

from ingestion import services
from ingestion.formats import FORMATS, Format, detect
from ingestion.formats.bounded import bounded
from ingestion.readings import reading_of
from ingestion.records import Rejection
from ingestion.services import Outcome
from teams.models import Organization

EXAMPLES: Final = 20
"""Rejections that are kept to be shown; the others are counted."""
_GZIP: Final = b"\x1f\x8b"


@dataclass(slots=True)
class Progress:
    """Sums of the batches so far, how far the file was read (bytes on disk), and when its valid records started."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    capped: int = 0
    rejected_by_code: Counter[str] = field(default_factory=Counter)
    examples: list[Rejection] = field(default_factory=list)
    position: int = 0
    earliest: datetime | None = None
    latest: datetime | None = None

    @property
    def rejected(self) -> int:
        """Number of refused records."""
        return self.rejected_by_code.total()

    @property
    def received(self) -> int:
        """Number of records read."""
        return self.accepted + self.duplicate + self.conflict + self.rejected

    def add(self, outcome: Outcome, position: int, started: list[datetime]) -> None:
        """Add a batch: what became of it, how far the file was read, and the times of its records."""
        self.accepted += outcome.accepted
        self.duplicate += outcome.duplicate
        self.conflict += outcome.conflict
        self.capped += outcome.capped
        self.rejected_by_code.update(one.code.value for one in outcome.rejected)
        self.examples += outcome.rejected[: EXAMPLES - len(self.examples)]
        self.position = position
        if started:
            self.earliest = min([*started, self.earliest or started[0]])
            self.latest = max([*started, self.latest or started[0]])

    def copy(self) -> "Progress":
        """The same sums, to be added to without changing these."""
        return replace(self, rejected_by_code=Counter(self.rejected_by_code), examples=[*self.examples])


Note = Callable[[Progress], None]
"""Keeps the sums after a batch, inside the transaction that stores it; what it raises undoes the batch."""


def import_file(
    path: Path,
    *,
    organization: Organization,
    format_name: str,
    now: datetime,
    keep_unknown: bool = False,
    done: Progress | None = None,
    note: Note | None = None,
    longest: int | None = None,
) -> Generator[Progress]:
    """Store a file and yield the sums after every batch, and the last ones again at the end.

    `done`: sums of an import of the same file that was interrupted; the records in them are skipped. `longest`: bytes
    that a line or a document may have. There is no lower limit of time. Raises OSError, gzip.BadGzipFile, EOFError,
    zlib.error, MalformedError, UnsupportedError and UnavailableError; what earlier batches stored stays, and importing
    again counts nothing twice.
    """
    progress, reading = done or Progress(), reading_of(organization.pk, keep_unknown=keep_unknown)
    with path.open("rb") as raw, opened(raw, longest) as file:
        chosen = chosen_format(format_name, file)
        items = (item for item in chosen.read_file(file, reading))  # a generator, which can be closed
        deque(islice(items, progress.received), maxlen=0)
        batches = (
            services.prepare(
                organization=organization, items=batch, source=f"import:{chosen.name}", now=now, past_days=None
            )
            for batch in services.batches(items)
        )
        # Both end before the file is closed, also when nobody asks for the rest.
        with closing(items), closing(_one_ahead(batches)) as ahead:
            for batch in ahead:
                progress = _store(batch, progress, raw.tell(), note)
                yield progress
    yield progress


def _store(batch: services.Prepared, before: Progress, position: int, note: Note | None) -> Progress:
    started = [draft.record.started_at for draft in batch.drafts]

    def after(outcome: Outcome) -> Progress:
        sums = before.copy()
        sums.add(outcome, position, started)
        return sums

    return after(services.store(batch, (lambda outcome: note(after(outcome))) if note else None))


def _one_ahead(batches: Iterator[services.Prepared]) -> Generator[services.Prepared]:
    """The batches, the next one read while the database stores the one before."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        following = pool.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield batch


@contextmanager
def opened(raw: BinaryIO, longest: int | None = None, most: int | None = None) -> Iterator[BinaryIO]:
    """The content of a file, decompressed when it is gzip; the limits are those of `bounded`."""
    head = raw.read(len(_GZIP))
    raw.seek(0)
    with gzip.open(raw) if head == _GZIP else nullcontext(raw) as content:
        file = cast("BinaryIO", content)
        yield file if longest is None else bounded(file, longest, most)


def chosen_format(name: str, file: BinaryIO) -> Format:
    """The format of that name; `auto`: by the content, the file is left at its start."""
    return detect(file) if name == "auto" else FORMATS[name]
