"""From a file to facts to aggregates: how long each step takes, beside PostgreSQL's own COPY of the same rows."""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from benchmarks.clock import say
from benchmarks.copies import Copies
from benchmarks.tenants import Tenant
from ingestion.services import BATCH


@dataclass(frozen=True, slots=True)
class Loaded:
    """Seconds of each step, and what it made."""

    generated: float
    file_bytes: int
    imported: float
    accepted: int
    repeated: float
    copied: float
    rolled_up: float
    rolled_up_text: str
    verified: float
    cells: int


def manage(*words: str) -> tuple[float, str]:
    """Run a management command in a process of its own; seconds including its start, and what it printed."""
    started = time.perf_counter()
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(f"{' '.join(words)} failed: {answer.stdout}{answer.stderr}")
    return time.perf_counter() - started, answer.stdout


def load(chosen: argparse.Namespace, tenant: Tenant, file: Path) -> Loaded:
    """Generate, import, import again a part, copy, roll up, verify; the file of the requests is left there."""
    slug, folder = tenant.slug, file.parent
    say(f"generating {chosen.requests:,} requests")
    sizes = [f"--{name}={getattr(chosen, name)}" for name in ("requests", "days", "seed", "company")]
    end = f"--end={tenant.calendar.period.end.isoformat()}"
    generated, _ = manage("generate_traffic", *sizes, end, f"--organization={slug}", f"--output={file}")
    say(f"importing {file.stat().st_size / 1e6:,.0f} MB")
    outcome = _import(file, slug)
    if outcome["accepted"] != chosen.requests:
        raise RuntimeError(f"not everything was accepted: {outcome}")
    repeated = _import_again(file, slug, folder)
    say("copying the same rows")
    with Copies(empty=True) as copies:
        copied = copies.copy(0, BATCH)
    say("rolling up")
    rolled_up, text = manage("rollup", f"--organization={slug}", "--drain")
    say("comparing all aggregates with the facts")
    verified, report = manage("verify_rollups", f"--organization={slug}", "--json")
    size = file.stat().st_size
    return Loaded(
        generated=generated,
        file_bytes=size,
        imported=float(str(outcome["seconds"])),
        accepted=chosen.requests,
        repeated=repeated,
        copied=copied,
        rolled_up=rolled_up,
        rolled_up_text=text.strip().splitlines()[-1],
        verified=verified,
        cells=json.loads(report)[slug]["cells"],
    )


def _import(file: Path, slug: str) -> dict[str, object]:
    _, text = manage("import_requests", str(file), f"--organization={slug}", "--json")
    return dict(json.loads(text.strip().splitlines()[-1]))


def _import_again(file: Path, slug: str, folder: Path) -> float:
    """Requests per second of importing the first tenth a second time: nothing may be stored."""
    part, wanted = folder / "part.ndjson", 0
    with file.open("rb") as whole, part.open("wb") as target:
        for line in whole:
            target.write(line)
            wanted += 1
            if whole.tell() > file.stat().st_size / 10:
                break
    outcome = _import(part, slug)
    part.unlink()
    if outcome["duplicate"] != wanted:
        raise RuntimeError(f"a second import was not recognised: {outcome}")
    return wanted / float(str(outcome["seconds"]))
