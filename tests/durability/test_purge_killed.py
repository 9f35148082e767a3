"""A removal that is killed again and again, in processes of its own on either database, ends; its totals stay."""

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from analytics.models import DayAggregate, HourAggregate
from tests.durability.installation import ROOT, Installation, install, plain
from tests.harness import postgresql

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="kills processes")]
KILLS: Final = 5
REQUESTS: Final = 6_000
TRAFFIC: Final = ("--requests", str(REQUESTS), "--days", "12", "--end", "2026-07-31T00:00:00+00:00")
LATE: Final = {"request_id": "late", "started_at": "2026-07-20T10:00:00Z", "model": "gpt-5"}
# The command with many short transactions, so that there is a middle to be killed in; a line after each.
COMMAND: Final = """
import sys
import django
django.setup()
from django.core.management import call_command
from analytics.management.commands.purge import Command
from ingestion import purging
purging.REQUESTS.at_once.update(postgresql=100, sqlite=100)
Command._progress = lambda self, passed: print(passed.chunks, flush=True)
call_command("purge")
"""
LEFT: Final = "SELECT count(*) FROM ingestion_llmrequest"
MARK: Final = "SELECT before, removed, finished_at FROM ingestion_watermark WHERE subject = 'requests'"


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A portal with old traffic, rolled up, in a closed month."""
    if request.param == "sqlite":
        yield fill(install(plain(tmp_path)))
        return
    with postgresql.server("fsync=on") as server:
        yield fill(install(plain(tmp_path) | {"DATABASE_URL": server.url}, server))


def fill(installation: Installation) -> Installation:
    installation.manage("generate_traffic", "--organization", "acme", *TRAFFIC)
    installation.manage("rollup", "--drain")
    installation.manage("close_period", "--organization", "acme", "--month", "2026-07")
    return installation


def ask(installation: Installation, statement: str) -> list[tuple[Any, ...]]:
    """Rows from the database itself, of one instant."""
    if installation.server is None:
        path = Path(installation.environment["PORTAL_VAR_DIR"]) / "portal.sqlite3"
        connection = sqlite3.connect(path)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
    with psycopg.connect(installation.server.url) as server:
        return list(server.execute(statement))


def aggregates(installation: Installation, table: Any) -> list[tuple[Any, ...]]:
    return ask(installation, f"SELECT * FROM {table._meta.db_table} WHERE grain <> 'requests' ORDER BY id")


def kill_somewhere(installation: Installation, dice: random.Random) -> None:
    """Start the command and kill it in or after one of its transactions."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT,
        env={**installation.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout
    with process.stdout as told:
        for _ in range(dice.randrange(1, 10)):
            assert told.readline(), "it ended by itself"
        time.sleep(dice.random() / 50)
        process.kill()
        process.wait()


def late_record(installation: Installation, folder: Path) -> None:
    """A record of a removed hour is refused, although a file has no lower limit of time."""
    path = folder / "late.ndjson"
    path.write_text(json.dumps(LATE) + "\n")
    told = json.loads(installation.manage("import_requests", str(path), "--organization", "acme", "--json"))
    assert (told["accepted"], told["rejected_by_code"]) == (0, {"time_window": 1})


def test_killed_several_times_and_run_again(installation: Installation, tmp_path: Path) -> None:
    ((stored,),) = ask(installation, LEFT)
    hours, days = aggregates(installation, HourAggregate), aggregates(installation, DayAggregate)
    assert stored == REQUESTS
    assert len(hours) > 100
    dice, left = random.Random(3), [REQUESTS]
    for _ in range(KILLS):
        kill_somewhere(installation, dice)
        ((now,),) = ask(installation, LEFT)
        ((_, removed, finished),) = ask(installation, MARK)
        assert (removed, finished) == (REQUESTS - now, None), "rows and their count were not committed together"
        left.append(now)
        late_record(installation, tmp_path)
        installation.manage("rollup", "--rebuild", "--from", "2026-07-01", "--drain")
        assert aggregates(installation, HourAggregate) == hours
        assert aggregates(installation, DayAggregate) == days
    assert sorted({*left}, reverse=True) == left, "every process got further"
    assert left[-1] > 0, "the last one was not killed in the middle"
    done = json.loads(installation.manage("purge", "--json"))
    assert done["acme"]["requests"]["removed"] == left[-1]
    assert ask(installation, LEFT) == [(0,)]
    ((_, removed, finished),) = ask(installation, MARK)
    assert removed == REQUESTS
    assert finished is not None
    installation.manage("rollup", "--rebuild", "--from", "2026-07-01", "--drain")
    late_record(installation, tmp_path)
    assert aggregates(installation, HourAggregate) == hours
    assert aggregates(installation, DayAggregate) == days
    installation.manage("verify_rollups")
