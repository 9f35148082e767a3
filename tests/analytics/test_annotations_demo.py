"""The demo's annotations stand where its traffic changes."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from analytics.annotations.demo import annotate
from analytics.models import Annotation
from ingestion.traffic import plan
from teams.models import Organization
from tests import make


def test_events_of_the_traffic_and_deploys_are_noted_once(acme: Organization) -> None:
    calendar = plan(requests=2_000, days=61, end=make.NOW, zone=ZoneInfo("Europe/Berlin"), seed=1)
    assert annotate(acme, calendar) == annotate(acme, calendar) == 5
    found = list(Annotation.objects.filter(organization=acme, team=None).order_by("at"))
    assert [one.kind for one in found] == ["routing_change", "incident", "deploy", "deploy", "deploy"]
    routing, incident, *_, newest = found
    assert routing.at == calendar.routing_change
    assert (incident.at, incident.end) == (calendar.incident.start, calendar.incident.end)
    assert make.NOW - newest.at < timedelta(days=1)  # what the page opens with


def test_nothing_is_noted_outside_of_the_traffic(acme: Organization) -> None:
    calendar = plan(requests=200, days=1, end=make.NOW, zone=ZoneInfo("UTC"), seed=1)
    annotate(acme, calendar)
    found = Annotation.objects.filter(organization=acme)
    assert found.exists()
    assert not found.exclude(at__gte=calendar.period.start, at__lt=calendar.period.end).exists()
