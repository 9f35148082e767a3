"""Where months begin and end, and when they close by themselves: local midnights, in every zone."""

import logging
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pytest_django import Settings

from analytics.chargeback import closing, months, reading
from analytics.models import Period, Statement
from analytics.tasks import close_due_periods
from teams.access import scope_of_organization
from teams.models import Organization
from tests import make
from tests.chargeback.scene import NOVEMBER, OCTOBER, SEPTEMBER, close, day, said, spend
from tests.make import NOW

pytestmark = pytest.mark.django_db
INSTANT = timedelta(microseconds=1)
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Australia/Lord_Howe"]


def closed() -> list[tuple[str, date]]:
    """Organization and month, in the order in which they were closed."""
    rows = Period.objects.exclude(closed_at=None).order_by("pk")
    return [(period.organization.slug, period.month) for period in rows.select_related("organization")]


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("UTC", "2026-11-04T00:00Z"),
        ("Europe/Berlin", "2026-11-03T23:00Z"),
        # Clocks go back on 1 November: three days of the calendar are 73 hours.
        ("America/St_Johns", "2026-11-04T03:30Z"),
        ("Asia/Kathmandu", "2026-11-03T18:15Z"),
        ("Pacific/Kiritimati", "2026-11-03T10:00Z"),
    ],
)
def test_a_month_closes_at_local_midnight_three_days_after_its_end(zone: str, due: str) -> None:
    organization = make.organization("acme", zone=zone)
    spend(organization, day(10))
    spend(organization, day(11, 2))
    instant = datetime.fromisoformat(due)
    assert instant.astimezone(ZoneInfo(zone)).isoformat()[:19] == "2026-11-04T00:00:00"
    assert closing.close_due(instant - INSTANT) == 0
    assert closed() == []
    assert closing.close_due(instant) == 1
    assert closing.close_due(instant) == 0
    assert closed() == [("acme", OCTOBER)]
    assert Period.objects.get().closed_at == instant


def test_the_day_on_which_it_closes_is_announced_as_a_local_one() -> None:
    organization = make.organization(zone="America/St_Johns")
    spend(organization, day(10))
    (october,) = reading.list_months(organization, scope_of_organization(organization), day(10, 20))
    assert october.says == "Still running. Statements are issued on 4 November 2026."


@pytest.mark.parametrize(("days", "now"), [(0, datetime(2026, 11, 1, tzinfo=UTC)), (10, day(11, 11, 0))])
def test_the_grace_is_a_setting(settings: Settings, days: int, now: datetime) -> None:
    settings.CLOSE_GRACE_DAYS = days
    spend(make.organization("acme"), day(10))
    assert closing.close_due(now - INSTANT) == 0
    assert closing.close_due(now) == 1


def test_missed_months_are_caught_up_oldest_first(acme: Organization, rival: Organization) -> None:
    spend(acme, day(8), "8")
    spend(acme, day(10), "10")
    spend(rival, day(10), "10")
    with time_machine.travel(NOW, tick=False):
        assert close_due_periods() == 4
        assert close_due_periods() == 0
    assert closed() == [("acme", date(2026, 8, 1)), ("acme", SEPTEMBER), ("acme", OCTOBER), ("rival", OCTOBER)]
    assert [(one.number[-10:], one.cost // 10**12) for one in Statement.objects.order_by("pk")] == [
        ("202608-001", 8),
        ("202610-001", 10),
        ("202610-001", 10),
    ]


def test_a_month_before_the_first_one_closes_when_records_of_it_arrive(acme: Organization) -> None:
    spend(acme, day(10))
    assert closing.close_due(NOW) == 1
    spend(acme, day(8))
    assert closing.close_due(NOW) == 2
    assert closed() == [("acme", OCTOBER), ("acme", date(2026, 8, 1)), ("acme", SEPTEMBER)]


def test_nothing_closes_before_the_first_request(acme: Organization) -> None:
    assert closing.close_due(NOW) == 0
    assert closed() == []


def test_the_trouble_of_one_organization_is_not_that_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    organizations = [make.organization(slug) for slug in ("first", "second", "third")]
    for organization in organizations:
        spend(organization, day(10))
    Organization.objects.filter(slug="second").update(zone="Mars/Olympus_Mons")
    with caplog.at_level(logging.ERROR):
        assert closing.close_due(NOW) == 2
    assert closed() == [("first", OCTOBER), ("third", OCTOBER)]
    assert [record.getMessage() for record in caplog.records] == ["closing the months of Second failed"]


@pytest.mark.parametrize("zone", ZONES)
def test_requests_at_the_borders_belong_to_the_right_month(zone: str) -> None:
    organization = make.organization(zone=zone)
    begins = datetime(2026, 10, 1, tzinfo=ZoneInfo(zone))
    ends = datetime(2026, 11, 1, tzinfo=ZoneInfo(zone))
    for model, at in (
        ("last of September", begins.astimezone(UTC) - INSTANT),
        ("first of October", begins),
        ("last of October", ends.astimezone(UTC) - INSTANT),
        ("first of November", ends),
    ):
        spend(organization, at, model=model)
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        close(organization, month)
    assert sorted((month, model) for month, _, model in said(organization)) == [
        ("2026-09", "last of September"),
        ("2026-10", "first of October"),
        ("2026-10", "last of October"),
        ("2026-11", "first of November"),
    ]
    assert [(one.start, one.end) for one in Period.objects.filter(month=OCTOBER)] == [(begins, ends)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Honolulu"])
def test_another_zone_never_cuts_a_closed_month_anew(acme: Organization, zone: str) -> None:
    for month in (SEPTEMBER, NOVEMBER):
        close(acme, month)
    acme.zone = zone
    acme.save()
    before, between, after = (months.borders(acme, month) for month in (date(2026, 8, 1), OCTOBER, date(2026, 12, 1)))
    berlin = ZoneInfo("Europe/Berlin")
    assert before.end == datetime(2026, 9, 1, tzinfo=berlin)
    assert (between.start, between.end) == (
        datetime(2026, 10, 1, tzinfo=berlin),
        datetime(2026, 11, 1, tzinfo=berlin),
    )
    assert after.start == datetime(2026, 12, 1, tzinfo=berlin)
    assert after.end == datetime(2027, 1, 1, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "month"), [("2026-10", OCTOBER), ("2026-01", date(2026, 1, 1)), ("1999-12", date(1999, 12, 1))]
)
def test_months_are_read(text: str, month: date) -> None:
    assert months.parse_month(text) == month


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "2026-1", "2026-10-01", "10-2026", "October", "2026-W10", "2026-10\n"]
)
def test_what_is_no_month_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month such as 2026-10") as refusal:
        months.parse_month(text)
    assert f"“{text}”" in str(refusal.value)


def test_months_follow_each_other_over_the_year() -> None:
    assert months.following(date(2026, 12, 1)) == date(2027, 1, 1)
    assert months.preceding(date(2027, 1, 1)) == date(2026, 12, 1)
    assert months.following(SEPTEMBER) == OCTOBER == months.preceding(NOVEMBER)
    assert months.name_of(OCTOBER) == "October 2026"
