"""What happened in the demo traffic, as its people would have noted it."""

from datetime import datetime, timedelta

from analytics.models import Annotation
from ingestion.traffic import Calendar
from ingestion.traffic.calendar import FAILING_PROVIDER
from teams.models import Organization

Kind = Annotation.Kind


def annotate(organization: Organization, calendar: Calendar) -> int:
    """Note the events of a calendar, and deploys before its end; a second time changes nothing. Returns their number.

    The change of prices is in the price book, which tells of it by itself.
    """
    end, incident = calendar.period.end, calendar.incident
    notes = [
        _note(organization, Kind.DEPLOY, end - timedelta(hours=7), "gateway 2.14.1: shorter timeouts"),
        _note(organization, Kind.DEPLOY, end - timedelta(days=3, hours=2), "gateway 2.14.0: cache for system prompts"),
        _note(organization, Kind.ROUTING_CHANGE, calendar.routing_change, "Other weights for the virtual models"),
        _note(
            organization, Kind.INCIDENT, incident.start, f"{FAILING_PROVIDER} overloaded, many 5xx", end=incident.end
        ),
        _note(organization, Kind.DEPLOY, incident.end + timedelta(hours=20), "gateway 2.13.7: fallback at once"),
    ]
    inside = [one for one in notes if calendar.period.start <= one.at < end]
    Annotation.objects.bulk_create(inside, ignore_conflicts=True)
    return len(inside)


def _note(
    organization: Organization, kind: Kind, at: datetime, text: str, *, end: datetime | None = None
) -> Annotation:
    name = f"demo-{kind.value}-{at:%Y%m%d%H%M}"
    return Annotation(organization=organization, kind=kind, at=at, end=end, text=text, external_id=name)
