"""Who imports which file when. A claim is asked for again in the transaction of every batch that is stored."""

import uuid
from datetime import datetime
from typing import Any, Final

from django.db.models import F
from django.db.models.functions import Coalesce

from ingestion.leasing import Queue
from ingestion.models import Upload
from ingestion.uploads import files

_FILES: Final = Queue(Upload.objects, working=Upload.State.IMPORTING, task="ingestion.tasks.import_upload")
ring, ring_next, running = _FILES.ring, _FILES.ring_next, _FILES.running
keep, release = _FILES.keep, _FILES.release


def claim(upload_id: uuid.UUID, now: datetime) -> Upload | None:
    """Take a file for this worker alone; None when there is nothing to do now."""
    return _FILES.claim(upload_id, now, started_at=Coalesce(F("started_at"), now))


def finish(upload: Upload, state: Upload.State, now: datetime, **fields: Any) -> None:
    """End the import and delete the file, unless the claim is lost: then it is another worker's."""
    if _FILES.finish(upload, state, finished_at=now, **fields):
        files.remove(upload.stored_as)
