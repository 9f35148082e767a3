"""The part of the page about files of aggregated rows, beside COPY."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.downloads import Download
from benchmarks.markdown import Bar, table, verdict

SHARE_BARS: Final = (0.7, 0.3)  # of COPY, without and with percentiles
MEMORY_BAR: Final = 150_000_000  # bytes


def bars_of_downloads(downloads: Sequence[Download]) -> list[Bar]:
    """Speed against COPY where there is one, and memory where it is known."""
    compared = [one for one in downloads if one.held]
    bars = [
        (
            f"CSV of aggregated rows {one.name}: at least {bar:.0%} of COPY TO of the same rows",
            f"{_share(one):.0%}",
            verdict(_share(one) >= bar),
        )
        for one, bar in zip(compared, SHARE_BARS, strict=False)
    ]
    largest = max(downloads, key=lambda one: one.peak)
    if not largest.peak:
        return bars
    name = f"memory of the exporting process below {MEMORY_BAR / 1e6:.0f} MB"
    return [*bars, (name, f"{largest.peak / 1e6:,.0f} MB ({largest.name})", verdict(largest.peak < MEMORY_BAR))]


def _share(one: Download) -> float:
    """Median over the rounds of the speed beside that of COPY in the same round."""
    return median(held / ours for ours, held in zip(one.ours, one.held, strict=True))


def downloads_section(downloads: Sequence[Download]) -> list[str]:
    """File by file."""
    rows = [
        (
            one.name,
            f"{one.rows:,}",
            f"{one.size / 1e6:,.1f} MB",
            f"{one.rows / median(one.ours):,.0f}",
            f"{one.rows / median(one.held):,.0f}" if one.held else "",
            f"{one.rows / one.query:,.0f}" if one.query else "",
            f"{one.peak / 1e6:,.0f} MB (before: {one.before / 1e6:,.0f})" if one.peak else "unknown",
        )
        for one in downloads
    ]
    return [
        "## Files beside COPY",
        (
            "CSV by HTTP: `GET /api/v1/report` by team, user, model and day of a week, with six sums, without and with "
            "four percentiles; and `GET /api/v1/requests`. Rows per second; COPY of a table that already holds our "
            "rows, name by name and number by number; and COPY of the query that works them out of the requests, once. "
            "Peak is that of the largest web worker, the portal itself included; the server was started for these "
            "files and wrote those of single requests first."
        ),
        table(("file", "rows", "size", "rows/s", "COPY of the rows", "COPY of the query", "peak"), rows),
    ]
