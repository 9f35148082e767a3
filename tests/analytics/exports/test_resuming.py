"""A worker that dies goes on as another: the file is the one that an uninterrupted worker makes."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from analytics.exports import formats
from analytics.exports import report_batches as adapter
from analytics.exports.jobs import folder as folders
from analytics.exports.jobs import writing
from analytics.exports.jobs.parts import Parts
from analytics.exports.table import Batch
from analytics.query import facts_list
from ingestion import leasing
from teams.services import IssuedKey
from tests.analytics.exports.asking import LATER, REPORT, REQUESTS, Json, asked, described, fetched, job_of, prepare
from tests.analytics.world import World, at, store

pytestmark = pytest.mark.usefixtures("frozen", "folder", "kept_world")
QUESTIONS = {
    "report": REPORT,
    "report of one bucket": REPORT | {"group_by": ["team", "user"]},
    "report of everything": REPORT | {"group_by": []},
    "requests": REQUESTS,
}


class KilledError(BaseException):
    """The process is gone: nothing of the code under test may catch it."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts of a few requests."""
    monkeypatch.setattr(facts_list, "CHUNK", 2)
    monkeypatch.setattr(adapter, "BATCH_ROWS", 2)


class Dies:
    """Lets a worker keep so many batches, tears the next one, and kills it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.kept, self.after, self.whole = 0, after, Parts.add

        def add(parts: Parts, batch: Batch) -> None:
            self._add(parts, batch)

        monkeypatch.setattr(Parts, "add", add)

    def _add(self, parts: Parts, batch: Batch) -> None:
        if self.kept == self.after:
            parts._file.write(b"\x00\x00\x10\x00 half a part")
            parts._file.flush()
            self.after = -1
            raise KilledError
        self.kept += 1
        self.whole(parts, batch)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("question", QUESTIONS)
def test_killed_while_reading(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch, question: str, after: int
) -> None:
    body = QUESTIONS[question]
    one_go = asked(client, read_key, body)
    rows = prepare(one_go)
    job = asked(client, read_key, body)
    with monkeypatch.context() as patch:
        dies = Dies(patch, after)
        try:
            prepare(job)
        except KilledError:
            assert job_of(job).state == "running"
            assert prepare(job) == 0  # its lease is not over
            assert prepare(job, LATER + leasing.LEASE) == rows
            assert dies.kept <= 3 + after  # what was kept is not read again, but for an unfinished bucket
    assert described(client, read_key, job)["state"] == "done"
    assert fetched(client, read_key, job) == fetched(client, read_key, one_go)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_killed_while_writing(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one_go = asked(client, read_key, REQUESTS | {"format": name})
    prepare(one_go)
    job = asked(client, read_key, REQUESTS | {"format": name})

    def killed(path: Path, content: bytes) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(folders, "replace", killed)
        with pytest.raises(KilledError):
            prepare(job)
    found = job_of(job)
    assert not folders.path_of(found.pk, folders.FILE).exists()
    read = []
    monkeypatch.setattr(facts_list, "page", lambda *args: read.append(args))
    assert prepare(job, LATER + leasing.LEASE) == 6
    assert read == []  # all of it was read before
    assert fetched(client, read_key, job) == fetched(client, read_key, one_go)


def test_a_turn_ends_and_another_goes_on(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_go, job = asked(client, read_key, REQUESTS), asked(client, read_key, REQUESTS)
    prepare(one_go)
    monkeypatch.setattr("analytics.exports.jobs.running.TURN", timedelta(seconds=-1))
    seen: list[Json] = []
    while (found := described(client, read_key, job))["state"] == "queued":
        seen.append(found)
        prepare(job)
    assert [one["rows"] for one in seen] == [0, 2, 4]
    assert [one["progress"] for one in seen] == sorted({one["progress"] for one in seen})
    assert 0 < seen[-1]["progress"] < 0.9
    assert fetched(client, read_key, job) == fetched(client, read_key, one_go)


def test_what_arrives_after_the_question_is_not_in_the_file(client: Client, world: World, read_key: IssuedKey) -> None:
    open_end = asked(client, read_key, {"of": "requests", "format": "csv"})
    store(world.acme, {"request_id": "afterwards", "started_at": at(12) + timedelta(days=4, minutes=1)})
    prepare(open_end)
    assert b"afterwards" not in fetched(client, read_key, open_end)
    assert fetched(client, read_key, open_end).count(b"\r\n") == 7


def test_a_deleted_job_stops_its_worker(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    job = asked(client, read_key, REQUESTS)
    whole = Parts.add
    kept: list[Batch] = []

    def add(parts: Parts, batch: Batch) -> None:
        if not kept:
            job_of(job).delete()
        kept.append(batch)
        whole(parts, batch)

    monkeypatch.setattr(Parts, "add", add)
    assert prepare(job) == 0
    assert len(kept) == 1


def test_a_full_disk_is_said(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    job = asked(client, read_key)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write", full)
    prepare(job)
    found = described(client, read_key, job)
    assert (found["state"], found["problem"]["detail"]) == (
        "failed",
        "The disk does not take it: No space left on device.",
    )
    assert list(folder.iterdir()) == []
