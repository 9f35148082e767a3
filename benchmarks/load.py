"""From a file to facts to aggregates: how long each step takes, beside PostgreSQL's own COPY of the same rows."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from benchmarks.clock import Stopwatch, say
from ingestion.models import LLMRequest
from ingestion.services import BATCH
from ingestion.traffic import Calendar, plan
from ingestion.traffic.company import settle
from metricsportal.lib import localtime
from teams.models import Organization

FACTS: Final = sql.Identifier(LLMRequest._meta.db_table)
_COPY: Final = sql.Identifier("benchmark_copy")


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


def calendar_of(chosen: argparse.Namespace, organization: Organization) -> Calendar:
    """The traffic of a run: it ends now, so that the pages' ranges hold it."""
    return plan(
        requests=chosen.requests,
        days=chosen.days,
        end=datetime.now(UTC).replace(second=0, microsecond=0),
        zone=localtime.zone(organization.zone),
        seed=chosen.seed,
    )


def load(chosen: argparse.Namespace, organization: Organization, calendar: Calendar, folder: Path) -> Loaded:
    """Generate, import, import again a part, copy, roll up, verify."""
    slug, file = organization.slug, folder / "traffic.ndjson"
    settle(organization, calendar)
    say(f"generating {chosen.requests:,} requests")
    sizes = [f"--{name}={getattr(chosen, name)}" for name in ("requests", "days", "seed")]
    end = f"--end={calendar.period.end.isoformat()}"
    generated, _ = manage("generate_traffic", *sizes, end, f"--organization={slug}", f"--output={file}")
    say(f"importing {file.stat().st_size / 1e6:,.0f} MB")
    outcome = _import(file, slug)
    if outcome["accepted"] != chosen.requests:
        raise RuntimeError(f"not everything was accepted: {outcome}")
    repeated = _import_again(file, slug, folder)
    say("copying the same rows")
    copied = copy_of_facts()
    say("rolling up")
    rolled_up, text = manage("rollup", f"--organization={slug}", "--drain")
    say("comparing all aggregates with the facts")
    verified, report = manage("verify_rollups", f"--organization={slug}", "--json")
    size = file.stat().st_size
    file.unlink()
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


def copy_of_facts() -> float:
    """Seconds to COPY all facts, as ready binary blocks, into an empty table with the same columns and indexes.

    A block has as many rows as a batch of the import and its own transaction. Reading the blocks is not counted.
    """
    watch = Stopwatch()
    with psycopg.connect(_conninfo(), autocommit=True) as server:
        server.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(_COPY, FACTS))
        first, last = server.execute(sql.SQL("SELECT min(id), max(id) FROM {}").format(FACTS)).fetchone() or (1, 0)
        for low in range(first, last + 1, BATCH):
            block = _read(server, low, low + BATCH)
            with (
                watch.running(),
                server.cursor() as cursor,
                cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(_COPY)) as copy,
            ):
                for piece in block:
                    copy.write(piece)
        server.execute(sql.SQL("DROP TABLE {}").format(_COPY))
    return watch.seconds


def _conninfo() -> str:
    parameters = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(
        **{name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    )


def _read(server: "psycopg.Connection[tuple[object, ...]]", low: int, beyond: int) -> Sequence[bytes]:
    query = sql.SQL("COPY (SELECT * FROM {} WHERE id >= {} AND id < {}) TO STDOUT (FORMAT BINARY)")
    with server.cursor() as cursor, cursor.copy(query.format(FACTS, sql.Literal(low), sql.Literal(beyond))) as copy:
        return [bytes(piece) for piece in copy]
