"""Acknowledged means stored: web workers killed, the database crashed, the broker gone, in the middle of traffic."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.web import Portal, running
from tests.durability.gateway import Gateway
from tests.harness import postgresql, redis

ROOT: Final = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
STORED: Final = "from ingestion.models import LLMRequest as R; print(*R.objects.values_list('request_id', flat=True))"


@dataclass(frozen=True, slots=True)
class Installation:
    """A portal with its own database, and what a gateway needs to send to it."""

    environment: Mapping[str, str]
    key: str

    def manage(self, *words: str) -> str:
        """The output of a command; its failure fails the test."""
        command = [sys.executable, "manage.py", *words]
        answer = subprocess.run(
            command, cwd=ROOT, env={**self.environment}, check=False, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def stored(self) -> list[str]:
        """The ids of all stored requests."""
        return self.manage("shell", "-v0", "-c", STORED).split()


def install(environment: Mapping[str, str]) -> Installation:
    made = Installation(environment, "")
    made.manage("migrate", "-v0")
    made.manage("collectstatic", "--noinput", "-v0")
    names = ("--organization", "acme", "--name", "Acme", "--zone", "Asia/Kolkata", "--admin-email", "a@acme.example")
    said: dict[str, Any] = json.loads(made.manage("bootstrap", *names, "--json").splitlines()[-1])
    return Installation(environment, said["ingest_key"])


def plain(folder: Path) -> dict[str, str]:
    """The environment of an embedded installation."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return kept | {
        "PORTAL_VAR_DIR": str(folder),
        "SECRET_KEY": "only-for-a-portal-that-is-thrown-away",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "metricsportal.settings",
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """On either database."""
    if request.param == "sqlite":
        yield install(plain(tmp_path))
        return
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        yield install(plain(tmp_path) | {"DATABASE_URL": server.url, "REDIS_URL": broker})


@pytest.fixture
def portal(installation: Installation, tmp_path: Path) -> Iterator[Portal]:
    """Its web server."""
    with running(tmp_path, installation.environment) as started:
        yield started


def check(installation: Installation, gateway: Gateway) -> None:
    """Nothing acknowledged is lost; after sending again all is stored once, and aggregates equal the facts."""
    assert gateway.acknowledged <= {*installation.stored()}
    assert gateway.acknowledged, "nothing was acknowledged at all"
    gateway.send_again()
    stored = installation.stored()
    assert sorted(stored) == sorted(gateway.sent)
    assert gateway.acknowledged == gateway.sent
    assert gateway.statuses <= {200, 503}
    installation.manage("rollup", "--drain")
    installation.manage("verify_rollups")


def test_workers_killed_in_the_middle_of_batches(installation: Installation, portal: Portal) -> None:
    gateway, stop, dice = Gateway(portal.port, installation.key), threading.Event(), random.Random(7)
    threads = gateway.run(4, stop)
    for _ in range(10):
        time.sleep(0.2 + dice.random() / 2)
        for pid in portal.workers()[:1]:
            os.kill(pid, signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    check(installation, gateway)


def test_rollups_killed_while_traffic_arrives(installation: Installation, portal: Portal) -> None:
    gateway, stop, dice = Gateway(portal.port, installation.key), threading.Event(), random.Random(8)
    threads = gateway.run(2, stop)
    for _ in range(8):
        command = [sys.executable, "manage.py", "rollup", "--drain"]
        rollup = subprocess.Popen(
            command, cwd=ROOT, env={**installation.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(0.6 + dice.random())
        rollup.kill()
        rollup.wait()
    stop.set()
    for thread in threads:
        thread.join()
    check(installation, gateway)


def test_a_database_that_crashes(tmp_path: Path) -> None:
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        installation = install(plain(tmp_path) | {"DATABASE_URL": server.url, "REDIS_URL": broker})
        with running(tmp_path, installation.environment) as portal:
            gateway, stop = Gateway(portal.port, installation.key), threading.Event()
            threads = gateway.run(3, stop)
            for _ in range(3):
                time.sleep(1.5)
                server.crash()
                time.sleep(0.5)
                server.start()
            time.sleep(1)
            stop.set()
            for thread in threads:
                thread.join()
            assert 503 in gateway.statuses, "the crash was not noticed by any sender"
            check(installation, gateway)


def test_ingest_goes_on_without_a_broker(tmp_path: Path) -> None:
    with postgresql.server("fsync=on") as server:
        nowhere = {"DATABASE_URL": server.url, "REDIS_URL": "redis://127.0.0.1:1/0"}
        installation = install(plain(tmp_path) | nowhere)
        with running(tmp_path, installation.environment) as portal:
            gateway, stop = Gateway(portal.port, installation.key), threading.Event()
            threads = gateway.run(2, stop)
            time.sleep(3)
            stop.set()
            for thread in threads:
                thread.join()
            assert gateway.statuses == {200}
            check(installation, gateway)
