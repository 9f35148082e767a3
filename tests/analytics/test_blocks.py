"""What is remembered of stored rows is what is stored, and takes no more room than allowed."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from analytics import rollups
from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import Population, select
from analytics.models import DayAggregate, HourAggregate
from analytics.query import engine, stored
from analytics.query.blocks import MEMORY, Block, Memory
from analytics.query.flat import flat
from analytics.query.values import Query, Result
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def store(organization: Organization, prefix: str, count: int = 60) -> None:
    dice = random.Random(count)  # as many again are in the same hours, which are few: each is rolled up on its own
    records = [
        RequestRecord(
            request_id=f"{prefix}-{number}",
            started_at=NOW - timedelta(hours=5 * dice.randrange(14), minutes=35 + dice.randrange(20)),
            model=f"model-{number % 3}",
            user=f"user-{number % 7}",
            input_tokens=dice.randrange(1, 5_000),
            latency_ms=dice.uniform(1, 5_000),
            status_code=200,
        )
        for number in range(count)
    ]
    outcome = ingest_records(organization=organization, records=records, source="test", now=NOW, past_days=None)
    assert outcome.accepted == count
    rollups.drain(organization.pk)


def question(organization: Organization) -> Query:
    return Query(
        scope=scope_of_organization(organization),
        period=TimeRange(NOW - timedelta(days=4), NOW),
        selections=(select("requests"), select("input_tokens"), select("latency", "p50"), select("latency", "max")),
        group_by=(BY_NAME["user"],),
        interval=Interval.HOUR,
        population=Population.ALL,
    )


def ask(organization: Organization, **more: Any) -> Result:
    return engine.run(replace(question(organization), **more), NOW)


def numbers(result: Result) -> Any:
    return [(one.labels, one.values, one.total, one.samples) for one in (*result.series, result.summary)]


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many blocks each reading of stored rows had to fetch."""
    counts: list[int] = []
    fetch = stored._unpacked

    def counted(level: str, wanted: Any) -> Any:
        counts.append(len(wanted))
        return fetch(level, wanted)

    monkeypatch.setattr(stored, "_unpacked", counted)
    return counts


@pytest.mark.django_db
def test_only_the_blocks_of_rows_that_were_replaced_are_read_again(unpacked: list[int], acme: Organization) -> None:
    store(acme, "first")
    before = numbers(ask(acme))
    assert sum(unpacked) > 3
    unpacked.clear()
    assert numbers(ask(acme)) == before
    assert sum(unpacked) == 0
    hour = HourAggregate.objects.order_by("bucket_start")[0].bucket_start
    rollups.hours.rebuild_hour(acme, hour)
    rollups.drain(acme.pk)
    assert numbers(ask(acme)) == before
    assert 0 < sum(unpacked) < 4


@pytest.mark.django_db
def test_new_requests_are_seen_at_once(acme: Organization, settings: Any) -> None:
    store(acme, "first")
    assert ask(acme).summary.total_requests == 60
    store(acme, "second", 25)
    remembered = [numbers(ask(acme, interval=interval)) for interval in (Interval.HOUR, Interval.DAY, None)]
    assert remembered[0][-1][2][0] == 85
    settings.AGGREGATE_CACHE_MB = 0
    store(acme, "third", 1)  # whose own reading forgets everything
    ask(acme)
    assert not MEMORY._blocks
    settings.AGGREGATE_CACHE_MB = 1
    again = numbers(ask(acme))
    assert again[-1][2][0] == 86


@pytest.mark.django_db
def test_a_row_that_got_the_id_of_another_is_not_taken_for_it(acme: Organization) -> None:
    store(acme, "first")
    assert ask(acme).summary.total_requests == 60
    ids = {(row.bucket_start, row.grain): row.pk for row in HourAggregate.objects.filter(metadata_key=None)}
    store(acme, "second")
    for row in HourAggregate.objects.filter(metadata_key=None):  # as after a restore, or a sequence that was set back
        reused = ids.get((row.bucket_start, row.grain))
        if reused and not HourAggregate.objects.filter(pk=reused).exists():
            HourAggregate.objects.filter(pk=row.pk).update(id=reused)
    assert {*ids.values()} == {*HourAggregate.objects.filter(metadata_key=None).values_list("pk", flat=True)}
    assert ask(acme).summary.total_requests == 120


@pytest.mark.django_db
def test_what_is_read_for_a_file_is_not_remembered(acme: Organization) -> None:
    store(acme, "first")
    MEMORY._blocks.clear()
    rows = sum(len(part) for part in flat(question(acme), NOW))
    assert rows > 20
    assert not MEMORY._blocks
    ask(acme)
    assert MEMORY._blocks


@pytest.mark.django_db
def test_rows_that_are_replaced_while_they_are_looked_for_are_looked_for_again(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(acme, "first")
    fetch, times = stored._unpacked, []

    def replaced_meanwhile(level: str, wanted: Any) -> Any:
        times.append(level)
        if len(times) == 1:
            rollups.hours.rebuild_hour(acme, datetime.fromtimestamp(wanted[0][0][0], UTC))
        return fetch(level, wanted)

    monkeypatch.setattr(stored, "_unpacked", replaced_meanwhile)
    assert ask(acme).summary.total_requests == 60
    assert len(times) > 1


@pytest.mark.django_db
def test_every_writing_of_a_row_has_a_stamp_of_its_own(acme: Organization) -> None:
    store(acme, "first")
    stamps = [
        *HourAggregate.objects.values_list("stamp", flat=True),
        *DayAggregate.objects.values_list("stamp", flat=True),
    ]
    assert len({*stamps}) == len(stamps) > 50


@pytest.mark.django_db
def test_entries_of_fewer_cells_come_from_those_of_more(acme: Organization) -> None:
    store(acme, "first", 200)
    everyone = numbers(ask(acme, limit=None))
    few = ask(acme, limit=3, other=False)  # the blocks remember the entries of all users
    assert numbers(few)[:3] == everyone[:3]
    MEMORY._blocks.clear()
    assert numbers(ask(acme, limit=3, other=False)) == numbers(few)


def test_what_was_not_used_for_longest_is_forgotten(settings: Any) -> None:
    settings.AGGREGATE_CACHE_MB = 1
    memory = Memory()
    block = Block([], [], [])
    block.seconds = np.zeros(50_000, dtype=np.int64)  # 0.4 MB
    for key in "abc":
        memory.add(key, block)
        memory.get("a")
    assert [memory.get(key) is None for key in "abc"] == [False, True, False]
    settings.AGGREGATE_CACHE_MB = 0
    memory.add("d", block)
    assert [memory.get(key) for key in "abcd"] == [None] * 4
