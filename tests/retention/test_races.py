"""What is under way while the watermark moves is either before it, whole, or after it, refused."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from analytics import rollups
from analytics.rollups import hours
from analytics.rollups.hours import rebuild_hour
from ingestion import services
from ingestion.models import ChangedHour, LLMRequest, MetadataKey, Watermark
from ingestion.purging import Subject
from ingestion.repricing import storage
from ingestion.services import Outcome
from tests import make
from tests.retention.scene import FIRST, NOW, aggregates, days_ago, floor, four_months, old, purge

pytestmark = pytest.mark.django_db(transaction=True)


def _beside(work: Callable[[], object]) -> threading.Thread:
    def do() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=do)
    thread.start()
    return thread


def _only_with_several_writers() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer: nothing is under way while the watermark moves")


def test_a_batch_under_way_is_waited_for_and_keeps_its_hour() -> None:
    _only_with_several_writers()
    organization = four_months(20)
    stored, go_on = threading.Event(), threading.Event()
    record = make.record(request_id="late", started_at=FIRST)

    def hold_open(outcome: Outcome) -> None:
        assert outcome.accepted == 1
        stored.set()
        assert go_on.wait(20)

    def write() -> None:
        batch = services.prepare(organization=organization, items=[(0, record)], source="test", now=NOW, past_days=None)
        services.store(batch, hold_open)

    writer = _beside(write)
    assert stored.wait(20)
    remover = _beside(lambda: purge(organization))
    remover.join(0.5)
    assert remover.is_alive(), "the watermark did not wait for the batch"
    go_on.set()
    writer.join(20)
    remover.join(20)
    assert floor(organization) <= FIRST
    assert LLMRequest.objects.filter(request_id="late").exists()
    rollups.drain(organization.pk)
    assert rollups.verify(organization, NOW).differences == ()


def test_a_batch_that_was_prepared_before_is_refused() -> None:
    organization = four_months(20)
    record = make.record(request_id="late", started_at=FIRST)
    batch = services.prepare(organization=organization, items=[(0, record)], source="test", now=NOW, past_days=None)
    purge(organization)
    outcome = services.store(batch)
    assert [one.code.value for one in outcome.rejected] == ["time_window"]
    assert not ChangedHour.objects.exists()


def test_a_repricing_under_way_is_waited_for() -> None:
    _only_with_several_writers()
    organization = four_months(20)
    hour = LLMRequest.objects.order_by("hour_start")[0].hour_start
    held, go_on = threading.Event(), threading.Event()

    def reprice() -> None:
        with transaction.atomic():
            storage.lock(organization.pk)
            held.set()
            assert go_on.wait(20)
            storage.log_hours(organization.pk, [hour], NOW)

    writer = _beside(reprice)
    assert held.wait(20)
    remover = _beside(lambda: purge(organization))
    remover.join(0.5)
    go_on.set()
    writer.join(20)
    remover.join(20)
    assert floor(organization) <= hour
    assert LLMRequest.objects.filter(hour_start=hour).exists()


def test_a_key_that_is_being_registered_is_waited_for() -> None:
    from ingestion.metadata import register

    _only_with_several_writers()
    organization = four_months(20)
    key = MetadataKey.objects.create(organization=organization, name="tenant")
    held, go_on = threading.Event(), threading.Event()

    def registers() -> None:
        with transaction.atomic():
            register(key, NOW)
            held.set()
            assert go_on.wait(20)

    writer = _beside(registers)
    assert held.wait(20)
    remover = _beside(lambda: purge(organization))
    remover.join(0.5)
    assert remover.is_alive()
    go_on.set()
    writer.join(20)
    remover.join(20)
    assert MetadataKey.objects.get(pk=key.pk).known_from is None
    assert floor(organization) <= FIRST  # its hours wait for the rollup
    rollups.drain(organization.pk)
    assert rollups.verify(organization, NOW).differences == ()


def test_an_hour_that_lost_requests_while_it_was_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that came late reads the hour while it is purged: what it has read must not be stored."""
    organization = four_months(20)
    before, read = aggregates(), hours.aggregate_hour
    hour = LLMRequest.objects.order_by("hour_start")[0].hour_start

    def slowly(organization_id: int, hour_start: object) -> object:
        purger = _beside(lambda: purge(organization))
        purger.join(20)
        return read(organization_id, hour_start)  # type: ignore[arg-type] # passed on

    _only_with_several_writers()
    monkeypatch.setattr(hours, "aggregate_hour", slowly)
    rebuild_hour(organization, hour)
    assert floor(organization) > hour
    assert not LLMRequest.objects.filter(hour_start=hour).exists()
    assert aggregates() == before


def test_records_of_the_first_kept_hour_are_taken() -> None:
    organization = four_months(20)
    purge(organization)
    make.request(organization, now=NOW, started_at=floor(organization))
    make.request(organization, now=NOW, started_at=floor(organization) + timedelta(minutes=59))
    rollups.drain(organization.pk)
    assert rollups.verify(organization, NOW).differences == ()


def test_two_at_once_remove_everything_once(small_chunks: int) -> None:
    organization = four_months()
    gone, before = old(organization, days_ago(organization, 90)), aggregates()
    assert gone > small_chunks

    def one(_: int) -> int:
        try:
            return purge(organization).removed[Subject.REQUESTS]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        removed = list(pool.map(one, range(3)))
    assert sum(removed) == gone
    assert Watermark.objects.get(subject=Subject.REQUESTS).removed == gone
    assert old(organization, days_ago(organization, 90)) == 0
    assert aggregates() == before
