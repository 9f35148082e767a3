"""Aggregates whose requests are gone stay as they are, whatever rings, comes late, or asks for a rebuild."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command

from analytics import rollups
from analytics.models import ChangedDay, DayAggregate, HourAggregate
from analytics.rollups import hours
from analytics.rollups.days import rebuild_day
from analytics.rollups.hours import rebuild_hour
from ingestion.metadata import register
from ingestion.models import ChangedHour, LLMRequest, MetadataKey, PriceEntry, RepriceRun
from ingestion.repricing.windows import Read, Repricing, Window
from metricsportal.lib.localtime import day_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization
from tests import make
from tests.retention.scene import FIRST, NOW, aggregates, floor, purge

Disturbance = Callable[[Organization], object]


def _rebuild(organization: Organization) -> None:
    for hour in {*HourAggregate.objects.values_list("bucket_start", flat=True)}:
        if hour < floor(organization):
            assert rebuild_hour(organization, hour) == 0


def _stale_rows(organization: Organization) -> None:
    for hour in {*HourAggregate.objects.values_list("bucket_start", flat=True)}:
        ChangedHour.objects.create(organization=organization, hour_start=hour)


def _command(organization: Organization) -> None:
    call_command("rollup", "--rebuild", "--from", "2026-07-01", "--to", "2026-12-10", "--drain")


def _reprice(organization: Organization) -> None:
    make.price("gpt-5", ("output", "input")[PriceEntry.objects.count()], "7")
    words = ["--from", "2026-07-01", "--to", "2026-12-10", "--apply", "--reason", "test"]
    with time_machine.travel(NOW, tick=False):
        call_command("reprice", "--organization", organization.slug, *words)


DISTURBANCES: tuple[Disturbance, ...] = (
    _rebuild,
    _stale_rows,
    _command,
    lambda organization: rollups.rebuild(organization, TimeRange(FIRST - timedelta(days=9), NOW)),
    _reprice,
)


def _of_purged_hours(organization: Organization) -> list[tuple[object, ...]]:
    position = [field.attname for field in HourAggregate._meta.concrete_fields].index("bucket_start") + 1
    return [row for row in aggregates(HourAggregate) if row[position] < floor(organization)]


@pytest.mark.parametrize("number", range(len(DISTURBANCES)))
def test_nothing_rolls_a_purged_hour_anew(organization: Organization, small_chunks: int, number: int) -> None:
    """Neither while its requests are going, nor when they are gone."""
    purge(organization, chunks=1)
    assert small_chunks
    assert LLMRequest.objects.filter(hour_start__lt=floor(organization)).exists()
    before, days = _of_purged_hours(organization), _sums(DayAggregate, organization)
    assert len(before) > 5
    for _ in ("going", "gone"):
        DISTURBANCES[number](organization)
        rollups.drain(organization.pk)
        assert _of_purged_hours(organization) == before
        assert _sums(DayAggregate, organization) == days
        assert not ChangedHour.objects.exists()
        purge(organization)
    found = rollups.verify(organization, NOW)
    assert (found.differences, found.skipped) == ((), 0)


def test_nothing_is_found_wrong_while_requests_are_going(organization: Organization, small_chunks: int) -> None:
    purge(organization, chunks=1)
    assert small_chunks
    assert LLMRequest.objects.filter(hour_start__lt=floor(organization)).exists()
    _stale_rows(organization)
    rollups.drain(organization.pk)
    found = rollups.verify(organization, NOW)
    assert (found.differences, found.skipped) == ((), 0)


def _sums(table: type[DayAggregate], organization: Organization) -> list[tuple[object, ...]]:
    """Day rows are written anew from their hours: all but their ids stays."""
    names = [field.attname for field in table._meta.concrete_fields if field.name != "id"]
    rows = table.objects.filter(organization=organization, bucket_start__lt=floor(organization)).values_list(*names)
    return sorted((tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows), key=repr)


def test_a_key_registered_later_leaves_purged_hours_alone_and_knows_since_when(organization: Organization) -> None:
    MetadataKey.objects.create(organization=organization, name="tenant")
    purge(organization)
    before = _of_purged_hours(organization)
    key = MetadataKey.objects.get(name="tenant")
    register(key, NOW)
    assert key.known_from == floor(organization)
    assert ChangedHour.objects.exists()
    rollups.drain(organization.pk)
    assert _of_purged_hours(organization) == before
    assert rollups.verify(organization, NOW).differences == ()


def test_a_key_registered_before_anything_went_is_always_known(organization: Organization) -> None:
    assert MetadataKey.objects.get(name="environment").known_from is None


@pytest.mark.usefixtures("short_hours")
def test_days_whose_hours_are_gone_stay(organization: Organization) -> None:
    purge(organization)
    before = aggregates(DayAggregate)
    first = DayAggregate.objects.order_by("bucket_start")[0].bucket_start
    assert rebuild_day(organization, first) == 0
    ChangedDay.objects.create(organization=organization, day_start=first)
    hour = ChangedHour.objects.create(organization=organization, hour_start=FIRST).hour_start
    rollups.drain(organization.pk)
    assert rebuild_hour(organization, hour) == 0
    assert aggregates(DayAggregate) == before
    assert not ChangedDay.objects.exists()
    found = rollups.verify(organization, NOW)
    assert (found.differences, found.skipped) == ((), 0)


def test_days_are_still_compared_with_their_hours(organization: Organization) -> None:
    purge(organization)
    first = DayAggregate.objects.filter(bucket_start__lt=floor(organization)).order_by("bucket_start")[0]
    day = DayAggregate.objects.filter(bucket_start=first.bucket_start).order_by("pk")[0]
    day.delete()
    found = rollups.verify(organization, NOW).differences
    assert {(one.level, one.bucket_start) for one in found} == {("day", first.bucket_start)}


def test_hours_that_are_not_purged_are_still_compared_with_their_requests(organization: Organization) -> None:
    purge(organization)
    kept = HourAggregate.objects.filter(bucket_start__gte=floor(organization)).order_by("bucket_start", "pk")[0]
    HourAggregate.objects.filter(pk=kept.pk).delete()
    assert {one.bucket_start for one in rollups.verify(organization, NOW).differences if one.level == "hour"} == {
        kept.bucket_start
    }


def test_what_is_purged_while_it_is_compared_is_no_false_alarm(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every hour is found without its requests, and the purge is the reason: nothing else must be said."""
    original, done = hours.aggregate_hour, list[int]()

    def late(organization_id: int, hour: datetime) -> object:
        if not done:
            done.append(1)
            purge(organization)
        return original(organization_id, hour)

    monkeypatch.setattr("analytics.rollups.verification.aggregate_hour", late)
    assert rollups.verify(organization, NOW).differences == ()
    assert done
    assert LLMRequest.objects.count() < 60


