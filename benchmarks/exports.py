"""The CSV report as a download: rows per second, and whether the server's memory grows with the file."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from benchmarks.clock import say
from benchmarks.tenants import Tenant
from benchmarks.web import Portal
from metricsportal.lib.timerange import TimeRange

GROUPS: Final = "team,user,model"
MEASURES: Final = (
    "requests,failed_requests,input_tokens,output_tokens,cost_usd,latency_p50_ms,latency_p99_ms,ttft_p50_ms,tpot_p50_ms"
)


@dataclass(frozen=True, slots=True)
class Export:
    """One download. `growth`: bytes by which the peak memory of the largest worker rose; None where unknown."""

    name: str
    rows: int
    size: int
    seconds: float
    growth: int | None
    resident: int


def measure(portal: Portal, tenant: Tenant) -> list[Export]:
    """The month by day; then a quarter of it and all of it by hour, to see what four times the rows do."""
    period = tenant.calendar.period
    month = TimeRange(period.start, period.end)
    quarter = TimeRange(period.end - period.length / 4, period.end)
    # Loads the code and the connections of every worker, so that they are not taken for growth.
    for _ in range(4):
        _download(portal, tenant, "warm-up", TimeRange(period.end - timedelta(days=1), period.end), "day")
    return [
        _download(portal, tenant, "the month by day", month, "day"),
        _download(portal, tenant, "a quarter by hour", quarter, "hour"),
        _download(portal, tenant, "the month by hour", month, "hour"),
    ]


def _download(portal: Portal, tenant: Tenant, name: str, period: TimeRange, interval: str) -> Export:
    say(f"export: {name}")
    query = {
        "start": text_of(period.start),
        "end": text_of(period.end),
        "group_by": f"{GROUPS},{interval}",
        "measures": MEASURES,
        "format": "csv",
    }
    before = portal.forget_peaks()
    answer = portal.get(f"/api/v1/report?{urlencode(query)}", tenant.reader, keep=False)
    after = portal.peak()
    # The first line names the columns.
    return Export(name, answer.lines - 1, answer.size, answer.seconds, after - before if after else None, after)


def text_of(instant: datetime) -> str:
    """An instant as the API takes it."""
    return instant.isoformat().replace("+00:00", "Z")
