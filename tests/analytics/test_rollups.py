"""Rollups equal the facts: after every order of events, twice, with others at work, and after any corruption."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from analytics import rollups
from analytics.models import ChangedDay, DayAggregate, HourAggregate, VerificationRun
from analytics.rollups.days import rebuild_day
from analytics.rollups.hours import rebuild_hour
from analytics.tasks import sweep
from ingestion.models import ChangedHour, LLMRequest
from ingestion.services import ingest_records
from metricsportal.lib.localtime import day_start, hour_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization
from tests import make
from tests.analytics.tampering import plus, tamper
from tests.make import NOW


def ingest(organization: Organization, count: int, seed: int = 1, prefix: str = "r", hours: int = 50) -> None:
    """Store so many requests of every third of the last hours, by chance: each hour is rolled up on its own."""
    dice = random.Random(seed)
    records = [
        make.record(
            request_id=f"{prefix}{number}",
            started_at=NOW - timedelta(hours=3 * dice.randint(1, -(-hours // 3)), minutes=-dice.randrange(60)),
            model=dice.choice(["gpt-5", "claude"]),
            user=dice.choice(["ann", "bob"]),
            team=dice.choice(["Search", "Ads", None]),
            virtual_model=dice.choice(["chat", None]),
            metadata=dice.choice([{}, {"environment": "prod"}]),
            latency_ms=dice.lognormvariate(7, 1),
            status_code=dice.choice([200, 200, 429]),
        )
        for number in range(count)
    ]
    outcome = ingest_records(organization=organization, records=records, source="test", now=NOW, past_days=None)
    assert outcome.accepted == count


def _rows() -> list[tuple[Any, ...]]:
    """All aggregates without their ids and stamps, in one order."""
    answer = []
    for table in (HourAggregate, DayAggregate):
        names = [field.attname for field in table._meta.concrete_fields if field.name not in ("id", "stamp")]
        for row in table._default_manager.values_list(*names):
            answer.append(tuple(bytes(one) if isinstance(one, memoryview | bytes) else one for one in row))
    return sorted(answer, key=repr)


@pytest.mark.django_db
def test_aggregates_equal_the_facts_and_both_logs_are_empty() -> None:
    organization = make.organization(zone="Asia/Kathmandu")
    ingest(organization, 120)
    done = rollups.drain()
    assert done.hours > 0
    assert done.days in (3, 4)
    assert not ChangedHour.objects.exists()
    assert not ChangedDay.objects.exists()
    result = rollups.verify(organization, NOW)
    assert result.differences == ()
    assert result.skipped == 0
    assert result.cells > 100
    assert VerificationRun.objects.get().differences == 0


@pytest.mark.django_db
def test_a_second_run_changes_nothing_and_a_late_record_is_found() -> None:
    organization = make.organization()
    ingest(organization, 60)
    rollups.drain()
    before = _rows()
    hour = hour_start(NOW - timedelta(hours=3), zone("UTC"))
    rebuild_hour(organization, hour)
    rebuild_day(organization, day_start(hour, zone("UTC")))
    assert _rows() == before
    make.request(organization, started_at=NOW - timedelta(hours=3), model="late")
    rollups.drain()
    assert _rows() != before
    assert rollups.verify(organization, NOW).differences == ()


@pytest.mark.django_db
def test_dropping_every_aggregate_and_rebuilding_restores_them() -> None:
    organization = make.organization(zone="America/St_Johns")
    ingest(organization, 60)
    rollups.drain()
    before = _rows()
    HourAggregate.objects.all().delete()
    DayAggregate.objects.all().delete()
    rollups.rebuild(organization, TimeRange(NOW - timedelta(days=5), NOW + timedelta(days=1)))
    rollups.drain()
    assert _rows() == before


@pytest.mark.django_db
def test_the_scheduled_sweep_drains_every_organization() -> None:
    for _ in range(2):
        ingest(make.organization(), 10)
    assert sweep() > 1
    assert not ChangedHour.objects.exists()


@pytest.mark.django_db
def test_the_command_lists_differences_and_exits_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    organization = make.organization("acme")
    ingest(organization, 10)
    call_command("rollup", "--drain")
    call_command("verify_rollups", "--organization", "acme")
    tamper(HourAggregate.objects.filter(grain="total").order_by("pk")[0], plus("cost", 5))
    with pytest.raises(SystemExit) as status:
        call_command("verify_rollups")
    assert status.value.code == 1
    assert "stored 5, facts say 0" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_commits_while_its_hour_is_rolled_up_is_not_lost() -> None:
    """The log is append-only: the row of the second fact survives the rollup that could not see it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer: the interleaving cannot happen there")
    organization = make.organization()
    make.request(organization, request_id="first")
    started, proceed = threading.Event(), threading.Event()

    def late() -> None:
        started.wait(20)
        make.request(organization, request_id="second")
        proceed.set()
        connections.close_all()

    thread = threading.Thread(target=late)
    thread.start()
    with transaction.atomic():
        ChangedHour.objects.filter(organization=organization).delete()
        started.set()
        assert proceed.wait(20)
    thread.join()
    assert ChangedHour.objects.filter(organization=organization).count() == 1
    rollups.drain()
    assert HourAggregate.objects.get(grain="total").requests == 2


def _at_once(*works: Callable[[], object]) -> None:
    """Do all of it in threads of their own; what one of them raises is raised here."""

    def do(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(do, works))


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_and_rollups_end_equal() -> None:
    organization = make.organization()

    def write(writer: int) -> None:
        for turn in range(4):
            ingest(organization, 15, seed=writer, prefix=f"w{writer}-{turn}-")

    def roll() -> None:
        for _ in range(4):
            rollups.drain(organization.pk)

    _at_once(lambda: write(1), lambda: write(2), roll, roll)
    rollups.drain(organization.pk)
    assert LLMRequest.objects.count() == 120
    assert rollups.verify(organization, NOW).differences == ()
    assert not ChangedHour.objects.exists()
    assert not ChangedDay.objects.exists()
