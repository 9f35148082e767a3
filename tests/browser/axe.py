"""What axe-core finds on a page: every rule in light, what depends on colours again in dark."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Context = str | dict[str, list[list[str]]] | None
"""What of a page: a selector, or what to include and exclude in axe's own words. None is all of it."""

# axe leaves size of targets out unless it is asked: 24 pixels.
EVERYTHING: dict[str, Any] = {
    "preload": False,
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
}
COLOURS: dict[str, Any] = {
    "preload": False,
    "resultTypes": ["violations"],
    "runOnly": ["color-contrast", "link-in-text-block"],
}
# Colours that are on their way to others are not measured.
STILL: dict[str, Any] = {"reduced_motion": "reduce"}
WIDE = 800
NARROW: dict[str, Any] = STILL | {"viewport": {"width": 360, "height": 800}}
WIDTHS = pytest.mark.parametrize(
    "options", [STILL, pytest.param(NARROW, marks=pytest.mark.slow)], ids=["wide", "narrow"]
)
"""Both widths; the narrow one finds little that the wide one does not."""

_axe = Axe()


def _found(page: Page, options: dict[str, Any], where: str, within: Context) -> list[str]:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_axe.axe_script)
    violations = page.evaluate("([within, options]) => axe.run(within ?? document, options)", [within, options])
    return [
        f"{where}: {violation['id']}: {node['html'][:200]} · {' '.join(node['failureSummary'].split())[:300]}"
        for violation in violations["violations"]
        for node in violation["nodes"]
    ]


def _too_wide(page: Page, where: str) -> list[str]:
    """A line when the page itself scrolls sideways."""
    more = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{where}, narrow: {more} pixels wider than the window"] if more > 0 else []


def violations(page: Page, where: str, within: Context = None) -> list[str]:
    """A line for each element with which axe finds fault, of the page or of what a selector names.

    A wide page is looked at in light and its colours again in dark; a narrow one, which has the same colours, in dark,
    and whether all of it fits.
    """
    size = page.viewport_size
    if size and size["width"] < WIDE:
        page.emulate_media(color_scheme="dark")
        return _found(page, EVERYTHING, f"{where}, narrow and dark", within) + _too_wide(page, where)
    page.emulate_media(color_scheme="light")
    light = _found(page, EVERYTHING, f"{where}, light", within)
    page.emulate_media(color_scheme="dark")
    return light + _found(page, COLOURS, f"{where}, dark", within)
