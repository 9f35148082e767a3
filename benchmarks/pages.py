"""The dashboard's data answer, all panels: every View by and range, of everybody and of one team, with filters."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.clock import Runs, say
from benchmarks.tenants import Tenant
from benchmarks.web import Portal

RANGES: Final = ("24h", "7d", "30d")
VIEWS: Final = ("model", "virtual_model", "user", "virtual_account", "team", "metadata")
KEY: Final = "tenant"
ORGANIZATION, TEAM = "organization", "team"
READERS: Final = (ORGANIZATION, TEAM)
"""Who looks: the administrator, or a viewer of one team."""
_COLD: Final = 2
"""Runs of every page before the first that counts: one for each web worker."""


@dataclass(frozen=True, slots=True)
class Case:
    """One page: of an organization (its slug), seen by a reader, perhaps filtered (as in its address)."""

    tenant: str
    reader: str
    view: str
    range: str
    filters: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its address. The range ends at the moment of the question."""
        state: dict[str, Any] = {"from": f"now-{self.range}", "to": "now", "by": self.view, "f": list(self.filters)}
        state |= {"key": KEY} if self.view == "metadata" else {}
        return f"/o/{self.tenant}/data?{urlencode(state, doseq=True)}"


@dataclass(frozen=True, slots=True)
class Page:
    """The runs of one page, the size of its answer, and where it came from; `refusal`: why it has no charts."""

    case: Case
    runs: Runs
    size: int
    source: str = ""
    rows_read: int = 0
    refusal: str = ""


def cases_of(tenants: Sequence[Tenant]) -> list[Case]:
    """Every View by, range and reader; the organizations next to each other, so that they meet the same minutes."""
    return [
        Case(tenant.slug, reader, view, length)
        for reader in READERS
        for view in VIEWS
        for length in RANGES
        for tenant in tenants
    ]


def filtered_cases(tenant: Tenant) -> list[Case]:
    """One filter on another dimension than that of the view, which some grain covers."""
    company = tenant.calendar.company
    pairs = (
        ("user", f"model:eq:{company.models[0].name}"),
        ("model", f"user:eq:{company.users[0]}"),
        ("team", f"metadata.{KEY}:eq:{company.tenants[0]}"),
    )
    return [Case(tenant.slug, ORGANIZATION, view, length, (one,)) for view, one in pairs for length in RANGES]


def uncovered_cases(tenant: Tenant) -> list[Case]:
    """Two filters that no grain holds together."""
    company = tenant.calendar.company
    account = next(source.account for source in company.sources if source.account)
    user, region = f"user:eq:{company.users[0]}", f"metadata.{KEY}:eq:{company.tenants[0]}"
    pairs = ((user, f"virtual_account:eq:{account}"), (region, f"virtual_model:eq:{company.virtual_models[0].name}"))
    return [Case(tenant.slug, ORGANIZATION, "model", length, pair) for pair in pairs for length in RANGES]


def measure(portal: Portal, cases: Sequence[Case], rounds: int, what: str) -> list[Page]:
    """Every page `rounds` times, in turns, so that no page has the quiet minutes for itself."""
    millis: dict[Case, list[float]] = {case: [] for case in cases}
    last: dict[Case, bytes] = {}
    for turn in range(_COLD + rounds):
        if turn % 5 == 0:
            say(f"{what}, turn {turn + 1} of {_COLD + rounds}")
        for case in cases:
            answer = portal.get(case.path, portal.viewer if case.reader == TEAM else portal.browser)
            last[case] = answer.body
            if turn >= _COLD:
                millis[case].append(answer.seconds * 1000)
    return [page_of(case, Runs(tuple(millis[case])), body) for case, body in last.items()]


def page_of(case: Case, runs: Runs, body: bytes) -> Page:
    """The page of an answer, or its refusal. Raises RuntimeError when it has no charts and does not say why."""
    data = json.loads(body)
    if data["problem"]:
        return Page(case, runs, len(body), refusal=data["problem"]["detail"])
    if not (case.filters or len(data["panels"]) == 11) or (data["empty"] and not case.filters):
        raise RuntimeError(f"{case} has no charts: {data['empty']}")
    meta = data["meta"]
    return Page(case, runs, len(body), meta["source"], meta["rows_read"])
