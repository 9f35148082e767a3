"""A pass of the rollups lets others write, ends in time, and does not repeat what another pass has done."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from analytics import rollups, tasks
from analytics.models import ChangedDay, HourAggregate
from analytics.rollups import pace
from analytics.rollups.pace import REST, Pace
from ingestion.models import ChangedHour
from tests import make
from tests.analytics.world import store

HOURS = 4


@pytest.fixture
def hours() -> list[object]:
    """Hours that wait, oldest first."""
    times = [make.NOW - timedelta(hours=number) for number in range(HOURS)]
    store(make.organization(), *({"request_id": f"r{at:%H}", "started_at": at} for at in times))
    return list(ChangedHour.objects.order_by("hour_start").values_list("hour_start", flat=True))


def test_it_rests_for_other_writers_where_there_is_one_writer_and_ends_in_time() -> None:
    now, rests = [100.0], list[float]()
    go_on = Pace(10, clock=lambda: now[0], sleep=rests.append)
    assert go_on()
    now[0] = 109.9
    assert go_on()
    now[0] = 110.0
    assert not go_on()
    assert rests == ([REST, REST] if connection.vendor == "sqlite" else [])


@pytest.mark.django_db
def test_a_pass_ends_where_it_is_told_and_the_next_one_goes_on(hours: list[datetime]) -> None:
    answers = iter((True, False))
    assert rollups.drain(go_on=lambda: next(answers)).hours == 2
    assert list(ChangedHour.objects.order_by("hour_start").values_list("hour_start", flat=True)) == hours[2:]
    done = rollups.drain()
    assert done.hours == HOURS - 2
    assert not ChangedHour.objects.exists()
    assert not ChangedDay.objects.exists()


@pytest.mark.django_db
def test_what_another_pass_did_meanwhile_is_not_done_again(hours: list[datetime]) -> None:
    def other_pass() -> bool:
        ChangedHour.objects.filter(hour_start=hours[1]).delete()
        return True

    assert rollups.drain(go_on=other_pass).hours == HOURS - 1
    assert not HourAggregate.objects.filter(bucket_start=hours[1]).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("hours")
def test_the_scheduled_sweep_keeps_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "REST", 0)
    monkeypatch.setattr(tasks, "SWEEP_SECONDS", 0)
    assert tasks.sweep() == 1
    monkeypatch.setattr(tasks, "SWEEP_SECONDS", 50)
    assert tasks.sweep() == HOURS - 1
