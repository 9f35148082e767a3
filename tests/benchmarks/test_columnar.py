"""The statements of the comparison with ClickHouse's engine answer what a page shows, against a count by hand."""

import argparse
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks import columnar_sql as sql
from benchmarks import tenants
from benchmarks.columnar import Compared, compare_once
from benchmarks.tenants import Tenant
from benchmarks.web import Answer
from teams.models import Organization

START = datetime(2026, 3, 28, 22, 15, tzinfo=UTC)  # the clock changes at 01:00
END = START + timedelta(days=2)
BODY = json.dumps(
    {
        "counters": [{"name": "requests", "value": 400}],
        "range": {"start": START.isoformat(), "end": END.isoformat()},
        "interval": {"name": "1 hour"},
        "buckets": {"starts": [1, 2, 3]},
        "groups": [{}, {}],
    }
).encode()


def facts(count: int) -> list[dict[str, str | int]]:
    """Requests from a day before the range to a day behind it, in the order of the export."""
    rng = random.Random(4)
    found: list[dict[str, str | int]] = []
    for _ in range(count):
        row: dict[str, str | int] = dict.fromkeys(sql.COLUMNS, 0)
        at = START + timedelta(seconds=rng.uniform(-86_400, 3 * 86_400))
        row |= {
            "at": round(at.timestamp() * 1e6),
            "model": rng.randrange(1, 16),
            "metadata": rng.choices(("acme", "o'neill", "c:\\new", "x"), (5, 4, 3, 1))[0],
            "failed": int(rng.random() < 0.2),
            "status_code": rng.choice((200, 429)),
            "error_type": rng.randrange(3),
            "input_tokens": rng.randrange(1_000),
        }
        row |= {f"{name}_us": rng.choice((-1, rng.randrange(1, 10**7))) for name in ("latency", "ttft", "itl", "tpot")}
        found.append(row)
    return found


def inside(rows: list[dict[str, str | int]], start: datetime, end: datetime) -> list[dict[str, str | int]]:
    """Those of a range."""
    first, behind = (round(instant.timestamp() * 1e6) for instant in (start, end))
    return [row for row in rows if first <= int(row["at"]) < behind]


@pytest.mark.parametrize("view", ["model", "metadata"])
def test_points_are_those_of_a_count_by_hand(tmp_path: Path, view: str) -> None:
    sessions = pytest.importorskip("chdb.session", reason="chDB is only installed to measure")
    rows, file = facts(3_000), tmp_path / "facts.tsv"
    file.write_text(
        "".join("\t".join(str(value).replace("\\", "\\\\") for value in row.values()) + "\n" for row in rows)
    )
    question, session = sql.question_of(BODY, view), sessions.Session(str(tmp_path / "chdb"))
    try:
        for statement in sql.create(file, "Europe/Berlin"):
            session.query(statement)

        def ask(statement: str) -> list[list[str]]:
            return [line.split("\t") for line in session.query(statement, "TabSeparated").bytes().decode().splitlines()]

        during = inside(rows, START, END)
        listed = ask(sql.listed(question, "TDigest"))
        counted = Counter(str(row[view]) for row in during)
        plain = {row[0].replace("\\'", "'").replace("\\\\", "\\"): int(row[1]) for row in listed}
        assert plain == counted
        assert [int(row[1]) for row in listed] == sorted(counted.values(), reverse=True)
        shown = [row[0].replace("\\'", "'").replace("\\\\", "\\") for row in listed[:3]]
        for kind in sql.KINDS:
            charted, earlier, by_type, by_code = map(ask, sql.rest(question, kind, shown))
            points = Counter(
                (str(row[view]) if str(row[view]) in shown else "other", int(row["at"]) // 3_600_000_000)
                for row in during
            )
            totals = len({name for name, _ in points}) + 1
            assert len(charted) == len(points) + totals
            assert sorted(int(row[2]) for row in charted)[-1] == len(during)
            assert sum(int(row[2]) for row in charted) == 3 * len(during)
            assert int(earlier[0][0]) == len(inside(rows, question.before, START))
            failed = sum(int(row["failed"]) for row in during)
            assert sum(int(row[2]) for row in by_type) == sum(int(row[2]) for row in by_code) == 3 * failed
    finally:
        session.close()


def test_the_question_is_that_of_the_page() -> None:
    question = sql.question_of(BODY, "model")
    assert (question.start, question.end, question.before) == (START, END, START - timedelta(days=2))
    assert (question.series, question.requests, question.bucket) == (2, 400, "toStartOfHour(at)")


@dataclass
class Answering:
    """A portal and an engine that answer the same to everything; `asked` are the statements."""

    texts: list[str]
    browser: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, path: str, headers: dict[str, str]) -> Answer:
        return Answer(0.25, len(BODY), 0, BODY)

    def query(self, statement: str, form: str) -> "Answering":
        self.asked.append(statement)
        return self

    def bytes(self) -> bytes:
        return "\n".join(self.texts).encode()


@pytest.mark.django_db
@pytest.mark.parametrize("counts", [(300, 100), (300, 99)])
def test_a_page_and_an_engine_that_disagree_are_not_compared(acme: Organization, counts: tuple[int, int]) -> None:
    calendar = tenants.calendar_of(acme, 400, argparse.Namespace(days=1, seed=1, company="small"))
    both = Answering([f"{number}\t{count}" for number, count in enumerate(counts)])
    compared = Compared("model", "24h")
    arguments: Any = (both, Tenant(acme, calendar, 400, {}, {}), both, compared)
    if sum(counts) != 400:
        with pytest.raises(RuntimeError, match="the page has 400 requests, the engine 399"):
            compare_once(*arguments, exact=True)
        return
    compare_once(*arguments, exact=True)
    compare_once(*arguments, exact=False)
    assert (compared.points, compared.page) == (6, [250.0, 250.0])
    assert {kind: len(runs) for kind, runs in compared.engine.items()} == {"TDigest": 2, "DD": 2, "Exact": 1}
    assert len(both.asked) == 5 * 5
    assert all("max_threads = 2" in statement for statement in both.asked)
