"""docs/benchmarks.md from the figures: every number with how it was taken, every bar met or missed."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.accuracy import Error
from benchmarks.bulk import PROCESSES
from benchmarks.closing import Closed
from benchmarks.columnar import Columnar
from benchmarks.engine import Engine
from benchmarks.exports import Export
from benchmarks.ingest import Ingested
from benchmarks.load import Loaded
from benchmarks.markdown import Bar, table
from benchmarks.page_of_closing import bars_of_closing, closing_section
from benchmarks.page_of_columnar import bars_of_columnar, columnar_section
from benchmarks.page_of_costs import bars_of_costs, pricing_section, repricing_section
from benchmarks.page_of_downloads import bars_of_downloads, downloads_section
from benchmarks.page_of_engine import bars_of_engine, menus_section, pages_section, rollups_section
from benchmarks.page_of_loading import bars_of_loading, bars_of_sending, loading_section, sending_section
from benchmarks.page_of_purge import bars_of_purge, purge_section
from benchmarks.page_of_storage import (
    bars_of_errors,
    bars_of_exports,
    errors_section,
    exports_section,
    sizes_section,
)
from benchmarks.pricing import Priced
from benchmarks.purge import Purged
from benchmarks.repricing import Repriced
from benchmarks.storage import Share, Table


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured. `stored`: seconds to load the requests of the large organization."""

    chosen: argparse.Namespace
    machine: Sequence[tuple[str, str]]
    loaded: Loaded
    exports: Sequence[Export]
    errors: Sequence[Error]
    ingested: Ingested
    repriced: Repriced
    purged: Purged
    stored: float
    engine: Engine
    columnar: Columnar | None
    closed: Closed
    tables: Sequence[Table]
    grains: Sequence[Share]
    embedded: Engine
    priced: Sequence[Priced]


def render(figures: Figures) -> str:
    """The page."""
    parts = [
        "# Benchmarks",
        _introduction(figures),
        table(("machine", ""), figures.machine),
        "Why a bar is missed, and what was tried: [performance.md](performance.md).",
        "## Bars",
        table(("bar", "measured", ""), _bars(figures)),
        f"The engine on SQLite, {figures.chosen.requests:,} requests:",
        table(("bar", "measured", ""), _bars_of_sqlite(figures.embedded)),
        *pages_section(figures.engine),
        *columnar_section(figures.columnar),
        *menus_section(figures.engine),
        *rollups_section(figures.engine),
        *downloads_section(figures.engine.downloads),
        *_embedded(figures.embedded),
        *loading_section(figures.loaded),
        *sending_section(figures.ingested),
        *pricing_section(figures.priced),
        *repricing_section(figures.repriced),
        *purge_section(figures.purged),
        *closing_section(figures.closed),
        *exports_section(figures.exports),
        *sizes_section(figures.tables, figures.grains, figures.chosen.large),
        *errors_section(figures.errors),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(figures: Figures) -> str:
    chosen = figures.chosen
    return (
        f"`make bench` wrote this page: the generated traffic of a {chosen.company} company (`generate_traffic`) over "
        f"{chosen.days} days, seed {chosen.seed}, PostgreSQL, one run. One organization has {chosen.requests:,} "
        f"requests, imported like a user's file; another has {chosen.large:,}, made into rows by the same pipeline in "
        f"{PROCESSES} processes and stored by COPY with the indexes built behind it, in {figures.stored:,.0f} s "
        f"({chosen.large / figures.stored:,.0f}/s). Both are in one database and are asked in turns, so that a ratio "
        "of the two has met the same minutes of the machine. Everything ran on the machine below, the database and the "
        "measuring client included. Other machines give other figures; the ratios travel better."
    )


def _bars(figures: Figures) -> list[Bar]:
    return [
        *bars_of_engine(figures.engine),
        *bars_of_columnar(figures.columnar),
        *bars_of_downloads(figures.engine.downloads),
        *bars_of_errors(figures.errors),
        *bars_of_exports(figures.exports),
        *bars_of_loading(figures.loaded),
        *bars_of_sending(figures.ingested),
        *bars_of_costs(figures.priced, figures.repriced),
        *bars_of_purge(figures.purged),
        *bars_of_closing(figures.closed),
    ]


def _bars_of_sqlite(engine: Engine) -> list[Bar]:
    return [*bars_of_engine(engine), *bars_of_downloads(engine.downloads)]


def _embedded(engine: Engine) -> list[str]:
    """The engine's sections once more, a level deeper."""
    parts = [
        *pages_section(engine),
        *menus_section(engine),
        *rollups_section(engine),
        *downloads_section(engine.downloads),
    ]
    return ["## On SQLite", *(f"#{part}" if part.startswith("## ") else part for part in parts)]
