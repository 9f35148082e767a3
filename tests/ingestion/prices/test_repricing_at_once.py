"""Repricing beside ingest, beside itself, and by several workers at a time, over real transactions."""

import gc
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from analytics import rollups
from ingestion import services
from ingestion.models import ChangedHour, LLMRequest, RepriceRun
from ingestion.repricing import runs, storage, windows, work
from ingestion.repricing.tally import Sums, tally_of
from metricsportal.lib import border
from teams.models import AuditEntry, Organization
from tests import make
from tests.chargeback.scene import at_once
from tests.ingestion.prices.repricing import apply, at, everything, finish, pico, preview

pytestmark = pytest.mark.django_db(transaction=True)
ONE = pico("0.0035")
STORED = 120


@pytest.fixture(autouse=True)
def many(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests without a price in small windows, then the prices."""
    monkeypatch.setitem(windows.WINDOWS, connection.vendor, 11)
    monkeypatch.setitem(windows.PARTS, connection.vendor, 2)
    send(acme, "old", STORED)
    make.price("gpt-4o", "input", "2.5")
    make.price("gpt-4o", "output", "10")


def send(organization: Organization, name: str, count: int) -> int:
    """Requests over ten hours, in one batch; how many were stored."""
    records = [
        make.record(request_id=f"{name}-{number}", started_at=at(11) + timedelta(minutes=5 * number))
        for number in range(count)
    ]
    outcome = services.ingest_records(
        organization=organization, records=records, source="test", now=make.NOW, past_days=None
    )
    return outcome.accepted


def worker(run: RepriceRun) -> Callable[[], int]:
    return lambda: work.carry_out(run.pk, clock=timezone.now, chunks=1_000)


def test_beside_ingest(acme: Organization) -> None:
    rollups.drain(acme.pk)
    run, _ = runs.begin(selection=everything(acme), reason="")

    def arrive() -> int:
        return sum(send(acme, f"new-{number}", 12) for number in range(10))

    def roll() -> int:
        return sum(rollups.drain(acme.pk).hours for _ in range(5))

    done = at_once(arrive, worker(run), arrive, roll)
    assert done[0] + done[2] == 120
    run.refresh_from_db()
    assert (run.state, tally_of(run.result).total.changed) == (runs.State.APPLIED, STORED)
    assert set(LLMRequest.objects.values_list("cost_state", "cost")) == {("computed", ONE)}
    rollups.drain(acme.pk)
    verified = rollups.verify(acme, make.NOW)
    assert (verified.skipped, verified.differences) == (0, ())
    assert verified.cells > 0


def test_two_reprices_at_once_change_every_request_once(acme: Organization) -> None:
    first, _ = runs.begin(selection=everything(acme), reason="first")
    second, _ = runs.begin(selection=everything(acme, model="gpt-4o"), reason="second")
    assert first.pk != second.pk
    at_once(worker(first), worker(second))
    changed = 0
    for run in (first, second):
        run.refresh_from_db()
        total = tally_of(run.result).total
        assert (run.state, total.requests, total.after) == (runs.State.APPLIED, STORED, STORED * ONE)
        changed += total.changed
    assert changed == STORED
    assert AuditEntry.objects.count() == 2
    assert preview(everything(acme)).total.changed == 0


def test_several_workers_share_one_run(acme: Organization) -> None:
    run, _ = runs.begin(selection=everything(acme), reason="")
    parts = at_once(*[worker(run)] * 3)
    run.refresh_from_db()
    assert (run.state, tally_of(run.result).total) == (
        runs.State.APPLIED,
        Sums(STORED, STORED, 0, STORED * ONE, STORED),
    )
    assert sum(parts) == 2 * -(-STORED // 11)
    assert AuditEntry.objects.count() == 1


def test_a_run_that_fails_in_the_middle_leaves_no_half_of_a_part(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    ChangedHour.objects.all().delete()
    run, _ = runs.begin(selection=everything(acme), reason="")
    write = storage.write
    written: list[int] = []

    def break_off(changes: list[storage.Change], version: int) -> int:
        written.append(write(changes, version))
        if len(written) == 3:
            raise KeyboardInterrupt
        return written[-1]

    monkeypatch.setattr(storage, "write", break_off)
    with pytest.raises(KeyboardInterrupt):
        work.carry_out(run.pk, clock=timezone.now, chunks=1_000)
    monkeypatch.undo()
    run.refresh_from_db()
    stored = LLMRequest.objects.filter(cost_state="computed")
    assert stored.count() == sum(written[:2]) == tally_of(run.result).total.changed
    told = set(ChangedHour.objects.values_list("hour_start", flat=True))
    assert told == set(stored.values_list("hour_start", flat=True))
    assert finish(run).total == Sums(STORED, STORED, 0, STORED * ONE, STORED)
    assert apply(everything(acme)).total.changed == 0


def after_the_first_look(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen when the first window has been read and nothing of it is written."""
    read, acted = work._read, list[bool]()

    def read_and_act(repricing: windows.Repricing, run_id: int, place: windows.Place) -> object:
        found = read(repricing, run_id, place)
        if not acted:
            acted.append(True)
            act()
        return found

    monkeypatch.setattr(work, "_read", read_and_act)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite reads no window ahead")
def test_nothing_is_being_read_while_the_later_parts_are_written(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that is still reading keeps the replaced rows of the part before, and their pages full."""
    read, store, reading = windows.Repricing.read, windows.Repricing.store, threading.Event()
    stored: list[bool] = []

    def read_slowly(repricing: windows.Repricing, place: windows.Place) -> windows.Read:
        reading.set()
        found = read(repricing, place)
        time.sleep(0.5)  # longer than it takes to write a part of 30
        reading.clear()
        return found

    def store_and_tell(repricing: windows.Repricing, part: windows.Part, version: int, now: datetime) -> bool:
        stored.append(reading.is_set())
        return store(repricing, part, version, now)

    monkeypatch.setitem(windows.WINDOWS, connection.vendor, 60)
    monkeypatch.setattr(windows.Repricing, "read", read_slowly)
    monkeypatch.setattr(windows.Repricing, "store", store_and_tell)
    assert apply(everything(acme)).total.changed == STORED
    assert len(stored) == 4  # two windows of two parts
    assert not any(stored[1::2])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite waits for the disk in its own way")
def test_only_the_end_of_a_run_waits_for_the_disk(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end is in the log of the database behind every part, so it is not on the disk before them."""
    write, end, waits = storage.write, runs.finish, list[tuple[str, str]]()

    def how_it_commits(what: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            waits.append((what, cursor.fetchone()[0]))

    def write_and_ask(changes: Sequence[storage.Change], version: int) -> int:
        written = write(changes, version)
        how_it_commits("part")
        return written

    def end_and_ask(run: RepriceRun) -> None:
        end(run)
        how_it_commits("end")

    monkeypatch.setattr(storage, "write", write_and_ask)
    monkeypatch.setattr(work, "finish", end_and_ask)
    apply(everything(acme))
    assert set(waits[:-1]) == {("part", "off")}
    assert waits[-1] == ("end", "on")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one thread for both")
def test_the_process_is_left_as_it_was(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns of threads and the search for garbage are settings of the process, also when a run breaks."""
    before, inside = (sys.getswitchinterval(), gc.get_threshold()), list[object]()

    def break_off(*_: object) -> bool:
        inside.append((sys.getswitchinterval(), gc.get_threshold()))
        raise RuntimeError("disk full")

    monkeypatch.setattr(windows.Repricing, "store", break_off)
    with pytest.raises(RuntimeError, match="disk full"):
        apply(everything(acme))
    assert inside
    assert inside[0] != before
    assert (sys.getswitchinterval(), gc.get_threshold()) == before


def test_prices_that_come_between_reading_and_writing_are_not_missed(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window was priced by the book of before: it is priced again, not written."""
    run, _ = runs.begin(selection=everything(acme), reason="")

    def somebody_else() -> None:
        with border.everything("prices of the installation"):
            make.price("gpt-4o", "input", "5", effective_from=at(1))

    after_the_first_look(monkeypatch, somebody_else)
    finish(run)
    assert set(LLMRequest.objects.values_list("cost", flat=True)) == {pico("0.006")}


def test_requests_that_are_deleted_between_reading_and_writing_are_not_counted(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = runs.begin(selection=everything(acme), reason="")
    gone = LLMRequest.objects.filter(request_id__in=["old-0", "old-1"])
    after_the_first_look(monkeypatch, gone.delete)
    assert finish(run).total == Sums(STORED - 2, STORED - 2, 0, (STORED - 2) * ONE, STORED - 2)


def test_what_another_run_writes_between_reading_and_writing_is_not_counted_twice(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = runs.begin(selection=everything(acme), reason="")
    other, _ = runs.begin(selection=everything(acme, model="gpt-4o"), reason="")
    after_the_first_look(monkeypatch, lambda: work.carry_out(other.pk, clock=timezone.now, chunks=3))
    changed = finish(run).total.changed
    assert 0 < changed < STORED
    assert changed + finish(other).total.changed == STORED
