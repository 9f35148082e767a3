"""Several web workers and the clock at once, over real transactions; and processes that die in between."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from ingestion import services
from ingestion.formats.langfuse import Event
from ingestion.models import IngestBatch, LangfuseObservation, LLMRequest
from ingestion.observations import settle_due, settling, taking
from ingestion.observations.purging import purge
from ingestion.observations.taking import take
from teams.models import Organization
from tests import make
from tests.ingestion.langfuse import batches
from tests.ingestion.langfuse.batches import created, ended, event, found_in, outcomes, receive, stored, trace

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS, CALLS = 6, 40
LATER = make.NOW + timedelta(seconds=30)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Results of acts that run at the same time, each with a connection of its own."""

    def run(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(run, acts))


def shuffled_events(chance: random.Random) -> list[batches.Event]:
    """Of every call a beginning and an end, of every trace what is said of it."""
    events: list[batches.Event] = []
    for number in range(CALLS):
        name, of = f"call-{number}", f"trace-{number % 7}"
        events += [created(name, traceId=of), ended(name, traceId=of)]
    events += [trace(id=f"trace-{number}") for number in range(7)]
    chance.shuffle(events)
    return events


def test_every_call_is_one_fact_with_all_that_was_said(acme: Organization) -> None:
    chance = random.Random(4)
    events = shuffled_events(chance)
    parts = [events[start : start + 5] for start in range(0, len(events), 5)]
    acts: list[Callable[[], Any]] = [lambda part=part: receive(acme, *part) for part in parts]  # type: ignore[misc] # a default binds the loop's value
    answers = at_once(*acts, lambda: settle_due(make.NOW), lambda: settle_due(make.NOW))
    assert {one.status for found in answers if isinstance(found, list) for one in found} == {201}
    settle_due(LATER)
    facts = stored()
    assert len(facts) == CALLS
    assert {(str(one.user), str(one.model), one.latency_us, one.input_tokens) for one in facts.values()} == {
        ("alice", "gpt-4o-2026-01-01", 2_000_000, 100)
    }
    assert outcomes() == {"accepted": CALLS}


def test_the_same_batch_from_many_workers_is_stored_once(acme: Organization) -> None:
    events = [trace(), created(), ended()]
    at_once(*[lambda: receive(acme, *events)] * WORKERS)
    settle_due(LATER)
    assert len(stored()) == 1
    counted = outcomes()
    assert (counted.pop("accepted"), set(counted) - {"duplicate"}) == (1, set())


