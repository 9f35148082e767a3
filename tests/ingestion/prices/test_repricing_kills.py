"""A reprice that is killed again and again, in a process of its own on PostgreSQL, ends with the right costs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.durability.installation import Installation, install, plain
from tests.harness import postgresql

ROOT: Final = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="kills processes")]
RANGE: Final = ("reprice", "--organization", "acme", "--from", "2026-01-01", "--to", "2026-12-31")
REQUESTS: Final = 30_000
TRAFFIC: Final = ("--requests", str(REQUESTS), "--days", "20", "--end", "2026-11-01T00:00:00+00:00")
PRICES: Final = """
from ingestion.models import PriceEntry
for entry in list(PriceEntry.objects.exclude(price=None)):
    entry.corrects_id, entry.pk, entry.price = entry.pk, None, entry.price * 2
    entry.save(force_insert=True)
"""
RUNS: Final = """
import json
from ingestion.models import RepriceRun
from teams.models import AuditEntry
runs = list(RepriceRun.objects.order_by("pk").values_list("state", "result"))
audits = list(AuditEntry.objects.filter(action="requests.reprice").order_by("pk").values_list("details", flat=True))
print(json.dumps({"runs": runs, "audits": audits}))
"""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Traffic with prices that then double."""
    with postgresql.server("fsync=on") as server:
        made = install(plain(tmp_path) | {"DATABASE_URL": server.url})
        made.manage("generate_traffic", "--organization", "acme", *TRAFFIC)
        made.manage("rollup", "--drain")
        made.manage("shell", "-v0", "-c", PRICES)
        yield made


def small_windows() -> list[str]:
    """The command with many short transactions, so that there is a middle to be killed in."""
    code = (
        "import django; django.setup(); from ingestion.repricing import windows; "
        "windows.WINDOWS['postgresql'] = 200; "
        "from django.core.management import call_command; import sys; call_command(*sys.argv[1:])"
    )
    return [sys.executable, "-c", code, *RANGE, "--apply", "--reason", "doubled"]


def said(installation: Installation) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(installation.manage("shell", "-v0", "-c", RUNS).splitlines()[-1])
    return answer


def test_killed_and_run_again(installation: Installation) -> None:
    foreseen = json.loads(installation.manage(*RANGE, "--json"))
    assert foreseen["changed"] > REQUESTS / 2
    environment = {**installation.environment}
    middles: list[int] = []
    for _ in range(4):
        process = subprocess.Popen(
            small_windows(), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        before = len(middles) and middles[-1]
        while time.monotonic() < deadline and process.poll() is None:
            found = said(installation)
            changed = found["runs"][0][1].get("total", [0, 0])[1] if found["runs"] else 0
            if changed > before:
                break
        os.kill(process.pid, 9)
        process.wait()
        middles.append(said(installation)["runs"][0][1]["total"][1])
    assert sorted(set(middles)) == middles, "every process got further"
    assert middles[-1] < foreseen["changed"], "it was never killed in the middle"
    done = json.loads(installation.manage(*RANGE, "--apply", "--json"))
    assert {name: done[name] for name in ("resumed", "applied")} == {"resumed": True, "applied": True}
    figures = ("requests", "changed", "usd_before", "usd_after", "states", "models", "teams")
    assert {name: done[name] for name in figures} == {name: foreseen[name] for name in figures}
    again = json.loads(installation.manage(*RANGE, "--apply", "--json"))
    assert (again["changed"], again["usd_after"]) == (0, foreseen["usd_after"])
    found = said(installation)
    assert [state for state, _ in found["runs"]] == ["applied", "applied"]
    assert [one["changed"] for one in found["audits"]] == [foreseen["changed"], 0]
    installation.manage("rollup", "--drain")
    installation.manage("verify_rollups")
