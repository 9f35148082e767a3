"""The counts of an import as columns of its upload, and back."""

from collections import Counter
from typing import Any

from ingestion.imports import Progress
from ingestion.models import Upload
from ingestion.records import Code, Rejection
from ingestion.writer.store import example


def fields_of(progress: Progress) -> dict[str, Any]:
    """What is written down after a batch."""
    plain = ("accepted", "duplicate", "conflict", "capped", "position", "earliest", "latest")
    return {name: getattr(progress, name) for name in plain} | {
        "rejected_by_code": dict(progress.rejected_by_code),
        "examples": [example(one) for one in progress.examples],
    }


def progress_of(upload: Upload) -> Progress:
    """Where an import is, to go on from there."""
    return Progress(
        accepted=upload.accepted,
        duplicate=upload.duplicate,
        conflict=upload.conflict,
        capped=upload.capped,
        rejected_by_code=Counter(upload.rejected_by_code),
        examples=[Rejection(one["index"], Code(one["code"]), one["field"], one["message"]) for one in upload.examples],
        position=upload.position,
        earliest=upload.earliest,
        latest=upload.latest,
    )
