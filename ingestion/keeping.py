"""How long what is kept, since when, and how much was removed: what a person is told."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from ingestion.models import Watermark
from metricsportal.lib import formats
from metricsportal.lib.keeping import FOR_EVER, next_night
from metricsportal.lib.localtime import local_date, zone
from teams.models import Organization

Subject = Watermark.Subject


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is stored: for how long, from when on it exists, how much was removed and when last."""

    name: str
    kept: str
    begins: str = ""
    removed: str = ""
    finished_at: datetime | None = None
    at_work: bool = False


@dataclass(frozen=True, slots=True)
class Keeping:
    """All of them, and when the next removal begins; None where nothing ever goes."""

    lines: tuple[Line, ...]
    next_at: datetime | None


def keeping(organization: Organization, now: datetime) -> Keeping:
    """What an organization keeps."""
    moved = {one.subject: one for one in Watermark.objects.filter(organization=organization)}
    requests, hours = settings.KEEP_REQUESTS_DAYS, settings.KEEP_HOURS_DAYS
    lines = (
        _line("Single requests", requests, moved.get(Subject.REQUESTS), organization),
        _line("Totals of hours", hours, moved.get(Subject.HOURS), organization),
        Line("Totals of days", _for(FOR_EVER)),
    )
    return Keeping(lines, None if requests == hours == FOR_EVER else next_night(now))


def _line(name: str, days: int, moved: Watermark | None, organization: Organization) -> Line:
    if moved is None:
        return Line(name, _for(days))
    begins = local_date(moved.before, zone(organization.zone))
    return Line(
        name,
        _for(days),
        f"{begins.day} {begins:%B %Y}",
        formats.exact(moved.removed),
        moved.finished_at,
        at_work=moved.finished_at is None,
    )


def _for(days: int) -> str:
    return "for ever" if days == FOR_EVER else f"{days} days"
