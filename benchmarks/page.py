"""docs/benchmarks.md from the figures: every number with how it was taken, every bar met or missed."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.accuracy import Error
from benchmarks.exports import GROUPS, Export
from benchmarks.ingest import BATCH, SPANS, Ingested
from benchmarks.load import Loaded
from benchmarks.markdown import table, verdict
from benchmarks.page_of_costs import bars_of_costs, pricing_section, repricing_section
from benchmarks.pages import KEY, RANGES, VIEWS, Page
from benchmarks.pricing import Priced
from benchmarks.repricing import Repriced
from benchmarks.storage import Share, Table
from metricsportal.lib.histogram import RELATIVE_ERROR

IMPORT_BAR: Final = 10_000  # requests per second
PAGE_BAR: Final = 300  # milliseconds, p95 of the month
GROWTH_BAR: Final = 60 * 2**20  # bytes
SEND_BAR: Final = 15_000  # requests per second
SHARE_BAR: Final = 0.45  # of COPY
REPEAT_BAR: Final = 2.0  # times as fast as the first time
SPANS_BAR: Final = 5_000  # spans per second
FLAT_BAR: Final = 20 * 2**20  # bytes
_MEBIBYTE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured."""

    chosen: argparse.Namespace
    machine: Sequence[tuple[str, str]]
    loaded: Loaded
    pages: Sequence[Page]
    exports: Sequence[Export]
    tables: Sequence[Table]
    grains: Sequence[Share]
    errors: Sequence[Error]
    ingested: Ingested
    priced: Sequence[Priced]
    repriced: Repriced


def render(figures: Figures) -> str:
    """The page."""
    chosen = figures.chosen
    parts = [
        "# Benchmarks",
        (
            f"`make bench` wrote this page: {chosen.requests:,} generated requests over {chosen.days} days (seed "
            f"{chosen.seed}), PostgreSQL, one run. Everything ran on the machine below, the database and the "
            "measuring client included. Other machines give other figures; the ratios travel better."
        ),
        table(("machine", ""), figures.machine),
        "## Bars",
        table(("bar", "measured", ""), _bars(figures)),
        *_loading(figures),
        *_sending(figures.ingested),
        *pricing_section(figures.priced),
        *repricing_section(figures.repriced),
        *_pages(figures),
        *_exports(figures),
        *_sizes(figures),
        *_errors(figures),
    ]
    return "\n\n".join(parts) + "\n"


def _bars(figures: Figures) -> list[tuple[str, str, str]]:
    rate = figures.loaded.accepted / figures.loaded.imported
    slowest = max((page for page in figures.pages if page.range == "30d"), key=lambda page: page.p95)
    grown = [export.growth for export in figures.exports if export.growth is not None]
    worst = max(error.product for error in figures.errors)
    bars = [
        (f"import at least {IMPORT_BAR:,} requests/s", f"{rate:,.0f} requests/s", verdict(rate >= IMPORT_BAR)),
        (
            f"dashboard data, all panels, 30 days, any View by: p95 below {PAGE_BAR} ms",
            f"{slowest.p95:,.0f} ms ({slowest.view})",
            verdict(slowest.p95 < PAGE_BAR),
        ),
        (
            f"percentiles within {RELATIVE_ERROR:.2%} of the exact ones",
            f"largest error {worst:.3%}",
            verdict(worst <= RELATIVE_ERROR),
        ),
    ]
    if grown:
        bars.insert(
            2,
            (
                f"export of the month streams: memory of the server grows by less than {GROWTH_BAR // _MEBIBYTE} MiB",
                f"{max(grown) / _MEBIBYTE:,.1f} MiB at most",
                verdict(max(grown) < GROWTH_BAR),
            ),
        )
    return bars + _sending_bars(figures.ingested) + bars_of_costs(figures.priced, figures.repriced)


def _sending_bars(sent: Ingested) -> list[tuple[str, str, str]]:
    rate, share, repeat = median(sent.native), _share(sent), _repeat(sent)
    spans, grown = median(sent.spans), sent.peaks[-1] - sent.peaks[0]
    return [
        (f"records over HTTP at least {SEND_BAR:,}/s", f"{rate:,.0f}/s", verdict(rate >= SEND_BAR)),
        (f"at least {SHARE_BAR:.0%} of COPY of the same rows", f"{share:.0%}", verdict(share >= SHARE_BAR)),
        (
            f"a repeat of stored batches at least {REPEAT_BAR:.0f} times as fast",
            f"{repeat:.1f} times",
            verdict(repeat >= REPEAT_BAR),
        ),
        (f"OTLP protobuf at least {SPANS_BAR:,} spans/s", f"{spans:,.0f} spans/s", verdict(spans >= SPANS_BAR)),
        (
            f"a web worker's memory is flat over {sent.records:,} records (below {FLAT_BAR // _MEBIBYTE} MiB)",
            f"{grown / _MEBIBYTE:,.1f} MiB",
            verdict(grown < FLAT_BAR),
        ),
    ]


def _share(sent: Ingested) -> float:
    """Median over the rounds of the speed beside that of COPY in the same round."""
    return median(one / copied for one, copied in zip(sent.native, sent.copied, strict=True))


def _repeat(sent: Ingested) -> float:
    return median(again / one for again, one in zip(sent.repeated, sent.native, strict=True))


