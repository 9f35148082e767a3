"""Records of what is said about calls: the rules of an organization, and what stays unknown."""

from typing import Any

import pytest

from ingestion.formats.langfuse import State, merge, record_of
from ingestion.formats.mapping import Reading, Rule
from ingestion.records import RejectedError, RequestRecord

START = 1_800_000_000_000_000


def state(said: dict[str, Any] | None = None, **fields: Any) -> State:
    return merge({}, {"operation": "chat", **fields, **(said or {})}, START, 0)


def read(rules: dict[str, str], call: State, trace: State) -> RequestRecord:
    reading = Reading(tuple(Rule(attribute, target) for attribute, target in rules.items()))
    return record_of("call", call, trace, reading)


def test_an_unfinished_call_says_only_what_is_known() -> None:
    found = record_of("call", state(start=START, model="m"), {})
    assert found == RequestRecord(request_id="call", started_at=found.started_at, model="m")
    assert found.status_code is None


@pytest.mark.parametrize(
    ("times", "latency_ms", "ttft_ms", "streaming"),
    [
        ({"start": START, "end": START + 2_000}, 2.0, None, None),
        ({"start": START, "end": START + 2_000, "first_token": START + 500}, 2.0, 0.5, True),
        ({"start": START, "end": START - 1}, None, None, None),
        ({"start": START, "end": START + 2_000, "first_token": START - 500}, 2.0, None, True),
        ({"end": START + 2_000, "first_token": START + 500}, None, None, True),
    ],
)
def test_times(times: dict[str, int], latency_ms: float | None, ttft_ms: float | None, streaming: bool | None) -> None:
    found = record_of("call", state(times), {})
    assert (found.latency_ms, found.ttft_ms, found.streaming) == (latency_ms, ttft_ms, streaming)


def test_a_call_whose_beginning_nobody_tells_began_with_its_first_word() -> None:
    call = merge(state(end=START + 9), {"model": "m"}, START - 3, 0)
    assert record_of("call", call, {}).started_at.timestamp() * 1e6 == START - 3


def test_the_call_knows_better_than_its_trace_except_who_called() -> None:
    trace = merge({}, {"user": "alice", "metadata.a": "trace", "metadata.b": "trace"}, START, 0)
    found = record_of("call", state({"metadata.a": "call"}, user="bob"), trace)
    assert (found.user, found.metadata) == ("alice", {"a": "call", "b": "trace"})


def test_rules_fill_fields_from_metadata() -> None:
    trace = merge({}, {"user": "alice", "metadata.team": "Search", "metadata.app": "faq-bot"}, START, 0)
    rules = {
        "trace.metadata.team": "team",
        "app": "virtual_account",
        "userId": "metadata.who",
        "model": "virtual_model",
    }
    found = read(rules, state({"metadata.team": "Ads"}, model="m"), trace)
    assert (found.team, found.virtual_account, found.virtual_model) == ("Search", "faq-bot", "m")
    assert found.metadata["who"] == "alice"
    assert read({"metadata.team": "team"}, state({"metadata.team": "Ads"}), trace).team == "Ads"
    assert read({"input": "team", "output": "team", "nothing": "team"}, state(), trace).team is None


def test_a_rule_that_does_not_fit_refuses_the_call() -> None:
    with pytest.raises(RejectedError, match="attempt"):
        read({"metadata.try": "attempt"}, state({"metadata.try": "first"}), {})
