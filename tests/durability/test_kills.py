"""Acknowledged means stored: web workers killed, the database crashed, the broker gone, in the middle of traffic."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from benchmarks.web import Portal, running
from tests.durability.gateway import Gateway
from tests.durability.installation import ROOT, Installation, install, plain
from tests.harness import postgresql, redis

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


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
    for _ in range(50):
        time.sleep(0.2 + dice.random() / 2)
        for pid in portal.workers()[:1]:
            os.kill(pid, signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    check(installation, gateway)


def test_servers_killed_in_the_middle_of_batches(installation: Installation, tmp_path: Path) -> None:
    gateway, dice = Gateway(0, installation.key), random.Random(9)
    for _ in range(5):
        stop = threading.Event()
        with running(tmp_path, installation.environment) as portal:
            gateway.port = portal.port
            threads = gateway.run(4, stop)
            time.sleep(1 + dice.random())
            portal.process.kill()
            portal.process.wait()
            stop.set()
            for thread in threads:
                thread.join()
    with running(tmp_path, installation.environment) as portal:
        gateway.port = portal.port
        check(installation, gateway)


def test_rollups_killed_while_traffic_arrives(installation: Installation, portal: Portal) -> None:
    gateway, stop, dice = Gateway(portal.port, installation.key), threading.Event(), random.Random(8)
    threads = gateway.run(2, stop)
    for _ in range(20):
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


def test_a_database_that_only_reads_for_a_while(tmp_path: Path) -> None:
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        installation = install(plain(tmp_path) | {"DATABASE_URL": server.url, "REDIS_URL": broker}, server)
        with running(tmp_path, installation.environment) as portal:
            gateway, stop = Gateway(portal.port, installation.key), threading.Event()
            threads = gateway.run(3, stop)
            for state in ("on", "off") * 2:
                time.sleep(1.5)
                with psycopg.connect(server.url, autocommit=True) as administrator:
                    administrator.execute("SET default_transaction_read_only = off")
                    administrator.execute(f"ALTER SYSTEM SET default_transaction_read_only = {state}")
                    administrator.execute("SELECT pg_reload_conf()")
            time.sleep(1)
            stop.set()
            for thread in threads:
                thread.join()
            assert 503 in gateway.statuses, "nobody noticed"
            check(installation, gateway)
