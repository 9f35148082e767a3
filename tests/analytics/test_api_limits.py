"""What may be away or slow: the clock of an answer, a database that only reads, counters in Redis."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from analytics.api import shared_allowances, throttles
from analytics.query import engine, snapshot
from teams.models import ApiKey, User
from teams.services import IssuedKey
from tests import make
from tests.analytics.asking import COST
from tests.harness import redis
from tests.metricsportal.test_operations import NOBODY_LISTENS, sample

# A second or more of work for a database, so that the test fails instead of hanging when nothing stops it.
SLOW = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 4000000) SELECT count(*) FROM c"
QUERY = {"startTs": "now-1d", "endTs": "now", "type": "distribution", "aggregations": [COST]}
LINKS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/api/v1/metrics/query", {"query": json.dumps(QUERY)}),
    ("/api/v1/report", {"start": "now-1d", "end": "now"}),
    ("/api/v1/metrics/meta", {}),
    ("/api/v1/requests", {}),
    ("/api/v1/dimensions/model/values", {}),
    ("/api/v1/saved-views", {}),
    ("/api/v1/annotations", {}),
    ("/api/v1/statements", {}),
    ("/api/v1/budgets", {}),
)


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_a_slow_statement_is_cut_short_and_the_next_answer_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "TIME_LIMIT_MS", 100)
    with pytest.raises(OperationalError), snapshot.snapshot():
        run(SLOW)
    run(SLOW.replace("4000000", "100000"))  # longer than the pause between two looks at the clock
    monkeypatch.setattr(snapshot, "TIME_LIMIT_MS", 15_000)
    with snapshot.snapshot():
        run("SELECT 1")
    User.objects.create_user("after@example.com", "x")  # outside an answer nothing is cut, and writing works
    assert User.objects.filter(email="after@example.com").exists()


@pytest.mark.django_db(transaction=True)
def test_many_quick_statements_have_one_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "TIME_LIMIT_MS", -1)
    with pytest.raises(OperationalError, match="over"), snapshot.snapshot():
        User.objects.count()


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_takes_too_long_is_refused(
    client: Client, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: object) -> None:
        with snapshot.snapshot():
            run(SLOW)

    monkeypatch.setattr(snapshot, "TIME_LIMIT_MS", 100)
    monkeypatch.setattr(engine, "run", slow)
    for path, parameters in LINKS[:2]:
        response = client.get(path, parameters, headers=make.bearer(read_key))
        assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")
        assert int(response["Retry-After"]) > 0
        assert "narrower" in response.json()["detail"]


@contextmanager
def only_reading() -> Iterator[None]:
    """A database that refuses to write, as a replica does."""
    switches = {
        "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
        "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(switches[0])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(switches[1])


@pytest.mark.django_db(transaction=True)
def test_a_database_that_only_reads_answers_reads(client: Client, read_key: IssuedKey, owner: User) -> None:
    headers = make.bearer(read_key)
    with only_reading():
        statuses = {path: client.get(path, parameters, headers=headers).status_code for path, parameters in LINKS}
    assert statuses == dict.fromkeys(statuses, 200)
    assert ApiKey.objects.get(pk=read_key.key.pk).last_used_at is None
    client.force_login(owner)
    view = {"name": "x", "kind": "metrics_query", "content": QUERY}
    with only_reading():
        refused = client.post("/api/v1/saved-views", json.dumps(view), content_type="application/json")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "unavailable")
    client.get(LINKS[0][0], LINKS[0][1], headers=headers)
    assert ApiKey.objects.get(pk=read_key.key.pk).last_used_at is not None


def test_processes_count_together(settings: Any) -> None:
    with redis.server() as settings.THROTTLE_REDIS_URL:
        standings = [throttles.take("queries", "key a", 1, now=0.0) for _ in range(5)]
        throttles.forget()  # as another process would begin
        standings += [throttles.take("queries", "key a", 1, now=0.0) for _ in range(6)]
        assert [one.allowed for one in standings] == [True] * 10 + [False]
        assert (standings[0].limit, standings[9].remaining) == (10, 0)
        assert 0 < standings[-1].reset <= 60
        assert throttles.take("queries", "key b", 1, now=0.0).allowed
        assert throttles.take("suggestions", "key a", 1, now=0.0).allowed


def test_without_redis_answers_go_on(
    client: Client, read_key: IssuedKey, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.QUERIES_PER_MINUTE = 1
    settings.THROTTLE_REDIS_URL = settings.REDIS_URL = NOBODY_LISTENS
    answers = [client.get("/api/v1/requests", headers=make.bearer(read_key)) for _ in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert len([one for one in caplog.records if "Redis does not count" in one.message]) == 1  # and is left alone
    assert sample(client, "portal_throttle_shared") == 0


def test_redis_that_came_back_counts_again(settings: Any) -> None:
    settings.THROTTLE_REDIS_URL = NOBODY_LISTENS
    assert shared_allowances.take("queries", "a", 10, 1, now=0.0) is None
    with redis.server() as settings.THROTTLE_REDIS_URL:
        assert shared_allowances.take("queries", "a", 10, 1, now=shared_allowances.PAUSE - 1) is None
        assert shared_allowances.take("queries", "a", 10, 1, now=shared_allowances.PAUSE + 1) == (True, 9.0)
