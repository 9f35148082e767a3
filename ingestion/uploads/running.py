"""Importing one uploaded file, from wherever the worker before stopped."""

import logging
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from ingestion.heartbeat import beating
from ingestion.imports import Progress, import_file
from ingestion.leasing import MOST_TRIES
from ingestion.models import Upload
from ingestion.services import UnavailableError
from ingestion.uploads import counting, files, queue
from ingestion.uploads.reasons import UNREADABLE, reason
from metricsportal.lib import border

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]

BEAT: Final = 8.0
"""Seconds between two signs of life, while a batch is read or stored."""
TURN: Final = timedelta(minutes=10)
"""After so long a worker lets other files and tasks have their turn; shorter than the time limit of tasks."""
GIVEN_UP: Final = (
    f"The import was interrupted {MOST_TRIES} times without getting further, for instance because the worker was "
    "killed. Its log tells why; what is stored stays, and the file can be uploaded again."
)


class LostError(Exception):
    """Another worker has taken over: this one stops at once."""


def run(upload_id: uuid.UUID, clock: Clock) -> int:
    """Import the file if it waits for it and nobody else does; the number of records that are new."""
    upload = queue.claim(upload_id, clock())
    if upload is None:
        return 0
    if upload.tries > MOST_TRIES:
        queue.finish(upload, Upload.State.FAILED, clock(), error=GIVEN_UP)
        return 0
    before = upload.accepted
    with beating(lambda: queue.keep(upload, clock()), BEAT), border.within(upload.organization_id):
        accepted = _import(upload, clock)
    queue.ring_next(clock())
    return accepted - before


def _import(upload: Upload, clock: Clock) -> int:
    progress = counting.progress_of(upload)
    began = clock()

    def note(sums: Progress) -> None:
        if not queue.keep(upload, clock(), tries=0, **counting.fields_of(sums)):
            raise LostError

    steps = import_file(
        files.path_of(upload.stored_as),
        organization=upload.organization,
        format_name=upload.format,
        now=began,
        keep_unknown=upload.keep_unknown,
        done=progress,
        note=note,
        longest=settings.INGEST_MAX_BODY_BYTES,
    )
    try:
        with closing(steps):
            for sums in steps:
                is_last, progress = sums is progress, sums
                if clock() - began > TURN and not is_last:
                    queue.release(upload, clock())
                    return progress.accepted
        queue.finish(upload, Upload.State.DONE, clock(), position=upload.size)
    except LostError:
        logger.warning("upload %s: another worker took over", upload.pk)
    except UnavailableError:
        logger.warning("upload %s: the database cannot store now", upload.pk)
        queue.release(upload, clock(), tries=upload.tries - 1)
    except UNREADABLE as error:
        queue.finish(upload, Upload.State.FAILED, clock(), error=reason(error))
    return progress.accepted