def _sending(sent: Ingested) -> list[str]:
    columns = (sent.native, sent.copied, sent.repeated, sent.spans)
    rows = [
        (str(number), *(f"{one:,.0f}" for one in figures), f"{peak / _MEBIBYTE:,.0f} MiB")
        for number, (*figures, peak) in enumerate(zip(*columns, sent.peaks, strict=True), 1)
    ]
    return [
        "## Records over HTTP",
        (
            f"{sent.records:,} records in rounds, `POST /api/v1/requests` in batches of {BATCH:,} on four connections "
            "to gunicorn (two workers, four threads each), every record looked up, priced and committed before the "
            "answer; the client, the server and PostgreSQL share the machine. Beside it COPY of the same rows, ready "
            "made, into a table with the same columns, indexes and rows, a transaction per batch; the same batches "
            f"sent again; and spans, `POST /v1/traces` with {SPANS} spans a body in protobuf. Per second."
        ),
        table(("round", "records", "COPY", "repeated", "spans", "largest worker"), rows),
    ]


def _loading(figures: Figures) -> list[str]:
    loaded = figures.loaded
    count = loaded.accepted
    rows = [
        ("generate to a file", loaded.generated, f"{loaded.file_bytes / 1e6:,.0f} MB of newline-delimited JSON"),
        ("`import_requests` of that file", loaded.imported, "decode, check, attribute, price, store; batches of 5,000"),
        ("COPY of the same rows", loaded.copied, "ready binary blocks, same table, indexes and transactions"),
        ("`rollup --drain`", loaded.rolled_up, loaded.rolled_up_text),
        ("`verify_rollups`", loaded.verified, f"{loaded.cells:,} cells recomputed from facts, no difference"),
    ]
    return [
        "## From file to aggregates",
        table(
            ("step", "seconds", "requests/s", ""),
            [(name, f"{seconds:,.1f}", f"{count / seconds:,.0f}", note) for name, seconds, note in rows],
        ),
        (
            f"The import runs at **{loaded.copied / loaded.imported:.0%}** of the speed of bare COPY. COPY gets its "
            "rows ready-made and does not ask whether a request is known, so 100 % cannot be reached. Sending a known "
            f"tenth again stores nothing and runs at {loaded.repeated:,.0f} requests/s, "
            f"{loaded.repeated / (count / loaded.imported):.1f} times as fast as the first time."
        ),
    ]


def _pages(figures: Figures) -> list[str]:
    by = {(page.view, page.range): page for page in figures.pages}
    rows = []
    for view in VIEWS:
        found = [by[view, length] for length in RANGES]
        label = f"metadata ({KEY})" if view == "metadata" else view.replace("_", " ")
        times = [f"{page.p50:,.0f} / {page.p95:,.0f}" for page in found]
        rows.append((label, *times, f"{found[-1].rows_read:,}", f"{found[-1].size / 1000:,.0f} kB"))
    head = ("View by", "24 hours", "7 days", "30 days", "rows read, 30 days", "answer, 30 days")
    sources = sorted({f"`{page.source}`" for page in figures.pages if page.range == "30d"})
    return [
        "## Dashboard data",
        (
            "Milliseconds, p50 / p95 (nearest rank) of `GET /o/<slug>/data`: all eleven panels, counters and the "
            f"table, by HTTP from gunicorn (two workers, four threads each), {figures.chosen.rounds} warm runs of each "
            "page in turns, one client, whole organization. The range ends at the moment of the question, so no two "
            "answers are the same and none comes from a cache."
        ),
        table(head, rows),
        f"The month comes from {', '.join(sources)}.",
    ]


def _exports(figures: Figures) -> list[str]:
    rows = [
        (
            export.name,
            f"{export.rows:,}",
            f"{export.size / 1e6:,.1f} MB",
            f"{export.seconds:,.2f}",
            f"{export.rows / export.seconds:,.0f}",
            "unknown" if export.growth is None else f"{export.growth / _MEBIBYTE:,.1f} MiB",
        )
        for export in figures.exports
    ]
    return [
        "## Export",
        (
            f"CSV by `GET /api/v1/report?group_by={GROUPS},…` with nine measures, four of them percentiles. Growth is "
            "that of the largest web worker's peak memory during the download."
        ),
        table(("export", "rows", "size", "seconds", "rows/s", "growth"), rows),
    ]


def _sizes(figures: Figures) -> list[str]:
    count = figures.loaded.accepted
    rows = [
        (
            table.name,
            f"{table.rows:,}",
            f"{table.heap / _MEBIBYTE:,.0f} MiB",
            f"{table.total / _MEBIBYTE:,.0f} MiB",
            f"{table.total / count:,.0f}",
        )
        for table in figures.tables
    ]
    facts = figures.tables[0].total
    shares = [
        (share.name, f"{share.rows:,}", f"{count / share.rows:,.1f}", f"{share.size / facts:.1%}")
        for share in figures.grains
    ]
    return [
        "## Storage",
        "After VACUUM; total is with indexes and out-of-line values.",
        table(("table", "rows", "rows alone", "total", "bytes per request"), rows),
        (
            "Aggregates by hour, per grain, against the facts. Their rows are bounded by the combinations that occur "
            "in an hour, not by the requests, so their share falls as traffic grows."
        ),
        table(("grain", "rows", "requests per row", "bytes against facts"), shares),
    ]


def _errors(figures: Figures) -> list[str]:
    rows = [
        (
            error.metric,
            f"P{error.percentile}",
            f"{error.product:.3%}",
            f"{error.averaged:.1%}",
            f"{error.weighted:.1%}",
        )
        for error in figures.errors
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
