"""The part of the page about answers: pages, filters, menus and rollups, on either database."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from benchmarks.engine import Engine
from benchmarks.markdown import Bar, table, verdict
from benchmarks.pages import KEY, RANGES, READERS, TEAM, VIEWS, Case, Page

PAGE_BAR: Final = 200  # milliseconds, p95
GROWTH_BAR: Final = 1.3  # time with much traffic / time with little
FILTER_BAR: Final = 400  # milliseconds, p95
FACTS_BAR: Final = 2_000  # milliseconds, p95
MENU_BAR: Final = 20  # milliseconds, p95
HOUR_BAR: Final = 3.0  # times one GROUP BY
REBUILD_BAR: Final = 100_000  # requests per second and core
HOURS: Final = {"24h": "24 hours", "7d": "7 days", "30d": "30 days"}
"""Ranges as people read them."""


def bars_of_engine(engine: Engine) -> list[Bar]:
    """What must hold, what was measured, and whether it holds."""
    slowest, filtered = _slowest(_of(engine, engine.tenants[-1][0])), _slowest(engine.filtered)
    menu = max(engine.menus, key=lambda one: one.runs.p95)
    hour, rate = _times(engine), engine.rebuilt.per_core
    return [
        (
            f"all panels, any View by, 24 h / 7 d / 30 d, of everybody and of one team: p95 below {PAGE_BAR} ms",
            f"{slowest.runs.p95:,.0f} ms ({_words(slowest.case)}); {_below(engine)}",
            verdict(slowest.runs.p95 < PAGE_BAR and not _refused(engine.pages)),
        ),
        *_bars_of_growth(engine),
        (
            f"one filter on another dimension: p95 below {FILTER_BAR} ms",
            f"{filtered.runs.p95:,.0f} ms ({_words(filtered.case)})",
            verdict(filtered.runs.p95 < FILTER_BAR and not _refused(engine.filtered)),
        ),
        _bar_of_uncovered(engine.uncovered),
        (
            f"rollup of a closed hour at most {HOUR_BAR:.0f} times one GROUP BY scan of it",
            f"{hour:.1f} times",
            verdict(hour <= HOUR_BAR),
        ),
        *([] if rate is None else [_bar_of_rebuild(rate)]),
        (
            f"filter menus below {MENU_BAR} ms",
            f"p95 {menu.runs.p95:,.1f} ms ({menu.name}, {reader_words(menu.reader)})",
            verdict(menu.runs.p95 < MENU_BAR),
        ),
    ]


def _bar_of_rebuild(rate: float) -> Bar:
    name = f"full rebuild at least {REBUILD_BAR:,} requests/s per core"
    return name, f"{rate:,.0f}/s", verdict(rate >= REBUILD_BAR)


def _of(engine: Engine, slug: str) -> list[Page]:
    return [page for page in engine.pages if page.case.tenant == slug]


def _refused(pages: Iterable[Page]) -> bool:
    return any(page.refusal for page in pages)


def _slowest(pages: Iterable[Page]) -> Page:
    return max(pages, key=lambda page: page.runs.p95)


def _below(engine: Engine) -> str:
    pages = _of(engine, engine.tenants[-1][0])
    return f"{sum(page.runs.p95 < PAGE_BAR for page in pages)} of {len(pages)} below"


def reader_words(reader: str) -> str:
    """Whose requests a reader sees."""
    return "one team" if reader == TEAM else "everybody"


def _words(case: Case) -> str:
    return ", ".join((view_words(case.view), HOURS[case.range], reader_words(case.reader), *case.filters))


def view_words(view: str) -> str:
    """A View by as people read it."""
    return f"metadata {KEY}" if view == "metadata" else view.replace("_", " ")


def _ratios(engine: Engine) -> dict[Case, float]:
    """Median with much traffic over median with little, by the page with much."""
    (small, _), (large, _) = engine.tenants
    before = {(page.case.reader, page.case.view, page.case.range): page.runs.p50 for page in _of(engine, small)}
    return {
        page.case: page.runs.p50 / before[page.case.reader, page.case.view, page.case.range]
        for page in _of(engine, large)
    }


def _bars_of_growth(engine: Engine) -> list[Bar]:
    if len(engine.tenants) != 2:
        return []
    ratios = _ratios(engine)
    worst = max(ratios, key=lambda case: ratios[case])
    (_, few), (_, many) = engine.tenants
    measured = f"{ratios[worst]:.2f} ({_words(worst)}), in the middle {median(ratios.values()):.2f}"
    return [
        (
            f"time at {many:,} / time at {few:,} requests at most {GROWTH_BAR}",
            measured,
            verdict(ratios[worst] <= GROWTH_BAR),
        )
    ]


def _bar_of_uncovered(pages: Sequence[Page]) -> Bar:
    name = f"two filters that no grain covers: below {FACTS_BAR / 1000:.0f} s, or a refusal with the estimate"
    slowest = _slowest(pages)
    refused = sum(bool(page.refusal) for page in pages)
    text = f"p95 {slowest.runs.p95:,.0f} ms at most; {refused} of {len(pages)} refused"
    return name, text, verdict(slowest.runs.p95 < FACTS_BAR)


def _times(engine: Engine) -> float:
    return median(one / scan for one, scan in zip(engine.hour.rollup, engine.hour.scan, strict=True))


def pages_section(engine: Engine) -> list[str]:
    """Every page of every organization, and the filtered ones."""
    parts = [
        "## Dashboard data",
        (
            "Milliseconds, p50 / p95 (nearest rank) of `GET /o/<slug>/data`: all eleven panels, counters and the "
            f"table, by HTTP from gunicorn (two workers, four threads each), {len(engine.pages[0].runs.millis)} warm "
            "runs of each page in turns, one client. Everybody: the whole organization, as its administrator sees it; "
            f"one team: the same address for a viewer of {engine.team}, the team with the most requests. The range "
            "ends at the moment of the question, so no two answers are the same and none comes from a cache; the "
            "workers remember stored rows that they read last (`PORTAL_AGGREGATE_CACHE_MB`, as it is without settings)."
        ),
    ]
    for slug, requests in engine.tenants:
        parts += [f"{requests:,} requests:", table(_HEAD, _page_rows(_of(engine, slug)))]
    sources = sorted({f"`{page.source}`" for page in engine.pages if page.case.range == "30d"})
    return [*parts, f"The month comes from {', '.join(sources)}.", *_forgotten(engine), *_filters(engine)]


def _forgotten(engine: Engine) -> list[str]:
    if not engine.forgotten:
        return []
    slowest = _slowest(engine.forgotten)
    usual = {page.case: page.runs.p50 for page in engine.pages}
    times = median(page.runs.p50 / usual[page.case] for page in engine.forgotten)
    return [
        (
            f"From a web server that remembers nothing, the pages of everybody take {times:.1f} times as long in the "
            f"middle, at most {slowest.runs.p95:,.0f} ms ({_words(slowest.case)}), p95 of "
            f"{len(slowest.runs.millis)} runs."
        )
    ]


_HEAD: Final = ("View by", "of", *HOURS.values(), "rows read, 30 days", "answer, 30 days")


def _page_rows(pages: Sequence[Page]) -> list[tuple[str, ...]]:
    by = {(page.case.view, page.case.reader, page.case.range): page for page in pages}
    rows = []
    for view in VIEWS:
        for reader in READERS:
            found = [by[view, reader, length] for length in RANGES]
            last = (f"{found[-1].rows_read:,}", f"{found[-1].size / 1000:,.0f} kB")
            rows.append((view_words(view), reader_words(reader), *(str(page.runs) for page in found), *last))
    return rows


def _filters(engine: Engine) -> list[str]:
    rows = [
        (
            view_words(page.case.view),
            ", ".join(f"`{one}`" for one in page.case.filters),
            HOURS[page.case.range],
            str(page.runs),
            f"refused: {page.refusal}" if page.refusal else f"`{page.source}`",
        )
        for page in (*engine.filtered, *engine.uncovered)
    ]
    return [
        (
            f"The same with filters, {engine.tenants[-1][1]:,} requests, everybody. No grain holds both dimensions of "
            "the pairs: such a page is answered from single requests within their budget, or refused."
        ),
        table(("View by", "filters", "range", "p50 / p95", "from"), rows),
    ]


def menus_section(engine: Engine) -> list[str]:
    """The menus beside DISTINCT."""
    rows = [
        (
            one.name,
            reader_words(one.reader),
            f"`{one.text}`" if one.text else "",
            f"{one.runs.p50:,.1f} / {one.runs.p95:,.1f}",
            f"{one.distinct * 1000:,.0f}",
        )
        for one in engine.menus
    ]
    return [
        "## Filter menus",
        (
            "Milliseconds, p50 / p95 of `GET /api/v1/dimensions/{name}/values`, with and without a text `q`, in turns "
            f"over {engine.tenants[-1][1]:,} requests; beside it `SELECT DISTINCT` on the requests, once."
        ),
        table(("dimension", "of", "q", "p50 / p95", "DISTINCT"), rows),
    ]


def rollups_section(engine: Engine) -> list[str]:
    """One hour, and everything."""
    hour, rebuilt = engine.hour, engine.rebuilt
    rolled, scanned = (sorted(one * 1000 for one in seconds) for seconds in (hour.rollup, hour.scan))
    used, rate = "an unknown time", "an unknown number of"
    if rebuilt.database is not None and rebuilt.per_core is not None:
        used, rate = f"{rebuilt.database:,.1f} s", f"{rebuilt.per_core:,.0f}"
    return [
        "## Rollups",
        (
            f"An hour of {hour.requests:,} requests into all grains: {median(rolled):,.1f} ms ({rolled[0]:,.1f} to "
            f"{rolled[-1]:,.1f}); one `GROUP BY` team, user, account, model and virtual model of the same hour, with "
            f"six sums and no percentiles: {median(scanned):,.1f} ms ({scanned[0]:,.1f} to {scanned[-1]:,.1f}). "
            f"{len(rolled)} rounds in turns; in the middle the rollup takes **{_times(engine):.1f}** times as long."
        ),
        (
            f"`rollup --rebuild --drain` of {rebuilt.requests:,} requests: {rebuilt.seconds:,.1f} s by the clock "
            f"({rebuilt.requests / rebuilt.seconds:,.0f}/s), {rebuilt.portal:,.1f} s of processor time of the command "
            f"and {used} of the database server: **{rate}** requests/s per core. {rebuilt.text}"
        ),
    ]
