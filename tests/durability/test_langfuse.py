"""Calls told in several batches survive the death of the workers that take them and of the clock that settles them."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.web import Portal, running
from metricsportal import children
from tests.durability.installation import ROOT, Installation, install, plain
from tests.harness import postgresql, redis

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
SENDERS: Final = 4
BEGAN: Final = datetime.now(UTC)
# Later than every lease that a killed process left behind.
SETTLE: Final = """
from datetime import timedelta
from django.utils import timezone
from ingestion.observations import settle_due
settle_due(timezone.now() + timedelta(minutes=2))
"""
STORED: Final = """
import json
from ingestion.models import LLMRequest
print(json.dumps(list(LLMRequest.objects.values_list("request_id", "user__name", "latency_us", "output_tokens"))))
"""


class Application:
    """Sends every call in two batches, each on a connection of its own; `acknowledged`: both were taken."""

    def __init__(self, portal: Portal, key: str) -> None:
        self.portal, self.key = portal, key
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()

    def run(self, number: int, stop: threading.Event) -> None:
        """Send until told to stop."""
        while not stop.is_set():
            name = f"{number}-{len(self.sent)}-{random.random()}"
            self.sent.add(name)
            self.send(name)

    def send(self, name: str) -> None:
        """Both batches of a call, or as many as are answered."""
        answered = [self._post(batch) for batch in batches(name)]
        if all(answered):
            self.acknowledged.add(name)

    def _post(self, batch: list[dict[str, Any]]) -> bool:
        connection = http.client.HTTPConnection(children.HOST, self.portal.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/api/public/ingestion", json.dumps({"batch": batch}), headers)
            response = connection.getresponse()
            return response.status == 207 and not json.loads(response.read())["errors"]
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def batches(name: str) -> list[list[dict[str, Any]]]:
    """The beginning of a call and its end, the same whenever they are asked for."""

    def event(kind: str, second: int, **body: Any) -> dict[str, Any]:
        at = (BEGAN + timedelta(seconds=second)).isoformat()
        return {"id": f"{name}-{kind}", "type": kind, "timestamp": at, "body": body}

    start, end = BEGAN.isoformat(), (BEGAN + timedelta(seconds=2)).isoformat()
    ended = event("generation-update", 2, id=name, traceId=name, endTime=end, usageDetails={"input": 1, "output": 20})
    first = event("trace-create", 0, id=name, userId="alice")
    return [[first, event("generation-create", 0, id=name, traceId=name, startTime=start)], [ended]]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_call_is_lost_or_counted_twice(database: str, tmp_path: Path) -> None:
    if database == "sqlite":
        kill_in_the_middle(install(plain(tmp_path)), tmp_path)
        return
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        kill_in_the_middle(install(plain(tmp_path) | {"DATABASE_URL": server.url, "REDIS_URL": broker}), tmp_path)


def kill_in_the_middle(installation: Installation, folder: Path) -> None:
    dice = random.Random(9)
    with running(folder, installation.environment) as portal:
        application, stop = Application(portal, installation.key), threading.Event()
        threads = [threading.Thread(target=application.run, args=(number, stop)) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        for _ in range(6):
            clock = subprocess.Popen(
                [sys.executable, "manage.py", "shell", "-v0", "-c", SETTLE], cwd=ROOT, env={**installation.environment}
            )
            time.sleep(3 + 2 * dice.random())
            os.kill(portal.workers()[0], signal.SIGKILL)
            clock.kill()
            clock.wait()
        stop.set()
        for thread in threads:
            thread.join()
        installation.manage("shell", "-v0", "-c", SETTLE)
        told = facts(installation)
        assert application.acknowledged, "nothing was acknowledged at all"
        assert application.acknowledged <= told.keys()
        assert application.acknowledged != application.sent, "nothing was interrupted"
        for name in application.sent - application.acknowledged:
            application.send(name)
    installation.manage("shell", "-v0", "-c", SETTLE)
    assert facts(installation) == dict.fromkeys(application.sent, ("alice", 2_000_000, 20))
    installation.manage("rollup", "--drain")
    installation.manage("verify_rollups")


def facts(installation: Installation) -> dict[str, tuple[Any, ...]]:
    rows = json.loads(installation.manage("shell", "-v0", "-c", STORED))
    assert len(rows) == len({name for name, *_ in rows})
    return {name: tuple(rest) for name, *rest in rows}
