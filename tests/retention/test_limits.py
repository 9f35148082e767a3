"""What is never removed, whatever its age."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from analytics import rollups
from analytics.models import ChangedDay, HourAggregate, Period
from analytics.retention.limits import limit_of_hours, limit_of_requests
from ingestion import purging
from ingestion.models import ChangedHour, LLMRequest
from ingestion.purging import Subject
from ingestion.services import ingest_records
from metricsportal.lib.localtime import day_start, zone
from teams.models import Organization
from tests import make
from tests.retention.scene import NOW, days_ago, floor, four_months, old, purge, send


def test_requests_go_at_the_local_day_on_which_they_are_too_old(organization: Organization) -> None:
    before = days_ago(organization, 90)
    young, gone = LLMRequest.objects.filter(hour_start__gte=before).count(), old(organization, before)
    assert gone > 10
    assert young > 20
    passed = purge(organization)
    assert floor(organization) == before
    assert (passed.removed[Subject.REQUESTS], passed.complete) == (gone, True)
    assert LLMRequest.objects.count() == young
    assert old(organization, before) == 0


@pytest.mark.parametrize("name", ["UTC", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"])
@pytest.mark.django_db
def test_days_begin_where_the_organization_is(name: str) -> None:
    organization = four_months(30, name)
    purge(organization)
    assert floor(organization) == days_ago(organization, 90)
    assert floor(organization) == day_start(floor(organization), zone(name))


def test_other_organizations_keep_theirs(organization: Organization) -> None:
    other = make.organization()
    make.request(other, started_at=NOW - timedelta(days=130))
    purge(organization)
    assert LLMRequest.objects.filter(organization=other).count() == 1
    assert floor(other) < floor(organization)


def test_a_month_that_is_not_closed_keeps_its_requests_and_all_later_ones(organization: Organization) -> None:
    august = Period.objects.get(month="2026-08-01")
    Period.objects.filter(pk=august.pk).update(closed_at=None)
    purge(organization)
    assert floor(organization) == august.start
    assert LLMRequest.objects.filter(hour_start__gte=august.start, hour_start__lt=august.end).exists()
    found = limit_of_requests(organization, NOW)
    assert found is None  # nothing before it is left
    Period.objects.filter(pk=august.pk).update(closed_at=NOW)
    purge(organization)
    assert floor(organization) == days_ago(organization, 90)


def test_an_hour_that_waits_for_the_rollup_keeps_its_day(organization: Organization) -> None:
    hour = LLMRequest.objects.order_by("hour_start").values_list("hour_start", flat=True)[10]
    ChangedHour.objects.create(organization=organization, hour_start=hour)
    found = limit_of_requests(organization, NOW)
    assert found is not None
    assert "not rolled up" in found.why
    purge(organization)
    assert floor(organization) == day_start(hour, zone(organization.zone))
    assert LLMRequest.objects.filter(hour_start=hour).exists()


def test_a_day_that_waits_for_the_rollup_keeps_its_requests(organization: Organization) -> None:
    day = day_start(LLMRequest.objects.order_by("hour_start")[10].hour_start, zone(organization.zone))
    ChangedDay.objects.create(organization=organization, day_start=day)
    purge(organization)
    assert floor(organization) == day


def test_the_ingest_window_is_kept_whatever_the_settings_say(organization: Organization, settings: Settings) -> None:
    settings.KEEP_REQUESTS_DAYS = 5
    Period.objects.update_or_create(
        organization=organization,
        month="2026-12-01",
        defaults={"closed_at": NOW, "zone": "UTC", "start": NOW, "end": NOW},
    )
    purge(organization)
    assert floor(organization) == days_ago(organization, settings.INGEST_PAST_DAYS)


def test_zero_keeps_for_ever(organization: Organization, settings: Settings) -> None:
    settings.KEEP_REQUESTS_DAYS = settings.KEEP_HOURS_DAYS = 0
    count = LLMRequest.objects.count()
    assert purge(organization).removed == {Subject.REQUESTS: 0, Subject.HOURS: 0}
    assert LLMRequest.objects.count() == count
    assert floor(organization).year == 1970


@pytest.mark.django_db
def test_where_nothing_is_old_history_can_still_be_imported() -> None:
    organization = make.organization()
    make.request(organization, now=NOW, started_at=NOW - timedelta(days=2))
    purge(organization)
    assert floor(organization).year == 1970
    late = make.record(started_at=NOW - timedelta(days=300))
    send(organization, late)


def test_hours_never_go_before_their_requests(organization: Organization, settings: Settings) -> None:
    settings.KEEP_HOURS_DAYS = 90
    settings.KEEP_REQUESTS_DAYS = 110
    purge(organization)
    assert floor(organization) == days_ago(organization, 110)
    assert HourAggregate.objects.order_by("bucket_start")[0].bucket_start >= days_ago(organization, 110)
    found = limit_of_hours(organization, NOW)
    assert found is None


def test_a_day_that_waits_for_its_rollup_keeps_its_hours(organization: Organization, settings: Settings) -> None:
    settings.KEEP_HOURS_DAYS = 0
    purge(organization)
    settings.KEEP_HOURS_DAYS = 120
    first = HourAggregate.objects.order_by("bucket_start")[0].bucket_start
    ChangedDay.objects.create(organization=organization, day_start=day_start(first, zone(organization.zone)))
    assert purge(organization).removed[Subject.HOURS] == 0
    assert HourAggregate.objects.filter(bucket_start=first).exists()
    rollups.drain(organization.pk)
    assert purge(organization).removed[Subject.HOURS] > 0
    assert not HourAggregate.objects.filter(bucket_start__lt=days_ago(organization, 120)).exists()


def test_the_watermark_is_never_moved_back(organization: Organization, settings: Settings) -> None:
    purge(organization)
    before = floor(organization)
    settings.KEEP_REQUESTS_DAYS = 120
    purge(organization)
    purge(organization, now=NOW - timedelta(days=30))
    assert purging.move(organization, Subject.REQUESTS, lambda: before - timedelta(days=1)) == before
    assert floor(organization) == before
    record = make.record(started_at=before - timedelta(hours=1))
    outcome = ingest_records(organization=organization, records=[record], source="test", now=NOW, past_days=None)
    assert [one.code.value for one in outcome.rejected] == ["time_window"]
