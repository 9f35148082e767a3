"""The dashboard's data answer, all panels, for every View by and range."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from benchmarks.clock import nearest_rank, say
from benchmarks.web import Portal

RANGES: Final = ("24h", "7d", "30d")
VIEWS: Final = ("model", "virtual_model", "user", "virtual_account", "team", "metadata")
KEY: Final = "tenant"
_COLD: Final = 2
"""Runs of every page before the first that counts: one for each web worker."""


@dataclass(frozen=True, slots=True)
class Page:
    """Milliseconds of the runs of one page, the size of its answer, and where the answer came from."""

    view: str
    range: str
    millis: tuple[float, ...]
    size: int
    source: str
    rows_read: int

    @property
    def p50(self) -> float:
        """Median."""
        return nearest_rank(list(self.millis), 50)

    @property
    def p95(self) -> float:
        """Nearest rank: of 20 runs the slowest but one."""
        return nearest_rank(list(self.millis), 95)


def measure(portal: Portal, slug: str, rounds: int) -> list[Page]:
    """Every page `rounds` times, in turns, so that no page has the quiet minutes for itself."""
    paths = {(view, length): _path(slug, view, length) for view in VIEWS for length in RANGES}
    millis: dict[tuple[str, str], list[float]] = {page: [] for page in paths}
    last: dict[tuple[str, str], bytes] = {}
    for turn in range(_COLD + rounds):
        say(f"dashboard, turn {turn + 1} of {_COLD + rounds}")
        for page, path in paths.items():
            answer = portal.get(path, portal.browser)
            last[page] = answer.body
            if turn >= _COLD:
                millis[page].append(answer.seconds * 1000)
    return [_page(page, tuple(millis[page]), body) for page, body in last.items()]


def _path(slug: str, view: str, length: str) -> str:
    state = {"from": f"now-{length}", "to": "now", "by": view} | ({"key": KEY} if view == "metadata" else {})
    return f"/o/{slug}/data?{urlencode(state)}"


def _page(page: tuple[str, str], millis: tuple[float, ...], body: bytes) -> Page:
    data = json.loads(body)
    if data["empty"] or data["problem"] or len(data["panels"]) != 11:
        raise RuntimeError(f"{page} has no charts: {data['empty']} {data['problem']}")
    meta = data["meta"]
    return Page(*page, millis, len(body), meta["source"], meta["rows_read"])
