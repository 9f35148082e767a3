"""When a call becomes a fact: at once, after the grace, after fifteen minutes; and what is forgotten afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from ingestion.models import AttributeRule, ChangedHour, IngestBatch, LangfuseObservation, LangfuseTrace
from ingestion.observations import settle_due, settling
from ingestion.tasks import settle_observations
from teams.models import Organization
from tests import make
from tests.ingestion.langfuse.batches import at, created, ended, event, outcomes, receive, stored, trace

pytestmark = pytest.mark.django_db
GRACE, GIVEN_UP = timedelta(seconds=30), timedelta(minutes=15)
INSTANT = timedelta(microseconds=1)


def waiting() -> list[str]:
    return sorted(LangfuseObservation.objects.exclude(due_at=None).values_list("observation_id", flat=True))


def test_without_a_user_a_call_waits_for_its_trace(acme: Organization) -> None:
    receive(acme, created(), ended())
    assert settle_due(make.NOW + GRACE - INSTANT) == 0
    assert (stored(), waiting()) == ({}, ["call"])
    receive(acme, trace(), now=make.NOW + GRACE - INSTANT)
    assert str(stored()["call"].user) == "alice"
    assert waiting() == []


def test_a_trace_that_names_nobody_does_not_end_the_waiting(acme: Organization) -> None:
    receive(acme, trace(userId=None, tags=["a"]), created(), ended())
    assert stored() == {}
    receive(acme, trace(second=1))
    assert (str(stored()["call"].user), stored()["call"].metadata) == ("alice", {"tags": "a"})


def test_after_the_grace_it_is_a_fact_without_a_user(acme: Organization) -> None:
    receive(acme, created(), ended())
    assert settle_due(make.NOW + GRACE) == 1
    fact = stored()["call"]
    assert (fact.user, fact.attribution) == (None, "unassigned")
    # Its fact stays as it is, and its repeat is one at once, also when the trace is known by now.
    receive(acme, created(), ended(), now=make.NOW + GRACE)
    assert outcomes() == {"accepted": 1, "duplicate": 1}
    receive(acme, trace(), now=make.NOW + GRACE)
    receive(acme, created(), ended(), now=make.NOW + GRACE)
    assert stored()["call"].user is None
    assert outcomes() == {"accepted": 1, "duplicate": 2}


def test_the_grace_is_a_setting(acme: Organization, settings: Settings) -> None:
    settings.LANGFUSE_GRACE_SECONDS = 0
    receive(acme, created(), ended())
    assert list(stored()) == ["call"]


def test_a_trace_frees_only_its_own_calls(acme: Organization, rival: Organization) -> None:
    other = [created("two", traceId="other"), ended("two", traceId="other")]
    receive(acme, created("one"), ended("one"), *other, created("three"))
    receive(rival, created("theirs"), ended("theirs"))
    receive(acme, trace())
    settle_due(make.NOW)
    assert (list(stored()), waiting()) == (["one"], ["theirs", "three", "two"])


def test_without_an_end_it_is_a_fact_after_fifteen_minutes(acme: Organization) -> None:
    receive(acme, trace(), created())
    touched = make.NOW + timedelta(minutes=5)
    receive(acme, event("generation-update", 3, id="call", metadata={"step": 2}), now=touched)
    assert settle_due(touched + GIVEN_UP - INSTANT) == 0
    assert settle_due(touched + GIVEN_UP) == 1
    fact = stored()["call"]
    assert (fact.latency_us, fact.status_code, fact.failed, fact.input_tokens) == (None, None, False, None)
    assert (str(fact.user), fact.metadata) == ("alice", {"step": "2"})


def test_an_end_without_a_beginning_waits_for_it_too(acme: Organization) -> None:
    receive(acme, trace(), ended())
    assert settle_due(make.NOW + GIVEN_UP - INSTANT) == 0
    assert settle_due(make.NOW + GIVEN_UP) == 1
    fact = stored()["call"]
    assert (fact.started_at.isoformat()[:19] + "Z", fact.latency_us, fact.output_tokens) == (at(2), None, 20)


def test_an_end_after_it_was_given_up_is_a_conflict(acme: Organization) -> None:
    receive(acme, trace(), created())
    later = make.NOW + GIVEN_UP
    settle_due(later)
    assert {one.status for one in receive(acme, ended(), now=later)} == {201}
    assert outcomes() == {"accepted": 1, "conflict": 1}
    assert stored()["call"].latency_us is None


def test_a_late_word_about_a_fact_that_is_forgotten_is_a_conflict(acme: Organization) -> None:
    receive(acme, trace(), created(), ended())
    settle_due(make.NOW + GIVEN_UP + INSTANT)
    assert not LangfuseObservation.objects.exists()
    later = make.NOW + timedelta(hours=1)
    receive(acme, ended(), now=later)
    settle_due(later + GIVEN_UP)
    assert outcomes() == {"accepted": 1, "conflict": 1}


def test_a_whole_repeat_of_a_fact_that_is_forgotten_is_a_duplicate(acme: Organization) -> None:
    events = [trace(), created(), ended()]
    receive(acme, *events)
    settle_due(make.NOW + GIVEN_UP + INSTANT)
    receive(acme, *events, now=make.NOW + timedelta(hours=1))
    assert outcomes() == {"accepted": 1, "duplicate": 1}


def test_ingest_does_all_that_it_does_for_other_formats(acme: Organization) -> None:
    make.price("gpt-4o*", "input", "2", match_kind="glob")
    make.price("gpt-4o*", "output", "10", match_kind="glob")
    issued = make.key(acme, "ingest")
    receive(acme, created(), ended())
    LangfuseObservation.objects.update(key=issued.key)
    settle_due(make.NOW + GRACE)
    fact = stored()["call"]
    assert (fact.cost_state, fact.cost) == ("computed", 400_000_000)
    assert ChangedHour.objects.get().hour_start == fact.hour_start
    batch = IngestBatch.objects.get()
    assert (batch.source, batch.key, batch.accepted) == ("langfuse", issued.key, 1)


def test_rules_of_an_organization_cost_only_the_call_that_they_do_not_fit(acme: Organization) -> None:
    for name, words in (("good", {"try": "2", "app": "Search"}), ("bad", {"try": "second"})):
        receive(acme, created(name, metadata=words), ended(name))
    rows = settling.claim(acme.pk, make.NOW + GRACE)
    for attribute, target in (("metadata.try", "attempt"), ("app", "team")):
        AttributeRule.objects.create(organization=acme, attribute=attribute, target=target)
    outcome = settling.settle(acme, rows, make.NOW + GRACE, key_id=None)
    assert (outcome.accepted, [one.field for one in outcome.rejected]) == (1, ["attempt"])
    assert (str(stored()["good"].team), stored()["good"].attempt) == ("Search", 2)


def test_what_ingest_refuses_is_counted_once_and_not_tried_again(acme: Organization) -> None:
    receive(acme, trace(), created(), ended(endTime="9999-12-31T23:59:59Z"))
    assert outcomes() == {"rejected": 1}
    assert settle_due(make.NOW + timedelta(minutes=14)) == 0
    assert outcomes() == {"rejected": 1}


def remembered() -> list[str]:
    return sorted(LangfuseObservation.objects.values_list("observation_id", flat=True))


def test_facts_and_traces_are_forgotten(acme: Organization) -> None:
    receive(acme, trace(), created(), ended(), created("open"))
    settle_due(make.NOW + GIVEN_UP)
    assert (remembered(), waiting()) == (["call", "open"], [])
    settle_due(make.NOW + GIVEN_UP + INSTANT)
    assert remembered() == ["open"]  # a fact only since the last time
    settle_due(make.NOW + GIVEN_UP + GIVEN_UP + INSTANT)
    assert remembered() == []
    settle_due(make.NOW + timedelta(hours=24))
    assert LangfuseTrace.objects.exists()
    settle_due(make.NOW + timedelta(hours=24) + INSTANT)
    assert not LangfuseTrace.objects.exists()
    assert len(stored()) == 2


def test_the_oldest_beyond_the_limit_are_forgotten(acme: Organization, rival: Organization, settings: Settings) -> None:
    settings.LANGFUSE_MAX_PENDING = 3
    receive(rival, trace(id="theirs"))
    for number in range(5):
        name = f"{number}"
        events = [trace(id=name), created(name, traceId=name), ended(name, traceId=name)]
        receive(acme, *events, now=make.NOW + timedelta(seconds=number))
    receive(acme, created("open"), now=make.NOW)
    settle_due(make.NOW + timedelta(minutes=1))
    assert sorted(LangfuseTrace.objects.values_list("trace_id", flat=True)) == ["2", "3", "4", "theirs"]
    assert remembered() == ["2", "3", "4", "open"]
    assert len(stored()) == 5


def test_too_many_unfinished_calls_are_refused_by_name(acme: Organization, settings: Settings) -> None:
    settings.LANGFUSE_MAX_PENDING = 2
    answers = receive(acme, created("a"), created("b"), created("c"), ended("c"))
    assert [one.status for one in answers] == [201, 201, 429, 429]
    assert waiting() == ["a", "b"]
    assert [one.status for one in receive(acme, ended("a"), created("d"))] == [201, 429]
    # Finished ones make room.
    receive(acme, trace())
    assert [one.status for one in receive(acme, created("d"))] == [201]
    assert waiting() == ["b", "d"]


def test_too_many_traces_are_refused_by_name(acme: Organization, settings: Settings) -> None:
    settings.LANGFUSE_MAX_PENDING = 1
    answers = receive(acme, *[trace(id=name) for name in "abc"], trace(id="d", userId=None))
    assert [one.status for one in answers] == [201, 201, 429, 201]  # the last one says nothing that is kept
    settle_due(make.NOW + INSTANT)
    assert [one.status for one in receive(acme, trace(id="e"))] == [201]


def test_the_limit_is_of_each_organization(acme: Organization, rival: Organization, settings: Settings) -> None:
    settings.LANGFUSE_MAX_PENDING = 1
    receive(rival, created())
    assert [one.status for one in receive(acme, created())] == [201]


def test_the_task_and_the_command_do_the_same(
    acme: Organization, rival: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    receive(acme, created("one"), ended("one"))
    receive(rival, created("two"), ended("two"))
    LangfuseObservation.objects.update(due_at=make.NOW)
    call_command("settle_observations", organization="rival")
    assert (capsys.readouterr().out, list(stored())) == ("1 calls settled.\n", ["two"])
    assert settle_observations() == 1
    assert sorted(stored()) == ["one", "two"]
    assert settle_observations() == 0
    with pytest.raises(CommandError, match="no organization 'nobody'"):
        call_command("settle_observations", organization="nobody")


def test_many_calls_are_settled_in_one_ring(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.services.BATCH", 7)
    events: list[Any] = [part for number in range(20) for part in (created(str(number)), ended(str(number)))]
    receive(acme, *events)
    assert settle_due(make.NOW + GRACE) == 20 == len(stored())
