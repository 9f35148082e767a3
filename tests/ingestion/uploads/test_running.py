"""Imports by workers: several at once, dead ones, and those that were only thought dead."""

import gzip
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.db import connection
from kombu.exceptions import OperationalError
from pytest_django import Settings

from ingestion import leasing, services
from ingestion.imports import import_file
from ingestion.models import IngestBatch, LLMRequest, Upload
from ingestion.uploads import queue, running
from ingestion.uploads.running import run
from teams.models import Organization
from tests import make
from tests.ingestion.uploads import content
from tests.ingestion.uploads.conftest import Store

pytestmark = pytest.mark.django_db(transaction=True)
COUNTS = ("state", "accepted", "duplicate", "conflict", "tries")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three records a batch, so that a few records are many batches."""
    monkeypatch.setattr(services.batches, "__defaults__", (3,))


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = make.NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **length: float) -> datetime:
        self.now += timedelta(**length)
        return self.now


def counts(upload: Upload) -> dict[str, object]:
    return dict(Upload.objects.values(*COUNTS).get(pk=upload.pk))


class Killed(BaseException):
    """What a process does not survive."""


def die_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next import ends after so many batches, without a chance to write anything down."""
    left = batches

    def import_some(*args: object, **kwargs: object) -> object:
        nonlocal left
        for progress in import_file(*args, **kwargs):  # type: ignore[arg-type]
            yield progress
            left -= 1
            if not left:
                raise Killed

    monkeypatch.setattr(running, "import_file", import_some)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_after_a_crash_the_import_goes_on_and_counts_exactly(
    store: Store, monkeypatch: pytest.MonkeyPatch, folder: Path, pack: Callable[[bytes], bytes]
) -> None:
    upload, clock = store(pack(content.csv(10, more=content.REJECTED)), start=True), Clock()
    with monkeypatch.context() as patched:
        die_after(2, patched)
        with pytest.raises(Killed):
            run(upload.pk, clock)
    assert counts(upload) == {"state": "importing", "accepted": 6, "duplicate": 0, "conflict": 0, "tries": 0}
    assert LLMRequest.objects.count() == 6

    assert run(upload.pk, clock) == 0  # the dead worker's lease still holds
    clock.wait(seconds=31)
    assert run(upload.pk, clock) == 4
    assert counts(upload) == {"state": "done", "accepted": 10, "duplicate": 0, "conflict": 0, "tries": 0}
    upload.refresh_from_db()
    assert (upload.rejected_by_code, [one["index"] for one in upload.examples]) == ({"invalid": 1}, [10])
    assert sum(IngestBatch.objects.values_list("accepted", flat=True)) == LLMRequest.objects.count() == 10
    assert list(folder.iterdir()) == []


def test_facts_and_counts_are_committed_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = store(content.csv(6), start=True)
    keep = queue.keep
    calls: list[int] = []

    def keep_or_die(*args: object, **fields: object) -> bool:
        calls.append(1)
        kept = keep(*args, **fields)  # type: ignore[arg-type]
        if len(calls) == 2:
            raise Killed
        return kept

    monkeypatch.setattr(queue, "keep", keep_or_die)
    with pytest.raises(Killed):
        run(upload.pk, Clock())
    assert (counts(upload)["accepted"], LLMRequest.objects.count()) == (3, 3)


def test_a_worker_that_was_thought_dead_stores_nothing_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    upload, clock = store(content.csv(10), start=True), Clock()
    taken: list[Upload | None] = []

    def slow(*args: object, **kwargs: object) -> object:
        for progress in import_file(*args, **kwargs):  # type: ignore[arg-type]
            if not taken:
                clock.wait(seconds=60)
                taken.append(queue.claim(upload.pk, clock()))
            yield progress

    monkeypatch.setattr(running, "import_file", slow)
    assert run(upload.pk, clock) == 3
    assert taken[0] is not None
    upload.refresh_from_db()
    assert (upload.state, upload.claim, upload.accepted, LLMRequest.objects.count()) == (
        *("importing", taken[0].claim, 3),
        3,
    )


def test_one_worker_at_a_time(store: Store) -> None:
    first, second, now = store(content.csv(1), start=True), store(content.csv(1), start=True), make.NOW
    assert queue.claim(first.pk, now) is not None
    assert queue.claim(first.pk, now) is None
    assert queue.claim(second.pk, now) is None
    assert queue.claim(second.pk, now + timedelta(seconds=31)) is not None
    assert queue.claim(uuid.uuid4(), now) is None


@pytest.mark.parametrize("dead", [False, True], ids=["queued", "of a dead worker"])
def test_of_workers_that_claim_at_once_one_gets_it(store: Store, monkeypatch: pytest.MonkeyPatch, dead: bool) -> None:
    upload, now = store(content.csv(1), start=True), make.NOW
    if dead:
        assert queue.claim(upload.pk, now - timedelta(minutes=1)) is not None
    monkeypatch.setattr(queue, "running", lambda _: Upload.objects.none())  # all looked before the first one claimed

    def claim(_: int) -> Upload | None:
        try:
            return queue.claim(upload.pk, now)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        claims = [one for one in pool.map(claim, range(6)) if one is not None]
    assert [one.claim for one in claims] == [Upload.objects.get(pk=upload.pk).claim]


def test_ringing_twice_imports_once(store: Store) -> None:
    upload = store(content.csv(4), start=True)
    assert [run(upload.pk, Clock()) for _ in range(2)] == [4, 0]
    assert (counts(upload)["state"], IngestBatch.objects.count()) == ("done", 2)


