"""Files of aggregated rows over HTTP beside PostgreSQL's COPY TO, and the memory of the process that writes them."""

import csv
import io
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import psycopg
from django.db import connection
from psycopg import sql

from benchmarks.clock import Stopwatch, say
from benchmarks.copies import conninfo
from benchmarks.exports import GROUPS, text_of
from benchmarks.tenants import Tenant
from benchmarks.web import Portal
from ingestion.models import LLMRequest
from metricsportal.lib.timerange import TimeRange

ROUNDS: Final = 3
COUNTED: Final = "requests,failed_requests,input_tokens,output_tokens,cache_read_tokens,cost_usd"
MEASURED: Final = f"{COUNTED},latency_p50_ms,latency_p99_ms,ttft_p50_ms,tpot_p50_ms"
_HELD: Final = sql.Identifier("benchmark_rows")


@dataclass(slots=True)
class Download:
    """A file in turns with COPY of a table that already holds its rows; bytes are those of our file.

    `query`: seconds of COPY of the SELECT that works the same rows out of the facts, once; None where not measured.
    `peak`: peak memory of the largest worker in bytes, and that from before the file; 0 where unknown.
    """

    name: str
    rows: int = 0
    size: int = 0
    ours: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    query: float | None = None
    peak: int = 0
    before: int = 0


def measure(portal: Portal, tenant: Tenant) -> list[Download]:
    """Rows by day without and with percentiles; before them single requests, for their memory alone."""
    end = tenant.calendar.period.end.replace(minute=0)
    week = TimeRange(max(end - timedelta(days=7), tenant.calendar.period.start), end)
    single = [
        _requests(portal, tenant, "six hours of single requests", 6),
        _requests(portal, tenant, "a day of single requests", 24),
    ]
    return [
        _aggregates(portal, tenant, week, "without percentiles", COUNTED),
        _aggregates(portal, tenant, week, "with percentiles", MEASURED),
        *single,
    ]


def _aggregates(portal: Portal, tenant: Tenant, period: TimeRange, name: str, measures: str) -> Download:
    say(f"files of aggregated rows, {name}")
    query = {"start": text_of(period.start), "end": text_of(period.end), "group_by": f"{GROUPS},day"}
    path = f"/api/v1/report?{urlencode(query | {'measures': measures, 'format': 'csv'})}"
    measured = Download(name, before=portal.forget_peaks())
    for turn in range(ROUNDS):
        answer = portal.get(path, tenant.reader, keep=turn == 0)
        measured.ours.append(answer.seconds)
        if turn == 0:
            measured.rows, measured.size = answer.lines - 1, answer.size
            if connection.vendor != "postgresql":
                continue
            _hold(answer.body)
        if connection.vendor == "postgresql":
            measured.held.append(_copied(sql.SQL("COPY {} TO STDOUT (FORMAT CSV)").format(_HELD)))
    measured.peak = portal.peak()
    if connection.vendor == "postgresql":
        measured.query = _copied(_query(tenant, period, percentiles=measures == MEASURED))
        with psycopg.connect(conninfo(), autocommit=True) as server:
            server.execute(sql.SQL("DROP TABLE {}").format(_HELD))
    return measured


def _hold(body: bytes) -> None:
    """A table of the same rows, the texts as text and the numbers as numbers."""
    head = next(csv.reader(io.StringIO(body.decode())))
    texts = {*GROUPS.split(","), "day"}
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL("text" if name in texts else "double precision"))
        for name in head
    ]
    with psycopg.connect(conninfo(), autocommit=True) as server, server.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_HELD))
        cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(_HELD, sql.SQL(", ").join(columns)))
        with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT CSV, HEADER)").format(_HELD)) as copy:
            copy.write(body)


def _copied(statement: sql.Composed) -> float:
    """Seconds until the last byte is read."""
    watch = Stopwatch()
    with (
        psycopg.connect(conninfo()) as server,
        server.cursor() as cursor,
        watch.running(),
        cursor.copy(statement) as copy,
    ):
        for _ in copy:
            pass
    return watch.seconds


def _query(tenant: Tenant, period: TimeRange, *, percentiles: bool) -> sql.Composed:
    wanted = (("latency", (0.5, 0.99)), ("ttft", (0.5,)), ("tpot", (0.5,)))
    measured = "".join(
        f", percentile_disc({rank}) WITHIN GROUP (ORDER BY {name}_us) FILTER (WHERE NOT failed)"
        for name, ranks in wanted
        for rank in ranks
    )
    return sql.SQL(
        "COPY (SELECT team_id, user_id, model_id, date_trunc('day', hour_start, {zone}), count(*), "
        "count(*) FILTER (WHERE failed), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cost) "
        "{measured} FROM {facts} WHERE organization_id = {organization} AND hour_start >= {start} "
        "AND hour_start < {end} GROUP BY 1, 2, 3, 4) TO STDOUT (FORMAT CSV)"
    ).format(
        measured=sql.SQL(measured if percentiles else ""),
        zone=sql.Literal(tenant.organization.zone),
        facts=sql.Identifier(LLMRequest._meta.db_table),
        organization=sql.Literal(tenant.organization.pk),
        start=sql.Literal(period.start),
        end=sql.Literal(period.end),
    )


def _requests(portal: Portal, tenant: Tenant, name: str, hours: int) -> Download:
    say(f"file of {name}")
    end = tenant.calendar.period.end
    query = {"start": text_of(end - timedelta(hours=hours)), "end": text_of(end), "format": "csv"}
    before = portal.forget_peaks()
    answer = portal.get(f"/api/v1/requests?{urlencode(query)}", tenant.reader, keep=False)
    return Download(name, answer.lines - 1, answer.size, [answer.seconds], peak=portal.peak(), before=before)
