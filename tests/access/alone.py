"""The furnished world without the other organization, and what the owner is answered in it."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

from analytics.query.blocks import MEMORY
from metricsportal.row_security.policies import Table, quoted, tables
from teams.models import Organization
from tests.access import places
from tests.access.asking import around
from tests.access.rules import expectations
from tests.access.test_matrix import Asked
from tests.access.visitors import Visitors

# Sums over the whole installation, without a name: see "Not promised" in docs/security.md.
OF_ALL: Final = frozenset({"metrics", "healthz", "readyz"})
_TIME: Final = re.compile(r'"elapsed(?:Ms|_ms)":\s*[\d.]+')  # the same twice by chance is no answer
Question = tuple[str, str]
"""An address, and parameters."""


def reading() -> list[str]:
    """The addresses that answer an owner's GET."""
    found = expectations().items()
    return [one for one, methods in found if "GET" in methods and methods["GET"].own["owner"] == "Y"]


def questions(addresses: Iterable[str]) -> list[Question]:
    """All that is asked of them."""
    return [(one, query) for one in addresses if one not in OF_ALL for query in ("", *places.ASKED.get(one, ()))]


def answers(visitors: Visitors, asked: Iterable[Question]) -> dict[Question, tuple[int, str]]:
    """What the owner gets, with nothing remembered before or after."""
    MEMORY._blocks.clear()
    found = {}
    for address, query in asked:
        answer = Asked(visitors, address, "GET").about("own", "owner", query=query)
        found[address, query] = answer.status, steady(answer.body)
    MEMORY._blocks.clear()
    return found


def steady(body: str) -> str:
    """An answer without how long it took."""
    return _TIME.sub("", body)


@contextmanager
def without(*organizations: Organization) -> Iterator[None]:
    """Every row of the organizations is gone inside."""
    known = {table.name: table for table in tables()}
    with around(), connection.cursor() as cursor:
        for organization in organizations:
            for table in sorted(known.values(), key=lambda one: -_depth(one, known)):
                cursor.execute(f"DELETE FROM {quoted(table.name)} WHERE {_whose(table, known, organization)}")
        yield
        transaction.set_rollback(True)


def _depth(table: Table, known: dict[str, Table]) -> int:
    return 1 + _depth(known[table.parent], known) if table.parent else 0


def _whose(table: Table, known: dict[str, Table], organization: Organization) -> str:
    if table.parent is None:
        return f"{quoted(table.column)} = {int(organization.pk)}"
    inner = _whose(known[table.parent], known, organization)
    return f"{quoted(table.column)} IN (SELECT id FROM {quoted(table.parent)} WHERE {inner})"
