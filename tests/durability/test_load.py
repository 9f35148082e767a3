"""Load: how long a sender waits for its answer, and what becomes of more than can be done at once. Prints figures."""

import json
import math
import os
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from benchmarks.web import Portal, running
from tests.durability.installation import install, plain
from tests.durability.wire import Reply, get, post
from tests.harness import postgresql, redis
from tests.ingestion.test_litellm import payload

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
LITELLM: Final = "/api/v1/ingest/litellm"
BATCHES: Final = 120
RECORDS: Final = 512
PROMPT: Final = 4_000
"""Characters of a prompt and of an answer: a record is then of the size that LiteLLM sends."""
MOST_SECONDS: Final = 0.5
MOST_WORK: Final = 0.25
"""Seconds of processor per batch, of web worker and database together: these do not depend on the neighbours."""
GROWTH: Final = 400 * 2**20
_WORDS: Final = ("the", "model", "answers", "“quoted”", "naïve", "line\n", "tab\t", "{json}", "12.5")


def prose(chance: random.Random) -> str:
    """Text as it stands in prompts: with quotes, line ends and letters that are escaped."""
    return " ".join(chance.choices(_WORDS, k=PROMPT // 6))[:PROMPT]


def batch(number: int, chance: random.Random, size: int = RECORDS) -> bytes:
    """What LiteLLM sends at once, with prompts and answers."""
    start = datetime.now(UTC).timestamp() - 60
    return json.dumps(
        [
            payload(
                id=f"chatcmpl-{number}-{one}",
                litellm_call_id=f"call-{number}-{one}",
                startTime=start + one / 10,
                endTime=start + one / 10 + 1.5,
                stream=one % 2 == 0,
                messages=[{"role": "user", "content": prose(chance)}],
                response={"choices": [{"message": {"content": prose(chance)}}], "service_tier": "default"},
                metadata={"user_api_key_user_id": f"user-{one % 50}", "user_api_key_alias": f"key-{one % 20}"},
            )
            for one in range(size)
        ]
    ).encode()


def percentile(values: list[float], share: float) -> float:
    """At nearest rank."""
    return sorted(values)[math.ceil(len(values) * share / 100) - 1]


def work_of(*pids: int) -> float:
    """Seconds of processor of the processes and of their children, living and ended."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total += work_of(*map(int, children))
    return total


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Print a figure past pytest."""
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")


def test_a_batch_of_litellm_each_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance, quiet = random.Random(1), os.getloadavg()[0] < 1
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        installation = install(plain(tmp_path) | {"DATABASE_URL": server.url, "REDIS_URL": broker}, server)
        with running(tmp_path, installation.environment) as portal:
            assert server.process
            pids = (portal.process.pid, server.process.pid)
            replies: list[Reply] = []
            before = work_of(*pids)
            for number in range(BATCHES):
                body = batch(number, chance)
                due = time.monotonic() + 1
                replies.append(post(portal.port, installation.key, body, LITELLM))
                time.sleep(max(0, due - time.monotonic()))
            work = (work_of(*pids) - before) / BATCHES
    assert {reply.status for reply in replies} == {200}
    assert sum(json.loads(reply.body)["accepted"] for reply in replies) == BATCHES * RECORDS
    seconds = [reply.seconds for reply in replies]
    figures = ", ".join(f"p{share} {percentile(seconds, share) * 1000:.0f} ms" for share in (50, 95, 99, 100))
    figures += f"; processor {work * 1000:.0f} ms a batch; load of the machine {os.getloadavg()[0]:.1f}"
    say(capsys, f"{BATCHES} batches of {RECORDS} records, {len(body) / 1e6:.1f} MB each: {figures}")
    assert work < MOST_WORK
    # What others leave of the processors says nothing about the portal.
    assert percentile(seconds, 99) < MOST_SECONDS or not quiet


def send_all(portal: Portal, key: str, bodies: list[bytes], senders: int) -> list[Reply]:
    """All bodies from so many senders at once."""
    with ThreadPoolExecutor(senders) as pool:
        return list(pool.map(lambda body: post(portal.port, key, body, LITELLM), bodies))


def test_more_senders_than_threads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Large batches from 60 senders: each is stored or asked to come back, and memory stays within its limit."""
    chance = random.Random(2)
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        limit = {"PORTAL_INGEST_MAX_BYTES_AT_ONCE": str(32 * 2**20)}
        production = {"DATABASE_URL": server.url, "REDIS_URL": broker}
        installation = install(plain(tmp_path) | production | limit, server)
        with running(tmp_path, installation.environment) as portal:
            bodies = [batch(number, chance) for number in range(60)]
            post(portal.port, installation.key, bodies[0], LITELLM)
            workers, before = portal.workers(), portal.forget_peaks()
            replies = send_all(portal, installation.key, bodies, len(bodies))
            growth = portal.peak() - before
            assert portal.workers() == workers
            statuses = Counter(reply.status for reply in replies)
            say(capsys, f"60 senders at once: {dict(statuses)}, growth {growth / 2**20:.0f} MiB")
            assert set(statuses) <= {200, 503}
            assert statuses[200]
            assert statuses[503], "nothing was refused: the limit was never reached"
            assert {reply.headers["Retry-After"] for reply in replies if reply.status == 503} == {"5"}
            assert growth < GROWTH
            waiting = [body for body, reply in zip(bodies, replies, strict=True) if reply.status == 503]
            assert {reply.status for reply in send_all(portal, installation.key, waiting, 2)} == {200}
        assert len(installation.stored()) == RECORDS * len(bodies)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Nobody else writes meanwhile."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


def test_a_database_that_stands_still(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All threads that answer wait for the database: the others are asked to come back, and all is stored later."""
    installation = install(plain(tmp_path))
    bodies = [batch(number, random.Random(number), 3) for number in range(40)]
    with running(tmp_path, installation.environment) as portal:
        with locked(tmp_path / "portal.sqlite3"):
            replies = send_all(portal, installation.key, bodies, len(bodies))
        statuses = Counter(reply.status for reply in replies)
        say(
            capsys,
            f"40 senders to a locked database: {dict(statuses)}, {max(r.seconds for r in replies):.0f} s at most",
        )
        assert statuses == {503: 40}
        assert {reply.headers["Retry-After"] for reply in replies} == {"5"}
        assert installation.stored() == []
        assert get(portal.port, "/healthz").status == 200
        assert {reply.status for reply in send_all(portal, installation.key, bodies, 4)} == {200}
    assert len(installation.stored()) == 120
