"""Transactions that the database makes a victim of others, as a sender sees it: stored, or asked to come back."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.test import Client

from analytics import rollups
from ingestion.models import ChangedHour, IngestBatch, LLMRequest
from ingestion.writer import retries
from teams.models import Organization
from tests import make

pytestmark = pytest.mark.django_db
RECORDS = [{"request_id": name, "started_at": "2026-11-24T11:59:00Z", "model": "gpt-4o"} for name in "abc"]
DEADLOCK, SERIALIZATION = "40P01", "40001"
FULL_DISK, READ_ONLY, SHUTDOWN, TOO_MANY = "53100", "25006", "57P01", "53300"
# The last statement of the transaction: everything else of the batch is written when it fails.
LAST = IngestBatch._meta.db_table


@pytest.fixture(autouse=True)
def _frozen_clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(retries, "_jitter", lambda: None)
    with time_machine.travel(make.NOW, tick=False):
        yield


class DriverError(Exception):
    """What a driver raises, with its SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def fail(sqlstate: str) -> None:
    """The error as the database raises it; SQLite has no such states, there it is built."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{sqlstate}'; END $$")
    error = OperationalError("injected")
    error.__cause__ = DriverError(sqlstate)
    raise error


@contextmanager
def failing(sqlstate: str, times: int) -> Iterator[list[str]]:
    """The last statement of ingest fails so often; the list has an entry for each of its tries."""
    tries: list[str] = []

    def wrap(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("INSERT") and LAST in sql:
            tries.append(sql)
            if len(tries) <= times:
                fail(sqlstate)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        yield tries


def post(client: Client, headers: dict[str, str]) -> Any:
    return client.post("/api/v1/requests", json.dumps(RECORDS), content_type="application/json", headers=headers)


def assert_nothing_is_stored() -> None:
    for model in (LLMRequest, IngestBatch, ChangedHour):
        assert not model._default_manager.exists()


@pytest.mark.parametrize("sqlstate", [DEADLOCK, SERIALIZATION])
@pytest.mark.parametrize("times", [1, 2])
def test_a_victim_is_stored_once(
    client: Client, acme: Organization, headers: dict[str, str], sqlstate: str, times: int
) -> None:
    with failing(sqlstate, times) as tries:
        answer = post(client, headers)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 3)
    assert len(tries) == times + 1
    assert sorted(LLMRequest.objects.values_list("request_id", flat=True)) == ["a", "b", "c"]
    assert IngestBatch.objects.get().accepted == 3
    rollups.drain()
    assert rollups.verify(acme, make.NOW).differences == ()


@pytest.mark.parametrize("sqlstate", [DEADLOCK, SERIALIZATION])
def test_after_three_tries_the_sender_comes_back(client: Client, headers: dict[str, str], sqlstate: str) -> None:
    with failing(sqlstate, 10) as tries:
        answer = post(client, headers)
    assert (answer.status_code, answer["Retry-After"], len(tries)) == (503, "5", 3)
    assert_nothing_is_stored()
    assert post(client, headers).json()["accepted"] == 3


@pytest.mark.parametrize("sqlstate", [FULL_DISK, READ_ONLY, SHUTDOWN, TOO_MANY])
def test_what_a_repeat_cannot_help_is_left_to_the_sender(
    client: Client, headers: dict[str, str], sqlstate: str
) -> None:
    with failing(sqlstate, 1) as tries:
        answer = post(client, headers)
    assert (answer.status_code, answer["Retry-After"], len(tries)) == (503, "5", 1)
    assert "injected" not in answer.content.decode()
    assert_nothing_is_stored()
    assert post(client, headers).json()["accepted"] == 3


@pytest.mark.django_db(transaction=True)
def test_a_commit_whose_answer_is_lost_is_a_duplicate_afterwards(client: Client, headers: dict[str, str]) -> None:
    original = connection._commit  # type: ignore[attr-defined] # what every commit of Django ends in
    with failing("", 0) as tries, pytest.MonkeyPatch.context() as patch:

        def commit_and_lose() -> None:
            original()
            if tries:
                raise OperationalError("the connection was lost")

        patch.setattr(connection, "_commit", commit_and_lose)
        assert post(client, headers).status_code == 503
        assert len(tries) == 1
    answer = post(client, headers).json()
    assert (answer["accepted"], answer["duplicate"]) == (0, 3)
    assert LLMRequest.objects.count() == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the state is PostgreSQL's")
def test_a_database_that_only_reads(client: Client, headers: dict[str, str]) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        answer = post(client, headers)
        transaction.set_rollback(True)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert_nothing_is_stored()
    assert post(client, headers).json()["accepted"] == 3
