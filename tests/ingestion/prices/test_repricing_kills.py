"""A reprice that is killed again and again, in processes of its own on either database, ends with the right costs."""

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

from tests.durability.installation import ROOT, Installation, install, plain
from tests.harness import postgresql

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="kills processes")]
RANGE: Final = ("reprice", "--organization", "acme", "--from", "2026-01-01", "--to", "2026-12-31")
KILLS: Final = 20
REQUESTS: Final = 24_000
TRAFFIC: Final = ("--requests", str(REQUESTS), "--days", "20", "--end", "2026-11-01T00:00:00+00:00")
PRICES: Final = """
from ingestion.models import PriceEntry
for entry in list(PriceEntry.objects.exclude(price=None)):
    entry.corrects_id, entry.pk, entry.price = entry.pk, None, entry.price * 2
    entry.save(force_insert=True)
"""
# The command with hundreds of short transactions, so that there is a middle to be killed in; a line after each.
COMMAND: Final = """
import sys
import django
django.setup()
from django.core.management import call_command
from ingestion.management.commands.reprice import Command
from ingestion.repricing import windows
windows.WINDOWS.update(postgresql=200, sqlite=50)
Command._progress = lambda self, done, expected: print(done, flush=True)
call_command(*sys.argv[1:])
"""
FACTS: Final = "SELECT request_id, cost_state, cost, list_cost, contracted_cost FROM ingestion_llmrequest"
# One statement, so that both come from one instant: the database may still be at the last commit of who was killed.
PROGRESS: Final = """
SELECT result, state, (SELECT count(*) FROM ingestion_llmrequest
                       WHERE price_book_version = (SELECT max(id) FROM ingestion_priceentry))
FROM ingestion_repricerun ORDER BY id
"""
AUDITS: Final = "SELECT details FROM teams_auditentry WHERE action = 'requests.reprice' ORDER BY id"


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A portal with priced and rolled up traffic."""
    if request.param == "sqlite":
        yield fill(install(plain(tmp_path)))
        return
    with postgresql.server("fsync=on") as server:
        yield fill(install(plain(tmp_path) | {"DATABASE_URL": server.url}, server))


def fill(installation: Installation) -> Installation:
    installation.manage("generate_traffic", "--organization", "acme", *TRAFFIC)
    installation.manage("rollup", "--drain")
    return installation


def ask(installation: Installation, statement: str) -> list[tuple[Any, ...]]:
    """Rows from the database itself: a command for each question would take longer than the repricing."""
    if installation.server is None:
        path = Path(installation.environment["PORTAL_VAR_DIR"]) / "portal.sqlite3"
        connection = sqlite3.connect(path)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
    with psycopg.connect(installation.server.url) as server:
        return list(server.execute(statement))


def decoded(value: Any) -> Any:
    """JSON, which SQLite hands out as text."""
    return json.loads(value) if isinstance(value, str) else value


def costs(installation: Installation) -> dict[str, tuple[Any, ...]]:
    return {request_id: tuple(values) for request_id, *values in ask(installation, FACTS)}


def changed(installation: Installation) -> int:
    """Facts that the only run has changed, by its own sums and by the facts themselves: both must agree."""
    ((result, state, stored),) = ask(installation, PROGRESS)
    counted = decoded(result).get("total", [0, 0])[1]
    assert (state, counted) == ("applying", stored), "facts and sums were not committed together"
    return int(stored)


def kill_somewhere(installation: Installation, dice: random.Random) -> None:
    """Start the command and kill it in or after one of its first transactions."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *RANGE, "--apply", "--reason", "doubled"],
        cwd=ROOT,
        env={**installation.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout
    with process.stdout as told:
        for _ in range(dice.randrange(1, 20)):
            assert told.readline(), "it ended by itself"
        time.sleep(dice.random() / 50)
        process.kill()
        process.wait()


def twice(known: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the doubled prices make of a fact; what no price was used for stays."""
    state, *amounts = known
    return (state, *(2 * one for one in amounts)) if state == "computed" else known


def test_killed_twenty_times_and_run_again(installation: Installation) -> None:
    before, dice = costs(installation), random.Random(5)
    installation.manage("shell", "-v0", "-c", PRICES)
    foreseen = json.loads(installation.manage(*RANGE, "--json"))
    assert foreseen["changed"] > REQUESTS / 2
    assert costs(installation) == before, "a preview changes nothing"
    middles = [0]
    for _ in range(KILLS):
        kill_somewhere(installation, dice)
        middles.append(changed(installation))
    assert sorted({*middles}) == middles, "every process got further"
    assert middles[-1] < foreseen["changed"], "the last one was not killed in the middle"
    done = json.loads(installation.manage(*RANGE, "--apply", "--json"))
    assert {name: done[name] for name in ("resumed", "applied")} == {"resumed": True, "applied": True}
    figures = ("requests", "changed", "usd_before", "usd_after", "states", "models", "teams")
    assert {name: done[name] for name in figures} == {name: foreseen[name] for name in figures}
    assert costs(installation) == {request_id: twice(known) for request_id, known in before.items()}
    check_again(installation, foreseen)


def check_again(installation: Installation, foreseen: dict[str, Any]) -> None:
    """A second run finds nothing to do, both are audited once, and the aggregates follow."""
    held = ask(installation, "SELECT * FROM ingestion_llmrequest ORDER BY id")
    again = json.loads(installation.manage(*RANGE, "--apply", "--json"))
    assert (again["changed"], again["usd_after"]) == (0, foreseen["usd_after"])
    assert ask(installation, "SELECT * FROM ingestion_llmrequest ORDER BY id") == held
    assert [state for _, state, _ in ask(installation, PROGRESS)] == ["applied", "applied"]
    audits = [decoded(details) for (details,) in ask(installation, AUDITS)]
    sums = [(one["reason"], one["changed"], one["usd_before"], one["usd_after"]) for one in audits]
    old, new = foreseen["usd_before"], foreseen["usd_after"]
    assert sums == [("doubled", foreseen["changed"], old, new), ("", 0, new, new)]
    installation.manage("rollup", "--drain")
    installation.manage("verify_rollups")
