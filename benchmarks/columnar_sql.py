"""The statements of the comparison with ClickHouse's engine: a table of the facts, and the points of a page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from benchmarks.pages import KEY

SHOWN: Final = 11
THREADS: Final = 2
QUICK: Final = ("TDigest", "DD")
KINDS: Final = (*QUICK, "Exact")
"""Kinds of percentile: t-digest, DDSketch with a relative error of 1 % like ours, and the exact one."""
_DURATIONS: Final = ("latency", "ttft", "itl", "tpot")
_SUMS: Final = (
    "count(), countIf(failed), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cost), "
    "countIf(unpriced)"
)
COLUMNS: Final = {
    "at": "(extract(epoch FROM started_at) * 1000000)::bigint",
    "model": "coalesce(model_id, 0)",
    "virtual_model": "coalesce(virtual_model_id, 0)",
    "user": "coalesce(user_id, 0)",
    "virtual_account": "coalesce(virtual_account_id, 0)",
    "team": "coalesce(team_id, 0)",
    "metadata": f"coalesce(metadata ->> '{KEY}', '')",
    "failed": "failed::int",
    "status_code": "coalesce(status_code, 0)",
    "error_type": "coalesce(error_type_id, 0)",
    "input_tokens": "coalesce(input_tokens, 0)",
    "output_tokens": "coalesce(output_tokens, 0)",
    "cache_read_tokens": "coalesce(cache_read_tokens, 0)",
    "cost": "coalesce(cost, 0)",
    "unpriced": "(cost_state = 'unpriced')::int",
    **{f"{one}_us": f"coalesce({one}_us, -1)" for one in _DURATIONS},
}
"""Columns of the table and what they are made of, in the order of the export."""
_TYPES: Final = {
    "at": "Int64",
    "metadata": "LowCardinality(String)",
    **dict.fromkeys(("failed", "unpriced"), "UInt8"),
    **dict.fromkeys(("model", "virtual_model", "user", "virtual_account", "team", "error_type"), "UInt32"),
    "status_code": "UInt16",
}
_BUCKETS: Final = {
    "1 minute": "toStartOfMinute(at)",
    "5 minute": "toStartOfFiveMinutes(at)",
    "15 minute": "toStartOfFifteenMinutes(at)",
    "1 hour": "toStartOfHour(at)",
    "1 day": "toStartOfDay(at)",
}


def export(table: str, organization_id: int) -> str:
    """The SELECT of what the pages need, names as numbers; unknown durations are -1."""
    return f"SELECT {', '.join(COLUMNS.values())} FROM {table} WHERE organization_id = {organization_id:d}"  # noqa: S608 - our own


def create(file: Path, zone: str) -> list[str]:
    """The statements that make and fill the table: in order of time and model, in one part at the end."""
    types = {name: _TYPES.get(name, "Int64") for name in COLUMNS}
    structure = ", ".join(f"{name} {one.removeprefix('LowCardinality(').rstrip(')')}" for name, one in types.items())
    columns = ", ".join(
        f"at DateTime64(6, '{zone}')" if name == "at" else f"{name} {one}" for name, one in types.items()
    )
    rest_ = ", ".join(name for name in types if name != "at")
    return [
        f"CREATE TABLE facts ({columns}) ENGINE = MergeTree ORDER BY (toStartOfHour(at), model)",
        (
            f"INSERT INTO facts SELECT fromUnixTimestamp64Micro(at, '{zone}'), {rest_} "  # noqa: S608 - our own
            f"FROM file('{file}', 'TabSeparated', '{structure}')"
        ),
        "OPTIMIZE TABLE facts FINAL",
    ]


@dataclass(frozen=True, slots=True)
class Question:
    """What a page answered: its borders, dimension, buckets, number of series, and requests in the range."""

    start: datetime
    end: datetime
    before: datetime
    view: str
    interval: str
    starts: Sequence[int]
    series: int
    requests: int

    @property
    def bucket(self) -> str:
        """The expression of the bucket."""
        return _BUCKETS[self.interval]


def question_of(body: bytes, view: str) -> Question:
    """The question that a page's answer belongs to."""
    data = json.loads(body)
    counters = {one["name"]: one["value"] for one in data["counters"]}
    start, end = (datetime.fromisoformat(data["range"][name]) for name in ("start", "end"))
    return Question(
        start=start,
        end=end,
        before=start - (end - start),
        view=view,
        interval=data["interval"]["name"],
        starts=data["buckets"]["starts"],
        series=len(data["groups"]),
        requests=counters["requests"],
    )


def _during(start: datetime, end: datetime) -> str:
    borders = (f"fromUnixTimestamp64Micro({round(instant.timestamp() * 1_000_000):d})" for instant in (start, end))
    first, behind = borders
    return f"at >= {first} AND at < {behind}"


def _settings() -> str:
    return f"SETTINGS max_threads = {THREADS}"


def _percentiles(kind: str, duration: str, ranks: str) -> str:
    wanted = f"0.01, {ranks}" if kind == "DD" else ranks
    return f"quantiles{kind}If({wanted})({duration}_us, {duration}_us >= 0 AND NOT failed)"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def listed(question: Question, kind: str) -> str:
    """The table: every group over the whole range, the largest first."""
    few = (("latency", "0.5, 0.99"), ("ttft", "0.5"), ("tpot", "0.5"))
    percentiles = ", ".join(_percentiles(kind, name, ranks) for name, ranks in few)
    return (
        f"SELECT {question.view} AS label, {_SUMS}, {percentiles} FROM facts "  # noqa: S608 - our own
        f"WHERE {_during(question.start, question.end)} GROUP BY label ORDER BY count() DESC {_settings()}"
    )


def rest(question: Question, kind: str, shown: Sequence[str]) -> list[str]:
    """The charts of the shown groups and all others, with totals; the counters of the time before; the failures."""
    during, bucket = _during(question.start, question.end), question.bucket
    percentiles = ", ".join(_percentiles(kind, name, "0.5, 0.75, 0.9, 0.99") for name in _DURATIONS)
    text = question.view == "metadata"
    values = ", ".join(_quoted(one) if text else one for one in shown)
    others = "'(other)'" if text else "4294967295"
    failures = (
        f"SELECT {column}, {bucket} AS bucket, count() FROM facts WHERE failed AND {during} "  # noqa: S608 - our own
        f"GROUP BY {column}, bucket WITH ROLLUP {_settings()}"
        for column in ("error_type", "status_code")
    )
    return [
        (
            # ROLLUP adds up the states of the points: totals of each series and of all cost no second reading.
            f"SELECT if({question.view} IN ({values}), {question.view}, {others}) AS series, {bucket} AS bucket, "  # noqa: S608
            f"{_SUMS}, {percentiles} FROM facts WHERE {during} GROUP BY series, bucket WITH ROLLUP {_settings()}"
        ),
        f"SELECT {_SUMS} FROM facts WHERE {_during(question.before, question.start)} {_settings()}",  # noqa: S608
        *failures,
    ]
