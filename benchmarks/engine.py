"""The engine's questions, the same on every database: pages, filters, menus, rollups, files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import menus, pages, rollups
from benchmarks.downloads import Download
from benchmarks.menus import Menu
from benchmarks.pages import Page
from benchmarks.rollups import Hour, Rebuilt
from benchmarks.tenants import Tenant, let_in
from benchmarks.web import Portal

FORGETFUL: Final = {"PORTAL_AGGREGATE_CACHE_MB": "0"}
"""Environment of a web server that reads everything anew for every answer."""
_FEW: Final = 5  # rounds, of pages that are the same every time but for the noise


@dataclass(frozen=True, slots=True)
class Engine:
    """What was measured of the organization with the most requests; pages of all of them, largest last."""

    tenants: Sequence[tuple[str, int]]
    """Name in addresses and requests."""
    team: str
    """Whose viewer looked at the pages of one team."""
    pages: Sequence[Page]
    filtered: Sequence[Page]
    uncovered: Sequence[Page]
    menus: Sequence[Menu]
    hour: Hour
    rebuilt: Rebuilt
    downloads: Sequence[Download]
    forgotten: Sequence[Page] = ()
    """Pages of everybody from a web server that remembers no aggregates."""


def measure(
    portal: Portal, tenants: list[Tenant], rounds: int, *, rebuilt: Rebuilt, files: Sequence[Download]
) -> Engine:
    """Pages and menus, and the rollup of an hour behind them; a rebuild and files were measured before."""
    team, largest = let_in(portal, tenants), tenants[-1]
    viewed = pages.measure(portal, pages.cases_of(tenants), rounds, "pages")
    filtered = pages.measure(portal, pages.filtered_cases(largest), rounds, "pages with a filter")
    uncovered = pages.measure(portal, pages.uncovered_cases(largest), rounds, "pages with filters that no grain covers")
    return Engine(
        tenants=[(tenant.slug, tenant.requests) for tenant in tenants],
        team=team,
        pages=viewed,
        filtered=filtered,
        uncovered=uncovered,
        menus=menus.measure(portal, largest, rounds),
        downloads=files,
        hour=rollups.hour(largest),
        rebuilt=rebuilt,
    )


def forgotten(portal: Portal, usual: Portal, tenant: Tenant) -> list[Page]:
    """The pages of everybody, from a portal with `FORGETFUL`, to whom the usual one let in."""
    portal.browser.update(usual.browser)
    cases = [case for case in pages.cases_of([tenant]) if case.reader == pages.ORGANIZATION]
    return pages.measure(portal, cases, _FEW, "pages of which nothing is remembered")