def test_long_imports_let_others_have_their_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch, rings: list[uuid.UUID]
) -> None:
    monkeypatch.setattr(running, "TURN", timedelta(seconds=-1))
    long, short, clock = store(content.csv(7), start=True), store(content.csv(2, first=50), start=True), Clock()
    done = []
    while due := [one for one in [Upload.objects.filter(state="queued").order_by("queued_at").first()] if one]:
        clock.wait(seconds=1)
        done.append((due[0].pk, run(due[0].pk, clock)))
    assert done[:3] == [(long.pk, 3), (short.pk, 2), (long.pk, 3)]
    assert (counts(long)["accepted"], counts(short)["accepted"], counts(long)["state"]) == (7, 2, "done")
    assert short.pk in rings[2:]


def test_a_file_that_kills_its_worker_is_given_up(store: Store, folder: Path) -> None:
    upload, clock = store(content.csv(1), start=True), Clock()
    for _ in range(leasing.MOST_TRIES):
        assert queue.claim(upload.pk, clock.wait(minutes=1)) is not None
    clock.wait(minutes=1)
    assert run(upload.pk, clock) == LLMRequest.objects.count() == 0
    upload.refresh_from_db()
    assert (upload.state, "interrupted 5 times" in upload.error) == ("failed", True)
    assert list(folder.iterdir()) == []


def test_a_batch_that_is_stored_is_a_new_start(store: Store) -> None:
    upload, clock = store(content.csv(1), start=True), Clock()
    Upload.objects.update(tries=4)
    assert run(upload.pk, clock) == 1
    assert counts(upload) == {"state": "done", "accepted": 1, "duplicate": 0, "conflict": 0, "tries": 0}


def test_a_database_that_cannot_store_now_costs_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise services.UnavailableError

    upload = store(content.csv(3), start=True)
    with monkeypatch.context() as patched:
        patched.setattr(services, "store", refuse)
        assert run(upload.pk, Clock()) == 0
    assert counts(upload) == {"state": "queued", "accepted": 0, "duplicate": 0, "conflict": 0, "tries": 0}
    assert run(upload.pk, Clock()) == 3


def test_the_lease_is_prolonged_while_a_batch_takes_long(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = store(content.csv(1), start=True)
    monkeypatch.setattr(running, "BEAT", 0.01)
    leases: list[datetime | None] = []
    clock = Clock()

    def slow(*args: object, **kwargs: object) -> object:
        before = Upload.objects.get(pk=upload.pk).lease_until
        clock.wait(seconds=20)
        for _ in range(500):
            now = Upload.objects.get(pk=upload.pk).lease_until
            if now != before:
                break
            threading.Event().wait(0.02)
        leases.extend([before, now])
        return import_file(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "import_file", slow)
    assert run(upload.pk, clock) == 1
    assert leases == [make.NOW + timedelta(seconds=30), make.NOW + timedelta(seconds=50)]


@pytest.mark.parametrize(
    ("body", "stored", "words"),
    [
        (content.csv(4) + b'"cut, off', 3, "line 7"),
        (gzip.compress(content.csv(4))[:-12], 0, "The gzip data is damaged or cut short."),
        (b'{"request_id": "a"', 0, "line 1, column 19"),
    ],
)
def test_what_cannot_be_read_ends_with_a_sentence(
    store: Store, folder: Path, body: bytes, stored: int, words: str
) -> None:
    upload = store(body, start=True)
    assert run(upload.pk, Clock()) == stored
    upload.refresh_from_db()
    assert (upload.state, upload.accepted, LLMRequest.objects.count()) == ("failed", stored, stored)
    assert words in upload.error
    assert list(folder.iterdir()) == []


def test_a_file_that_is_not_there_names_no_path(store: Store, folder: Path) -> None:
    upload = store(content.csv(1), start=True)
    (folder / upload.stored_as).unlink()
    run(upload.pk, Clock())
    upload.refresh_from_db()
    assert (upload.state, "PORTAL_UPLOAD_DIR" in upload.error, str(folder) in upload.error) == ("failed", True, False)


def test_documents_and_lines_are_bounded(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.batches, "__defaults__", (services.BATCH,))
    settings.INGEST_MAX_BODY_BYTES = 300_000
    array, line = b"[" + b" \n" * 300_000 + b"]", b'{"request_id": "' + b"x" * 500_000
    bomb = gzip.compress(b"request_id,started_at\n" + b"x" * 500_000)
    for body in (array, line, bomb):
        upload = store(body, start=True)
        run(upload.pk, Clock())
        upload.refresh_from_db()
        assert (upload.state, "is longer than 300,000 bytes" in upload.error) == ("failed", True)
    many = store(content.csv(6_100), start=True)
    assert many.size > settings.INGEST_MAX_BODY_BYTES
    assert run(many.pk, Clock()) == 6_100


def test_other_organizations_get_nothing(store: Store, acme: Organization, rival: Organization) -> None:
    run(store(content.csv(3), start=True, organization=rival).pk, Clock())
    assert (LLMRequest.objects.filter(organization=rival).count(), LLMRequest.objects.count()) == (3, 3)
    assert LLMRequest.objects.filter(organization=acme).count() == 0


def test_a_lost_broker_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", refuse)
    upload = store(content.csv(1), start=True)
    assert upload.state == "queued"
    assert run(upload.pk, Clock()) == 1
