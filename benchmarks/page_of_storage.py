"""The part of the page about bytes and exactness: files, tables, percentiles."""

from collections.abc import Sequence
from typing import Final

from benchmarks.accuracy import Error
from benchmarks.exports import GROUPS, Export
from benchmarks.markdown import Bar, table, verdict
from benchmarks.storage import Share, Table
from metricsportal.lib.histogram import RELATIVE_ERROR

GROWTH_BAR: Final = 60 * 2**20  # bytes
_MEBIBYTE: Final = 2**20


def bars_of_exports(exports: Sequence[Export]) -> list[Bar]:
    """Streaming; nothing where memory is unknown."""
    grown = [export.growth for export in exports if export.growth is not None]
    if not grown:
        return []
    name = f"export of the month streams: memory of the server grows by less than {GROWTH_BAR // _MEBIBYTE} MiB"
    return [(name, f"{max(grown) / _MEBIBYTE:,.1f} MiB at most", verdict(max(grown) < GROWTH_BAR))]


def bars_of_errors(errors: Sequence[Error]) -> list[Bar]:
    """Exactness."""
    worst = max(error.product for error in errors)
    name = f"percentiles within {RELATIVE_ERROR:.2%} of the exact ones"
    return [(name, f"largest error {worst:.3%}", verdict(worst <= RELATIVE_ERROR))]


def exports_section(exports: Sequence[Export]) -> list[str]:
    """Downloads and the growth of memory."""
    rows = [
        (
            export.name,
            f"{export.rows:,}",
            f"{export.size / 1e6:,.1f} MB",
            f"{export.seconds:,.2f}",
            f"{export.rows / export.seconds:,.0f}",
            "unknown" if export.growth is None else f"{export.growth / _MEBIBYTE:,.1f} MiB",
        )
        for export in exports
    ]
    return [
        "## Export",
        (
            f"CSV by `GET /api/v1/report?group_by={GROUPS},…` with nine measures, four of them percentiles. Growth is "
            "that of the largest web worker's peak memory during the download."
        ),
        table(("export", "rows", "size", "seconds", "rows/s", "growth"), rows),
    ]


def sizes_section(tables: Sequence[Table], grains: Sequence[Share], requests: int) -> list[str]:
    """Bytes of the tables, and of the grains of the organization with so many requests."""
    rows = [
        (
            one.name,
            f"{one.rows:,}",
            f"{one.heap / _MEBIBYTE:,.0f} MiB",
            f"{one.total / _MEBIBYTE:,.0f} MiB",
            f"{one.total / tables[0].rows:,.0f}",
        )
        for one in tables
    ]
    facts = tables[0].total / tables[0].rows * requests
    shares = [
        (
            share.name,
            f"{share.rows:,}",
            f"{share.cells:,}",
            f"{requests / share.cells:,.1f}",
            f"{share.size / share.cells:,.0f}",
            f"{share.size / facts:.1%}",
        )
        for share in grains
    ]
    return [
        "## Storage",
        "After VACUUM, all organizations; total is with indexes and out-of-line values.",
        table(("table", "rows", "rows alone", "total", "bytes per request"), rows),
        (
            f"Aggregates by hour of the organization with {requests:,} requests, per grain, against its facts. A row "
            "is one hour and holds all cells of it. Cells are bounded by the combinations that occur in an hour, not "
            "by the requests, so their share falls as traffic grows."
        ),
        table(("grain", "rows", "cells", "requests per cell", "bytes per cell", "bytes against facts"), shares),
    ]


def errors_section(errors: Sequence[Error]) -> list[str]:
    """Every percentile beside averaged ones."""
    rows = [
        (
            error.metric,
            f"P{error.percentile}",
            f"{error.product:.3%}",
            f"{error.averaged:.1%}",
            f"{error.weighted:.1%}",
        )
        for error in errors
    ]
    return [
        "## Percentiles",
        (
            "Largest relative error over all models of one percentile of the whole period, against the exact one at "
            "nearest rank over the same facts. The last two columns are what averaging exact hourly percentiles would "
            "have said, plainly and weighted by requests."
        ),
        table(("duration", "percentile", "portal", "average of hours", "weighted average"), rows),
    ]
