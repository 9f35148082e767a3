"""Many senders of the same requests at once, over HTTP: each is stored once, and nobody gets an error."""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from benchmarks.web import Portal
from tests.durability.installation import Installation
from tests.durability.wire import Reply, post

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
REQUESTS: Final = 500
REPEATS: Final = 20
OVERLAPPING: Final = 6


def records(number: int) -> list[dict[str, object]]:
    """The same at every call within a test: their times too."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    return [
        {
            "request_id": f"r{one:04}",
            "started_at": (start + timedelta(seconds=5 * one)).isoformat(),
            "model": f"model-{one % 5}",
            "user": f"user-{one % 40}",
            "team": f"team-{one % 7}",
            "virtual_account": f"account-{one % 9}",
            "metadata": {"environment": f"e{one % 3}"},
            "error_type": f"Error{one % 4}" if one % 10 == 0 else None,
            "input_tokens": one,
        }
        for one in range(number)
    ]


def senders(installation: Installation) -> int:
    """SQLite has one writer: fewer are asked of it."""
    return 8 if installation.server else 4


def at_once(number: int, work: Callable[[int], list[Reply]]) -> list[Reply]:
    """All answers of so many senders."""
    with ThreadPoolExecutor(number) as pool:
        return [reply for replies in pool.map(work, range(number)) for reply in replies]


def counts(replies: list[Reply]) -> Counter[str]:
    """The outcomes of all batches together; every one of them was answered 200."""
    assert Counter(reply.status for reply in replies) == {200: len(replies)}
    total: Counter[str] = Counter()
    for reply in replies:
        outcome = json.loads(reply.body)
        total.update({name: outcome[name] for name in ("accepted", "duplicate", "conflict")})
        total["rejected"] += len(outcome["rejected"])
    return total


def assert_nobody_waited_in_vain(installation: Installation, folder: Path) -> None:
    """No deadlock in the log of the server, no locked database in that of the portal, and rollups equal facts."""
    if installation.server:
        assert "deadlock detected" not in (installation.server.home / "log").read_text()
    log = (folder / "web.log").read_text()
    assert "locked" not in log
    assert "repeated" not in log, "a transaction had to be tried again"
    installation.manage("rollup", "--drain")
    installation.manage("verify_rollups")


def test_the_same_requests_from_many_senders(installation: Installation, portal: Portal, tmp_path: Path) -> None:
    sent = records(REQUESTS)

    def send(number: int) -> list[Reply]:
        chance = random.Random(number)
        bodies = [json.dumps(chance.sample(sent, len(sent))).encode() for _ in range(REPEATS)]
        return [post(portal.port, installation.key, body) for body in bodies]

    number = senders(installation)
    total = counts(at_once(number, send))
    assert total == {
        "accepted": REQUESTS,
        "duplicate": REQUESTS * (number * REPEATS - 1),
        "conflict": 0,
        "rejected": 0,
    }
    assert sorted(installation.stored()) == [str(one["request_id"]) for one in sent]
    assert_nobody_waited_in_vain(installation, tmp_path)


def test_batches_that_overlap(installation: Installation, portal: Portal, tmp_path: Path) -> None:
    """New requests in every batch, in another order by every sender: what would deadlock without one order of locks."""
    sent = records(4 * REQUESTS)

    def send(number: int) -> list[Reply]:
        chance = random.Random(100 + number)
        replies = []
        for turn in range(REPEATS):
            window = sent[turn * 90 : turn * 90 + 290]
            body = json.dumps(chance.sample(window, 200)).encode()
            replies.append(post(portal.port, installation.key, body))
        return replies

    total = counts(at_once(OVERLAPPING, send))
    stored = installation.stored()
    assert len(stored) == len({*stored}) == total["accepted"]
    assert (total["conflict"], total["rejected"]) == (0, 0)
    assert total["accepted"] + total["duplicate"] == OVERLAPPING * REPEATS * 200
    assert_nobody_waited_in_vain(installation, tmp_path)