def test_two_clocks_never_settle_the_same_call(acme: Organization) -> None:
    receive(acme, *[part for number in range(CALLS) for part in (created(str(number)), ended(str(number)))])
    assert sum(at_once(*[lambda: settle_due(LATER)] * WORKERS)) == CALLS
    assert outcomes() == {"accepted": CALLS}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_a_row_that_a_batch_holds_is_left_to_it(acme: Organization) -> None:
    receive(acme, created("held"), ended("held"), created("free"), ended("free"))
    with transaction.atomic():
        take(acme.pk, None, [], LATER)
        LangfuseObservation.objects.select_for_update().get(observation_id="held")
        assert at_once(lambda: settle_due(LATER)) == [1]
    assert list(stored()) == ["free"]
    assert settle_due(LATER) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_two_batches_about_one_call_are_both_heard(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one waits as soon as the first one reads what is known."""
    receive(acme, trace(), created())
    merged, others = taking._merged, list[Any]()

    def meanwhile(*arguments: Any) -> Any:
        if not others:
            others.append(pool.submit(at_once, lambda: update("b")))
            while not (_waits() or others[0].done()):
                time.sleep(0.01)
        return merged(*arguments)

    def update(name: str) -> None:
        ((_, said),) = found_in(event("generation-update", 1, id="call", metadata={name: "x"}))
        assert isinstance(said, Event)
        take(acme.pk, None, [(0, said)], make.NOW)

    monkeypatch.setattr(taking, "_merged", meanwhile)
    with ThreadPoolExecutor(1) as pool:
        update("a")
    others[0].result()
    assert {"metadata.a", "metadata.b"} <= LangfuseObservation.objects.get().state.keys()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_a_fact_that_is_spoken_of_again_is_not_forgotten_meanwhile(acme: Organization) -> None:
    """The purge waits for the batch that holds the row, and sees then that it is new again."""
    receive(acme, trace(), created(), ended())
    later = make.NOW + timedelta(hours=1)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            LangfuseObservation.objects.update(touched_at=later)
            waiting = pool.submit(at_once, lambda: purge(later))
            while not _waits():
                assert not waiting.done()
                time.sleep(0.01)
        waiting.result()
    assert LangfuseObservation.objects.exists()


def _waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


class KilledError(BaseException):
    """Stands for the end of the process: nothing after it runs."""


def killed(*_: object, **__: object) -> None:
    raise KilledError


def test_killed_before_the_commit_nothing_is_known(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ingestion.observations.taking._freed", killed)
        with pytest.raises(KilledError):
            receive(acme, trace(), created(), ended())
    assert not LangfuseObservation.objects.exists()
    receive(acme, trace(), created(), ended())
    assert outcomes() == {"accepted": 1}


@pytest.mark.parametrize(
    ("place", "counted"),
    [
        ("ingestion.observations.receiving.claim", {"accepted": 1}),  # committed, not claimed
        ("ingestion.services.ingest", {"accepted": 1}),  # claimed, no fact yet
        ("ingestion.observations.settling._finish", {"accepted": 1, "duplicate": 1}),  # a fact, not noted
    ],
)
def test_killed_after_the_commit_the_clock_goes_on(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, place: str, counted: dict[str, int]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(place, killed)
        with pytest.raises(KilledError):
            receive(acme, trace(), created(), ended())
    assert LangfuseObservation.objects.count() == 1
    settle_due(make.NOW + settling.LEASE)
    assert (len(stored()), str(stored()["call"].user), outcomes()) == (1, "alice", counted)
    assert settle_due(make.NOW + 2 * settling.LEASE) == 0


def test_what_is_claimed_is_not_settled_by_others(acme: Organization) -> None:
    receive(acme, created(), ended())
    (row,) = settling.claim(acme.pk, LATER)
    receive(acme, trace(), now=LATER)  # neither by its trace
    assert settle_due(LATER + settling.LEASE - timedelta(microseconds=1)) == 0
    settling.settle(acme, [row], LATER, key_id=None)
    assert settle_due(LATER + settling.LEASE) == 0
    assert outcomes() == {"accepted": 1}


def test_a_word_that_comes_while_a_call_is_settled_is_not_lost(acme: Organization) -> None:
    receive(acme, created(), ended())
    (row,) = settling.claim(acme.pk, LATER)
    ((_, said),) = found_in(ended(second=5), now=LATER)
    assert isinstance(said, Event)
    take(acme.pk, None, [(0, said)], LATER)
    settling.settle(acme, [row], LATER, key_id=None)
    assert LangfuseObservation.objects.get().due_at == LATER
    settle_due(LATER)
    assert outcomes() == {"accepted": 1, "conflict": 1}
    assert LangfuseObservation.objects.get().due_at is None


def test_a_database_that_cannot_store_facts_costs_no_call(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def unavailable(**_: object) -> None:
            raise services.UnavailableError("read-only")

        patch.setattr(services, "ingest", unavailable)
        assert {one.status for one in receive(acme, trace(), created(), ended())} == {201}
        assert settle_due(make.NOW + settling.LEASE) == 1
    assert not LLMRequest.objects.exists()
    assert settle_due(make.NOW + 2 * settling.LEASE) == 1
    assert list(stored()) == ["call"]


def test_a_database_that_cannot_take_a_batch_says_so(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr("ingestion.observations.taking._freed", refuse)
    with pytest.raises(services.UnavailableError):
        receive(acme, trace(), created(), ended())
    assert not IngestBatch.objects.exists()
    assert not LangfuseObservation.objects.exists()
