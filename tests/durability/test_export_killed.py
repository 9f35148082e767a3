"""A worker killed in the middle of an export: the next one goes on, and the file is that of an undisturbed worker."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.durability.installation import ROOT, Installation

pytestmark = pytest.mark.slow
RECORDS: Final = 12_000  # six pages
ASK: Final = """
from datetime import datetime
from django.utils import timezone
from analytics.exports.jobs import acts, question
from analytics.query.facts_list import EVER
from teams import access
from teams.models import Membership
one = Membership.objects.get()
scope = access.scope_of_user(one.user, one.organization)
now = datetime.fromisoformat({now!r})
asked = question.of_requests(scope, EVER, (), now)
print(*(acts.ask(scope, None, asked, {format!r}, now).pk.hex for _ in range(2)))
"""
WORK: Final = """
import sys, time, uuid
from django.utils import timezone
from analytics.exports.jobs import running
from analytics.exports.jobs.parts import Parts
whole = Parts.add
def slowly(parts, batch):
    whole(parts, batch)
    print("kept", parts.rows, flush=True)
    time.sleep({pause})
Parts.add = slowly
print("rows", running.run(uuid.UUID({job!r}), timezone.now))
"""
STATE: Final = """
import json
from analytics.models import ExportJob
fields = ("state", "rows", "sha256", "error")
print(json.dumps(ExportJob.objects.values(*fields).get(pk={job!r}), default=str))
"""
SHORTEN: Final = """
from django.utils import timezone
from analytics.models import ExportJob
ExportJob.objects.filter(state="running").update(lease_until=timezone.now())
"""


def shell(installation: Installation, script: str) -> str:
    return installation.manage("shell", "-v0", "-c", script)


def state(installation: Installation, job: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shell(installation, STATE.format(job=job)))
    return found


def kill_after(installation: Installation, job: str, parts: int) -> list[str]:
    """Start a worker and kill it in its pause after so many parts; what it said."""
    script = WORK.format(pause=30, job=job) if parts == 1 else WORK.format(pause=0.3, job=job)
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", script]
    environment = {**installation.environment}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        said = [worker.stdout.readline() for _ in range(parts)]
        os.kill(worker.pid, signal.SIGKILL)
    return said


def test_a_worker_killed_in_the_middle(installation: Installation, tmp_path: Path) -> None:
    history = tmp_path / "history.ndjson"
    start = datetime.now(UTC) - timedelta(days=10)
    with history.open("w") as file:
        for number in range(RECORDS):
            moment = (start + timedelta(seconds=20 * number)).isoformat()
            record = {"request_id": f"r{number}", "started_at": moment, "model": f"m{number % 3}", "input_tokens": 7}
            file.write(json.dumps(record) + "\n")
    installation.manage("import_requests", str(history), "--organization", "acme")
    undisturbed, job = shell(installation, ASK.format(now=datetime.now(UTC).isoformat(), format="csv")).split()
    shell(installation, WORK.format(pause=0, job=undisturbed))
    assert kill_after(installation, job, 1) == ["kept 2000\n"]
    shell(installation, SHORTEN)  # instead of waiting for the lease to end
    assert kill_after(installation, job, 2) == ["kept 4000\n", "kept 6000\n"]
    assert state(installation, job)["state"] == "running"
    shell(installation, SHORTEN)
    said = shell(installation, WORK.format(pause=0, job=job)).splitlines()
    assert said == [*(f"kept {rows}" for rows in (8000, 10_000, 12_000)), f"rows {RECORDS}"]
    found, other = state(installation, job), state(installation, undisturbed)
    assert found == other
    assert (found["state"], found["rows"], found["error"]) == ("done", RECORDS, "")
    folder = Path(installation.environment["PORTAL_VAR_DIR"]) / "exports"
    files = [(folder / one / "file").read_bytes() for one in (job, undisturbed)]
    assert files[0] == files[1]
    assert hashlib.sha256(files[0]).hexdigest() == found["sha256"]
    assert sorted(path.name for path in (folder / job).iterdir()) == ["file", "manifest.json"]