def test_repricing_leaves_what_is_being_removed_alone(organization: Organization, small_chunks: int) -> None:
    make.price("gpt-5", "output", "5", effective_from=make.LONG_AGO)
    purge(organization, chunks=1)
    assert small_chunks
    dying = LLMRequest.objects.filter(hour_start__lt=floor(organization))
    states = sorted(dying.values_list("pk", "cost", "cost_state"))
    assert states
    make.price("gpt-5", "input", "3")
    words = ["--from", "2026-07-01", "--to", "2026-12-10", "--apply", "--reason", "test"]
    with time_machine.travel(NOW, tick=False):
        call_command("reprice", "--organization", organization.slug, *words)
    assert sorted(dying.values_list("pk", "cost", "cost_state")) == states
    young = LLMRequest.objects.filter(hour_start__gte=floor(organization), model__name="gpt-5", status_code=200)
    assert {Decimal(cost or 0) > 0 for cost in young.values_list("cost", flat=True)} == {True}


def test_repricing_looks_again_when_the_watermark_has_moved(
    organization: Organization, small_chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before it moved must not be written: no aggregate would follow."""
    read = Repricing.window

    def then_purged(self: Repricing, asked: Read) -> Window:
        found = read(self, asked)
        if RepriceRun.objects.filter(state="applying").exists() and floor(organization).year == 1970:
            purge(organization, chunks=0)  # moves the watermark and nothing else
        return found

    assert small_chunks
    make.price("gpt-5", "output", "5")
    make.price("gpt-5", "input", "3")
    monkeypatch.setattr(Repricing, "window", then_purged)
    words = ["--from", "2026-07-01", "--to", "2026-12-10", "--apply", "--reason", "test"]
    with time_machine.travel(NOW, tick=False):
        call_command("reprice", "--organization", organization.slug, *words)
    priced = LLMRequest.objects.exclude(cost_state="unpriced").values_list("hour_start", flat=True)
    assert LLMRequest.objects.filter(hour_start__lt=floor(organization)).exists()
    assert min(priced) >= floor(organization)


def test_day_of_the_watermark_is_a_whole_one(organization: Organization) -> None:
    purge(organization)
    assert floor(organization) == day_start(floor(organization), zone(organization.zone))
