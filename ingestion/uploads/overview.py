"""Uploads as their organization's administrators see them: the list, one import while it runs, and its report."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.template.defaultfilters import filesizeformat
from django.utils.timesince import timesince

from ingestion.models import Upload
from ingestion.uploads import counting, queue
from metricsportal.lib import border, formats
from teams.models import Organization

State = Upload.State
LATEST: Final = 20
PATIENCE: Final = timedelta(seconds=10)
"""How long a queued file may wait before the page asks whether there is a worker."""
_ENDED: Final = frozenset({State.DONE, State.FAILED, State.DISCARDED, State.EXPIRED})
_HOUR: Final = timedelta(hours=1)
_WORDS: Final[Mapping[str, str]] = {
    State.WAITING: "Waits for your decision",
    State.QUEUED: "Waits for a worker",
    State.IMPORTING: "Importing",
    State.DONE: "Imported",
    State.FAILED: "Stopped",
    State.DISCARDED: "Discarded",
    State.EXPIRED: "Deleted after its time",
}
NO_WORKER: Final = (
    "No worker has taken this file yet. Background work needs a worker and beat: “manage.py up” starts both, in "
    "production see the services portal-worker and portal-beat and their logs. The import starts by itself as soon as "
    "they run; this page can be left."
)
SILENT: Final = (
    "The worker of this import does not answer any more. Another one goes on from there within a minute, if there is "
    "one; nothing is counted twice."
)
OTHERS_FIRST: Final = "Files are imported one at a time. This one starts when the one before it is done."


@dataclass(frozen=True, slots=True)
class Standing:
    """How an import stands, in the words of the page. `share`: of the file's bytes, in percent."""

    state: str
    words: str
    hint: str
    ended: bool
    share: int
    read: str
    records: str
    accepted: str
    duplicate: str
    conflict: str
    rejected: str
    rate: str


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an import: refused records, their codes, how long it took, the range to look at."""

    examples: list[dict[str, Any]]
    codes: tuple[tuple[str, str], ...]
    capped: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Line:
    """One upload in the list."""

    upload: Upload
    words: str
    records: str
    accepted: str
    when: str


def find(organization: Organization, upload_id: uuid.UUID) -> Upload | None:
    """The organization's upload of that id."""
    found = Upload.objects.select_related("organization", "by")
    return found.filter(organization=organization, pk=upload_id).first()


def latest(organization: Organization, now: datetime) -> list[Line]:
    """The newest uploads."""
    found = Upload.objects.select_related("by").filter(organization=organization)[:LATEST]
    return [_line(upload, now) for upload in found]


def _line(upload: Upload, now: datetime) -> Line:
    progress = counting.progress_of(upload) if upload.started_at else None
    return Line(
        upload,
        words=_WORDS[upload.state],
        records=formats.exact(progress.received if progress else None),
        accepted=formats.exact(progress.accepted if progress else None),
        when=ago(upload.uploaded_at, now),
    )


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was."""
    return "just now" if now - moment < timedelta(minutes=1) else f"{timesince(moment, now)} ago"


def standing(upload: Upload, now: datetime) -> Standing:
    """How the import of an upload stands now."""
    progress = counting.progress_of(upload)
    share = 100 if upload.state == State.DONE else min(99, upload.position * 100 // max(upload.size, 1))
    words, hint = _WORDS[upload.state], ""
    if upload.state == State.QUEUED:
        words, hint = _queued(upload, now)
    elif upload.state == State.IMPORTING and upload.lease_until and upload.lease_until < now:
        words, hint = "Interrupted", SILENT
    return Standing(
        state=upload.state,
        words=words,
        hint=hint,
        ended=upload.state in _ENDED,
        share=share,
        read=f"{filesizeformat(min(upload.position, upload.size))} of {filesizeformat(upload.size)}",
        records=formats.exact(progress.received),
        accepted=formats.exact(progress.accepted),
        duplicate=formats.exact(progress.duplicate),
        conflict=formats.exact(progress.conflict),
        rejected=formats.exact(progress.rejected),
        rate=_rate(upload, progress.received, now),
    )


def _queued(upload: Upload, now: datetime) -> tuple[str, str]:
    with border.everything("one file of the installation is imported at a time"):
        others = queue.running(now).exclude(pk=upload.pk).exists()
    if others:
        return "Waits for another import", OTHERS_FIRST
    waits = now - upload.queued_at > PATIENCE if upload.queued_at else False
    return _WORDS[State.QUEUED], NO_WORKER if waits else ""


def _rate(upload: Upload, received: int, now: datetime) -> str:
    if upload.started_at is None or not received:
        return ""
    seconds = ((upload.finished_at or now) - upload.started_at).total_seconds()
    return f"at {formats.rate(received / max(seconds, 0.001)).removesuffix(' /s')} records/s"


def report(upload: Upload) -> Report:
    """What came of an import that has ended."""
    codes = sorted(upload.rejected_by_code.items(), key=lambda pair: -pair[1])
    return Report(
        examples=upload.examples,
        codes=tuple((code, formats.exact(count)) for code, count in codes),
        capped=formats.exact(upload.capped) if upload.capped else "",
        start=_hour(upload.earliest) if upload.earliest else "",
        end=_hour(upload.latest + _HOUR) if upload.latest else "",
    )


def _hour(moment: datetime) -> str:
    """The whole hour before, as addresses of the dashboard write it."""
    return f"{moment:%Y-%m-%dT%H}:00:00Z"
