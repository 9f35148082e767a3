"""Workers killed in the middle of an uploaded file: another goes on, and every record is stored and counted once."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from metricsportal import children, processes
from tests.durability.installation import ROOT, Installation
from tests.metricsportal.test_up import descendants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
RECORDS: Final = 180_000
KILLS: Final = 2
UPLOAD: Final = """
import shutil, sys
from django.utils import timezone
from ingestion.uploads import acts, files
from teams.models import Organization
name, target = files.create()
with target, open({path!r}, "rb") as source:
    shutil.copyfileobj(source, target)
upload = acts.receive(actor=None, organization=Organization.objects.get(slug="acme"), now=timezone.now(),
                      file=acts.Received("history.ndjson.gz", name, {size}), choice=acts.Choice())
acts.start(actor=None, upload=upload, now=timezone.now())
"""
COUNTS: Final = """
import json
from ingestion.models import LLMRequest, Upload
fields = ("state", "accepted", "duplicate", "conflict", "error")
print(json.dumps(Upload.objects.values(*fields).get() | {"stored": LLMRequest.objects.count()}))
"""


@contextmanager
def background(folder: Path, environment: Mapping[str, str], name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The worker or the beat of `manage.py up`."""
    with (folder / f"{name}.log").open("ab") as log:
        process = processes.start(commands(environment)[name], environment=environment, folder=ROOT, output=log)
        try:
            yield process
        finally:
            kill(process)


def commands(environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Of an installation with these settings, which are not those of this process."""
    found = children.commands(0)
    pool = found["worker"].index("--pool") + 1
    found["worker"][pool] = "prefork" if "REDIS_URL" in environment else "threads"
    found["beat"][found["beat"].index("--schedule") + 1] = str(Path(environment["PORTAL_VAR_DIR"]) / "beat-schedule")
    return found


def kill(process: "subprocess.Popen[bytes]") -> None:
    """The process and its children, without a chance to say goodbye."""
    for pid in [process.pid, *descendants(process.pid)] if process.poll() is None else []:
        os.kill(pid, signal.SIGKILL)
    process.wait()


def counts(installation: Installation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(installation.manage("shell", "-v0", "-c", COUNTS))
    return found


def wait_until(installation: Installation, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        found = counts(installation)
        if enough(found):
            return found
    raise AssertionError(f"nothing goes on: {found}")


def write(path: Path) -> None:
    start = datetime.now(UTC) - timedelta(days=50)
    with gzip.open(path, "wt", compresslevel=1) as file:
        for number in range(RECORDS):
            moment = (start + timedelta(seconds=20 * number)).isoformat()
            record = {"request_id": f"r{number}", "started_at": moment, "model": f"m{number % 3}", "input_tokens": 7}
            file.write(json.dumps(record) + "\n")


def test_workers_killed_in_the_middle_of_a_file(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson.gz"
    write(path)
    installation.manage("shell", "-v0", "-c", UPLOAD.format(path=str(path), size=path.stat().st_size))
    seen = [0]
    with background(tmp_path, installation.environment, "beat"):
        for _ in range(KILLS):
            with background(tmp_path, installation.environment, "worker") as worker:
                wait_until(installation, lambda found: found["accepted"] > seen[-1])
                kill(worker)
            found = counts(installation)
            assert found["accepted"] == found["stored"], "counts and facts are committed together"
            seen.append(found["accepted"])
        assert seen[-1] < RECORDS, "the file was too short to kill its workers"
        with background(tmp_path, installation.environment, "worker"):
            found = wait_until(installation, lambda found: found["state"] not in {"queued", "importing"})
    expected = {"state": "done", "error": "", "accepted": RECORDS, "duplicate": 0, "conflict": 0}
    assert found == expected | {"stored": RECORDS}
    assert sorted(installation.stored()) == sorted(f"r{number}" for number in range(RECORDS))
    assert list((Path(installation.environment["PORTAL_VAR_DIR"]) / "uploads").iterdir()) == []
    installation.manage("rollup", "--drain")
    installation.manage("verify_rollups")
