"""Prompts, answers and what else people wrote never reach the database, an answer or a log."""

import logging
from typing import Any

import pytest
from django.test import Client

from tests.ingestion.langfuse.batches import created, ended, post, stored, trace
from tests.ingestion.otlp.test_privacy import CANARY, everything_stored

pytestmark = pytest.mark.django_db
MESSAGES = [{"role": "user", "content": CANARY}]
PAYLOADS: dict[str, Any] = {
    "name": CANARY,
    "input": MESSAGES,
    "output": {"role": "assistant", "content": CANARY},
    "prompt": CANARY,
    "completion": CANARY,
    "promptName": CANARY,
    "modelParameters": {"stop": CANARY},
    "version": CANARY,
    "metadata": {"request": {"messages": MESSAGES}, "messages": MESSAGES},
    "statusMessage": CANARY,
}


@pytest.mark.parametrize("level", [None, "DEFAULT", "WARNING"])
@pytest.mark.parametrize("finished", [False, True])
def test_no_payload_is_stored_answered_or_logged(
    client: Client, headers: dict[str, str], caplog: pytest.LogCaptureFixture, level: str | None, finished: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    about: dict[str, Any] = PAYLOADS | {"level": level}
    events = [trace(**PAYLOADS), created(**about), *([ended(**about)] if finished else [])]
    answer = post(client, headers, *events)
    assert answer.json()["errors"] == []
    assert list(stored()) == (["call"] if finished else [])
    assert "alice" in everything_stored()
    for place in (everything_stored(), answer.content.decode(), caplog.text):
        assert CANARY not in place


def test_no_value_is_repeated_in_a_refusal(client: Client, headers: dict[str, str]) -> None:
    bad: list[dict[str, Any]] = [
        {"usageDetails": {"input": CANARY}},
        {"startTime": CANARY},
        {"model": CANARY + "x" * 300},
    ]
    answer = post(client, headers, *[created(**one) for one in bad])
    assert len(answer.json()["errors"]) == len(bad)
    assert CANARY not in answer.content.decode() + everything_stored()


def test_what_a_person_asks_for_by_metadata_is_kept_and_cut(client: Client, headers: dict[str, str]) -> None:
    post(client, headers, trace(metadata={"feature": "x" * 1_000}), created(), ended())
    assert stored()["call"].metadata == {"feature": "x" * 256}


def test_a_copy_of_an_answer_is_no_metadata(client: Client, headers: dict[str, str]) -> None:
    """Of a streamed answer of the Responses API the SDK says everything, the instructions too."""
    copy = {"id": "resp_1", "object": "response", "instructions": CANARY, "status": "completed", "temperature": 1.0}
    post(client, headers, trace(), created(metadata={"step": "1"}), ended(metadata=copy))
    assert stored()["call"].metadata == {"step": "1"}


@pytest.mark.parametrize("name", ["instructions", "prompt", "messages", "input", "output", "response"])
def test_metadata_that_is_named_like_a_payload_is_dropped(client: Client, headers: dict[str, str], name: str) -> None:
    about = {name: CANARY, "step": "1"}
    post(client, headers, trace(metadata=about), created(metadata=about))
    assert "step" in everything_stored()
    assert CANARY not in everything_stored()
