"""A task that runs longer than the broker waits is delivered again; a second run of the same is all that it costs."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psycopg
import pytest

from benchmarks.web import running
from metricsportal import processes
from tests.durability.gateway import batch
from tests.durability.installation import ROOT, install, plain
from tests.durability.wire import post
from tests.harness import postgresql, redis

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
SETTINGS: Final = """
from metricsportal.settings import *

CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 2,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
"""
RING: Final = "from analytics.tasks import sweep; sweep.delay()"
RECEIVED: Final = "Task analytics.tasks.sweep"
PATIENCE: Final = 90


def test_a_sweep_that_is_delivered_twice(tmp_path: Path) -> None:
    (tmp_path / "impatient.py").write_text(SETTINGS)
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        installation = install(plain(tmp_path) | {"DATABASE_URL": server.url, "REDIS_URL": broker}, server)
        with running(tmp_path, installation.environment) as portal:
            bodies = [json.dumps(batch(f"b{number}")).encode() for number in range(20)]
            assert {post(portal.port, installation.key, body).status for body in bodies} == {200}
        impatient = {"DJANGO_SETTINGS_MODULE": "impatient", "PYTHONPATH": str(tmp_path)}
        environment = {**installation.environment, **impatient}
        command = [sys.executable, "-m", "celery", "--app", "metricsportal", "worker", "--concurrency", "2"]
        log = tmp_path / "worker.log"
        with log.open("wb") as output:
            worker = processes.start(
                [*command, "--loglevel", "INFO"], environment=environment, output=output, folder=ROOT
            )
        try:
            with psycopg.connect(server.url) as other:
                # Nobody can write aggregates: the task stands still until the broker has delivered it again.
                other.execute("LOCK TABLE analytics_houraggregate IN SHARE MODE")
                subprocess.run(
                    [sys.executable, "manage.py", "shell", "-c", RING], cwd=ROOT, env=environment, check=True
                )
                wait_until(log, " received", 2)
            wait_until(log, " succeeded", 2)
        finally:
            processes.stop(worker)
        stored = installation.stored()
        assert len(stored) == len({*stored}) == 800
        installation.manage("verify_rollups")


def wait_until(log: Path, word: str, times: int) -> None:
    """Until the worker said so of the task that often."""
    deadline = time.monotonic() + PATIENCE
    while sum(RECEIVED in line and word in line for line in log.read_text().splitlines()) < times:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)
