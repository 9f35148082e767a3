"""Working on one job, from wherever the worker before stopped: read the parts, then write the file from them."""

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from analytics.exports.formats import FORMATS
from analytics.exports.jobs import folder, queue, rights, writing
from analytics.exports.jobs.parts import Parts, TakenError
from analytics.exports.jobs.question import source_of
from analytics.exports.source import Source
from analytics.models import ExportJob
from analytics.query.values import InvalidQueryError, RefusedQueryError
from ingestion.heartbeat import beating
from ingestion.leasing import MOST_TRIES
from metricsportal.lib import border

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
State = ExportJob.State

BEAT: Final = 8.0
"""Seconds between two signs of life, while a part is read or the file is written."""
TURN: Final = timedelta(minutes=2)
"""After so long of reading a worker lets other jobs and tasks have their turn."""
READ: Final = 0.9  # of the progress; the rest is the writing of the file
NOT_ANY_MORE: Final = "What the one who asked may see has changed since. Ask again for what may be seen now."
GIVEN_UP: Final = (
    f"The work was interrupted {MOST_TRIES} times without getting further, for instance because the worker was "
    "killed or the database did not answer in time. A narrower range has a better chance."
)


class LostError(Exception):
    """Another worker has taken over, or the job was deleted: this one stops at once."""


def run(job_id: uuid.UUID, clock: Clock) -> int:
    """Work on the job if it waits for it and nobody else does; the rows of its file, 0 while there is none."""
    job = queue.claim(job_id, clock())
    if job is None:
        return 0
    with beating(lambda: queue.keep(job, clock()), BEAT), border.within(job.organization_id):
        rows = _attempt(job, clock)
    queue.ring_next(clock())
    return rows


def _attempt(job: ExportJob, clock: Clock) -> int:
    refusal = _refusal(job, clock())
    if refusal:
        _fail(job, refusal, clock())
        return 0
    try:
        return _work(job, clock)
    except (LostError, FileNotFoundError):
        logger.warning("export %s: another worker took over, or it was deleted", job.pk)
    except TakenError:
        queue.release(job, clock())
    except (OperationalError, InterfaceError):
        logger.warning("export %s: the database does not answer now", job.pk)
        with suppress(DatabaseError):
            queue.release(job, clock())
    except (InvalidQueryError, RefusedQueryError) as error:
        _fail(job, str(error), clock())
    except OSError as error:
        _fail(job, f"The disk does not take it: {error.strerror or type(error).__name__}.", clock())
    return 0


def _refusal(job: ExportJob, now: datetime) -> str:
    """Why the job is not worked on; empty when it is."""
    if not rights.may_still(job, now):
        return NOT_ANY_MORE
    if not FORMATS[job.format].available:
        return f"The worker cannot write {job.format}: {FORMATS[job.format].library} is not installed there."
    return GIVEN_UP if job.tries > MOST_TRIES else ""


def _fail(job: ExportJob, why: str, now: datetime) -> None:
    if queue.finish(job, State.FAILED, error=why[:500], expires_at=_expiry(now)):
        folder.remove(job.pk)


def _expiry(now: datetime) -> datetime:
    return now + timedelta(days=settings.EXPORT_KEEP_DAYS)


def _work(job: ExportJob, clock: Clock) -> int:
    source = source_of(job.subject, job.question, rights.frozen(job), job.created_at)
    folder.create(job.pk)
    with Parts(folder.path_of(job.pk, folder.PARTS)) as parts:
        if not parts.complete and not _read(job, source, parts, clock):
            return 0
        opening = parts.opening or {}
        written = writing.write(job, source.table(opening, parts.batches()))
        fields = {"rows": written.rows, "size": written.size, "sha256": written.sha256}
        if not queue.finish(job, State.DONE, progress=1, expires_at=_expiry(clock()), **fields):
            raise LostError
        folder.path_of(job.pk, folder.PARTS).unlink(missing_ok=True)
    return written.rows


def _read(job: ExportJob, source: Source, parts: Parts, clock: Clock) -> bool:
    """Read what is not read yet; False when the turn is over before the end."""
    began = clock()
    if parts.opening is None:
        parts.begin(source.opening())
    opening = parts.opening or {}
    for batch in source.batches(parts.mark):
        parts.add(batch)
        if batch.mark is None:
            _note(job, clock(), rows=parts.rows)
            continue
        share = min(max(source.fraction(opening, batch.mark), 0), 1)  # newer requests may have come meanwhile
        _note(job, clock(), rows=parts.rows, progress=READ * share, tries=0)
        if clock() - began > TURN:
            queue.release(job, clock())
            return False
    parts.finish()
    _note(job, clock(), rows=parts.rows, progress=READ)
    return True


def _note(job: ExportJob, now: datetime, **fields: float) -> None:
    if not queue.keep(job, now, **fields):
        raise LostError
