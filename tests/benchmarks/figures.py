"""Invented figures in which every bar is met."""

import argparse
from dataclasses import replace
from typing import Any

from benchmarks.accuracy import Error
from benchmarks.clock import Runs
from benchmarks.closing import Closed
from benchmarks.columnar import Columnar, Compared
from benchmarks.downloads import Download
from benchmarks.engine import Engine
from benchmarks.exports import Export
from benchmarks.ingest import Ingested
from benchmarks.load import Loaded
from benchmarks.menus import Menu
from benchmarks.page import Figures
from benchmarks.pages import ORGANIZATION, RANGES, READERS, VIEWS, Case, Page
from benchmarks.pricing import Priced
from benchmarks.purge import Purged
from benchmarks.repricing import Repriced
from benchmarks.rollups import Hour, Rebuilt
from benchmarks.storage import Share, Table

LOADED = Loaded(
    generated=1.0,
    file_bytes=4_000_000,
    imported=2.0,
    accepted=30_000,
    repeated=60_000.0,
    copied=0.5,
    rolled_up=3.0,
    rolled_up_text="Rolled up 24 hours and 1 days.",
    verified=4.0,
    cells=123,
)
INGESTED = Ingested(
    30_000,
    native=[16_000.0, 15_000.0, 17_000.0],
    copied=[32_000.0, 30_000.0, 34_000.0],
    repeated=[32_000.0, 30_000.0, 34_000.0],
    spans=[6_000.0, 5_000.0, 7_000.0],
    peaks=[2**27, 2**27, 2**27],
)
PRICED = [
    Priced("a catalogue", 12_000, 5_000, 0.2, 0.01, whole=[10.0, 9.0, 11.0], added=[2.0, 1.5, 4.0], split=[0.5]),
    Priced("overrides", 12_004, 5_000, 0.2, 0.01, whole=[11.0, 10.0, 12.0], added=[3.0, 2.5, 5.0], split=[0.75]),
]
REPRICED = Repriced(
    28_000,
    updated=[100_000.0, 120_000.0, 110_000.0],
    repriced=[50_000.0, 90_000.0, 49_000.0],
    again=[200_000.0, 210_000.0, 190_000.0],
)
TENANTS = [("bench", 30_000), ("large", 300_000)]


def page(case: Case, *millis: float, refusal: str = "") -> Page:
    """A page that took so long."""
    return Page(case, Runs(millis), 5_000, "" if refusal else "day (model)", 7, refusal)


def pages(*tenants: str) -> list[Page]:
    """Every page of the organizations: 100 and 199 ms, with little traffic 80 and 199."""
    return [
        page(Case(slug, reader, view, length), 80.0 if slug == "bench" else 100.0, 199.0)
        for reader in READERS
        for view in VIEWS
        for length in RANGES
        for slug in tenants
    ]


FILTERED = Case("large", ORGANIZATION, "user", "7d", ("model:eq:gpt-5",))
UNCOVERED = Case("large", ORGANIZATION, "model", "30d", ("user:eq:ada", "virtual_account:eq:faq"))
DOWNLOADS = [
    Download("without percentiles", 1_000, 90_000, ours=[2.0, 1.0], held=[1.4, 0.7], query=9.0, peak=149_999_999),
    Download("with percentiles", 1_000, 95_000, ours=[2.0, 1.0], held=[0.6, 0.3], query=19.0, peak=149_999_999),
    Download("a day", 5_000, 400_000, ours=[1.0], peak=149_000_000),
]
ENGINE = Engine(
    tenants=TENANTS,
    team="Search",
    pages=pages("bench", "large"),
    filtered=[page(FILTERED, 300.0, 399.0)],
    uncovered=[page(UNCOVERED, 1_999.0), page(replace(UNCOVERED, range="24h"), 20.0, refusal="About 9 requests.")],
    menus=[Menu("user", ORGANIZATION, "a", Runs((4.0, 19.9)), 0.9)],
    hour=Hour(500, rollup=[0.3, 0.2, 0.9], scan=[0.1, 0.1, 0.1]),
    rebuilt=Rebuilt(300_000, 24, 2.5, portal=2.0, database=1.0, text="Rolled up 24 hours and 1 days."),
    downloads=DOWNLOADS,
    forgotten=[replace(one, runs=Runs((300.0, 500.0))) for one in pages("large") if one.case.reader == ORGANIZATION],
)
COLUMNAR = Columnar(
    "26.9",
    12.0,
    10_000_000,
    300_000,
    [
        Compared(view, length, 360, [150.0], {"TDigest": [1_000.0], "DD": [900.0], "Exact": [3_000.0]})
        for view in VIEWS
        for length in RANGES
    ],
)
EMBEDDED = replace(
    ENGINE,
    tenants=TENANTS[:1],
    pages=pages("bench"),
    forgotten=(),
    downloads=[replace(one, held=[], query=None) for one in DOWNLOADS],
    rebuilt=replace(ENGINE.rebuilt, portal=3.0, database=0.0),
)
PURGED = Purged(
    alone=[0.01] * 98 + [0.02, 0.02], beside=[0.01] * 98 + [0.03, 0.05], removed=900_000, rates=[5_000.0, 7_000.0]
)
CLOSED = Closed(
    requests=300_000,
    teams=50,
    months=2,
    statements=102,
    days=31,
    seconds=59.9,
    portal=40.0,
    database=15.0,
    grown=2**27,
)
FIGURES = Figures(
    chosen=argparse.Namespace(requests=30_000, large=300_000, days=1, seed=1, rounds=2, company="large"),
    machine=[("processor", "2 cores")],
    loaded=LOADED,
    exports=[Export("the month by day", 1_000, 90_000, 0.5, 2**20, 2**26)],
    errors=[Error("latency", 99, 8, 0.0107, 0.4, 0.3)],
    ingested=INGESTED,
    repriced=REPRICED,
    purged=PURGED,
    stored=3.0,
    engine=ENGINE,
    columnar=COLUMNAR,
    closed=CLOSED,
    tables=[Table("facts", 330_000, 2**23, 2**24)],
    grains=[Share("model", 24, 600, 2**20)],
    embedded=EMBEDDED,
    priced=PRICED,
)


def asking(**worse: Any) -> Figures:
    """The figures with another one of the engine."""
    return replace(FIGURES, engine=replace(ENGINE, **worse))


def sending(**worse: Any) -> Figures:
    """The figures with another list of rounds."""
    return replace(FIGURES, ingested=replace(INGESTED, **worse))
