"""The menus of the filters: values of a dimension, with and without a text, beside SELECT DISTINCT on the facts."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.db import connection

from benchmarks.clock import Runs, Stopwatch, say
from benchmarks.pages import KEY, READERS, TEAM
from benchmarks.tenants import Tenant
from benchmarks.web import Portal
from ingestion.models import LLMRequest

_COLD: Final = 4
COLUMNS: Final = {
    "model": "model_id",
    "virtual_model": "virtual_model_id",
    "user": "user_id",
    "virtual_account": "virtual_account_id",
    "team": "team_id",
    f"metadata.{KEY}": f"metadata ->> '{KEY}'",  # both databases have the operator
}
"""What DISTINCT reads for each dimension."""
TEXTS: Final = ("", "a")


@dataclass(frozen=True, slots=True)
class Menu:
    """The runs of one menu; `distinct`: seconds of SELECT DISTINCT on the facts, once."""

    name: str
    reader: str
    text: str
    runs: Runs
    distinct: float


def measure(portal: Portal, tenant: Tenant, rounds: int) -> list[Menu]:
    """Every menu `rounds` times in turns, for the administrator and for a viewer of one team."""
    say("filter menus")
    paths = {
        (name, reader, text): f"/api/v1/dimensions/{name}/values?"
        + urlencode({"organization": tenant.slug} | ({"q": text} if text else {}))
        for name in COLUMNS
        for reader in READERS
        for text in TEXTS
    }
    millis: dict[tuple[str, str, str], list[float]] = {menu: [] for menu in paths}
    for turn in range(_COLD + rounds):
        for menu, path in paths.items():
            seconds = portal.get(path, portal.viewer if menu[1] == TEAM else portal.browser).seconds
            if turn >= _COLD:
                millis[menu].append(seconds * 1000)
    beside = {name: distinct(tenant, column) for name, column in COLUMNS.items()}
    return [Menu(*menu, Runs(tuple(runs)), beside[menu[0]]) for menu, runs in millis.items()]


def distinct(tenant: Tenant, column: str) -> float:
    """Seconds of SELECT DISTINCT on all facts."""
    watch = Stopwatch()
    with watch.running(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT {column} FROM {LLMRequest._meta.db_table} WHERE organization_id = %s",  # noqa: S608 - ours
            [tenant.organization.pk],
        )
        cursor.fetchall()
    return watch.seconds
