"""The same requests in ClickHouse's engine (chDB, in this process), and the points of a page from them."""

import importlib
import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg

from benchmarks import columnar_sql as sql
from benchmarks.clock import Stopwatch, say
from benchmarks.copies import conninfo
from benchmarks.pages import ORGANIZATION, RANGES, VIEWS, Case
from benchmarks.tenants import Tenant
from benchmarks.web import Portal
from ingestion.models import LLMRequest

ROUNDS: Final = 5
EXACT_ROUNDS: Final = 1


class _Session(Protocol):
    """What we use of a chDB session, which has no types of its own."""

    def query(self, sql: str, fmt: str = "CSV") -> Any:  # noqa: ANN401 - theirs
        """Run a statement."""

    def close(self) -> None:
        """Let its files go."""


@dataclass(slots=True)
class Compared:
    """Milliseconds of each round of one page: ours, and the engine's by kind of percentile."""

    view: str
    range: str
    points: int = 0
    page: list[float] = field(default_factory=list)
    engine: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Columnar:
    """What the engine is, how long it took to fill, its bytes, and the comparisons."""

    version: str
    seconds: float
    size: int
    rows: int
    compared: Sequence[Compared]


def measure(portal: Portal, tenant: Tenant, folder: Path) -> Columnar | None:
    """Fill the engine, then ask both in turns; None where chDB is not installed (requirements-bench.txt)."""
    if importlib.util.find_spec("chdb") is None:
        say("chDB is not installed; nothing is compared with it")
        return None
    home = folder / "chdb"
    session: _Session = importlib.import_module("chdb.session").Session(str(home))
    try:
        watch = Stopwatch()
        with watch.running():
            rows = _fill(session, tenant, folder)
        size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
        pages = {(view, length): Compared(view, length) for view in VIEWS for length in RANGES}
        for turn in range(ROUNDS):
            say(f"pages beside ClickHouse's engine, round {turn + 1} of {ROUNDS}")
            for compared in pages.values():
                compare_once(portal, tenant, session, compared, exact=turn < EXACT_ROUNDS)
        version = str(session.query("SELECT version()")).strip().strip('"')
        return Columnar(version, watch.seconds, size, rows, list(pages.values()))
    finally:
        session.close()
        shutil.rmtree(home, ignore_errors=True)


def _fill(session: "_Session", tenant: Tenant, folder: Path) -> int:
    """Export once as text, import once; returns the rows."""
    say("copying the requests into ClickHouse's engine")
    file = folder / "facts.tsv"
    facts = LLMRequest._meta.db_table
    statement = f"COPY ({sql.export(facts, tenant.organization.pk)}) TO STDOUT"
    with (
        psycopg.connect(conninfo()) as server,
        server.cursor() as cursor,
        cursor.copy(statement.encode()) as copy,
        file.open("wb") as target,
    ):
        for piece in copy:
            target.write(piece)
    for one in sql.create(file, tenant.organization.zone):
        session.query(one)
    file.unlink()
    return int(str(session.query("SELECT count() FROM facts")).strip())


def compare_once(portal: Portal, tenant: Tenant, session: "_Session", compared: Compared, *, exact: bool) -> None:
    """Our page, then the engine's answer to the same question: range, buckets and series are those of the page."""
    case = Case(tenant.slug, ORGANIZATION, compared.view, compared.range)
    answer = portal.get(case.path, portal.browser)
    compared.page.append(answer.seconds * 1000)
    question = sql.question_of(answer.body, compared.view)
    compared.points = len(question.starts) * question.series
    for kind in sql.KINDS if exact else sql.QUICK:
        watch = Stopwatch()
        with watch.running():
            listed = _ask(session, sql.listed(question, kind))
            shown = [row[0] for row in listed[: sql.SHOWN]]
            for statement in sql.rest(question, kind, shown):
                _ask(session, statement)
        compared.engine.setdefault(kind, []).append(watch.seconds * 1000)
        counted = sum(int(row[1]) for row in listed)
        if counted != question.requests:
            raise RuntimeError(f"{case}: the page has {question.requests:,} requests, the engine {counted:,}")


def _ask(session: "_Session", statement: str) -> list[list[str]]:
    """Rows as texts: what a program that draws them would read."""
    text = session.query(statement, "TabSeparated").bytes().decode()
    return [line.split("\t") for line in text.splitlines()]
