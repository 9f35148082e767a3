"""Which registered metadata keys occur in whose requests: kept beside the facts, so that menus need none of them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

import msgspec
from django.db import connection, models

from ingestion.models import KeyOfCaller, KeyOfTeam, LLMRequest, MetadataKey
from ingestion.pipeline import COLUMNS, Row
from ingestion.writer.bulk import insert_missing

_METADATA: Final = COLUMNS.index("metadata")
_OWNERS: Final[tuple[tuple[type[models.Model], str], ...]] = ((KeyOfTeam, "team_id"), (KeyOfCaller, "user_id"))
_PLACES: Final = {column: COLUMNS.index(column) for _, column in _OWNERS}
_names_of: Final = msgspec.json.Decoder(dict[str, str])
_Pair = tuple[str, int]


def note(organization_id: int, rows: Iterable[Row]) -> None:
    """Note the keys of rows that were stored; inside the transaction that stores them.

    To be called after `references.hold`: whoever registers a key waits for the commit, or was there before.
    """
    known: dict[str, tuple[str, ...]] = {"{}": ()}
    pairs: dict[str, set[_Pair]] = {column: set() for _, column in _OWNERS}
    for row in rows:
        text = cast("str", row[_METADATA])
        if text not in known:
            known[text] = tuple(_names_of.decode(text))
        for column, found in pairs.items():
            owner = row[_PLACES[column]]
            if owner is not None:
                found.update((name, cast("int", owner)) for name in known[text])
    for model, column in _OWNERS:
        _insert(model, column, organization_id, _missing(model, column, organization_id, sorted(pairs[column])))


def note_stored(key: MetadataKey) -> None:
    """Note whose stored facts have the key, now that it is registered."""
    # Not the lookup `has_key`: SQLite's paths know no key with quotation marks in it.
    has = {
        "postgresql": "jsonb_exists(metadata, %s)",
        "sqlite": "EXISTS (SELECT 1 FROM json_each(metadata) own WHERE own.key = %s)",
    }[connection.vendor]
    facts = connection.ops.quote_name(LLMRequest._meta.db_table)
    for model, column in _OWNERS:
        # Names of our own table and columns; values are parameters.
        statement = f"SELECT DISTINCT {column} FROM {facts} WHERE organization_id = %s AND {has} ORDER BY 1"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, [key.organization_id, key.name])
            owners = [owner for (owner,) in cursor.fetchall() if owner is not None]
        _insert(model, column, key.organization_id, [(key.pk, owner) for owner in owners])


def inherit(column: str, row: int, into: int) -> None:
    """What occurred in requests of one team or caller occurs in those of another, to which they moved."""
    for model, own in _OWNERS:
        if own == column:
            found = model._default_manager.filter(**{own: row}).order_by("key_id")
            for organization_id, key_id in found.values_list("organization_id", "key_id"):
                _insert(model, own, organization_id, [(key_id, into)])


def _missing(
    model: type[models.Model], column: str, organization_id: int, pairs: Sequence[_Pair]
) -> list[tuple[int, int]]:
    """Those not noted yet, of keys that are registered; in one order for all writers."""
    if not pairs:
        return []
    quote = connection.ops.quote_name
    said, values = _said(pairs)
    keys, uses, owner = (quote(one) for one in (MetadataKey._meta.db_table, model._meta.db_table, column))
    # Names of our own tables and columns; values are parameters.
    statement = (
        f"SELECT key.id, said.owner FROM {said} JOIN {keys} key ON key.name = said.name "  # noqa: S608
        f"LEFT JOIN {uses} uses ON uses.key_id = key.id AND uses.{owner} = said.owner "
        "WHERE key.organization_id = %s AND key.registered AND uses.id IS NULL ORDER BY 1, 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, organization_id])
        return [(key_id, owner_id) for key_id, owner_id in cursor.fetchall()]


def _said(pairs: Sequence[_Pair]) -> tuple[str, list[Any]]:
    """The pairs as a table of the statement, and its parameters."""
    if connection.vendor == "postgresql":
        names, owners = zip(*pairs, strict=True)
        return "unnest(%s::text[], %s::bigint[]) AS said(name, owner)", [list(names), list(owners)]
    columns = "json_extract(value, '$[0]') AS name, json_extract(value, '$[1]') AS owner"
    return f"(SELECT {columns} FROM json_each(%s)) said", [json.dumps(pairs)]  # noqa: S608 - a text of ours


def _insert(model: type[models.Model], column: str, organization_id: int, pairs: Iterable[tuple[int, int]]) -> None:
    rows = [(organization_id, key_id, owner) for key_id, owner in pairs]
    if rows:
        insert_missing(model, ("organization_id", "key_id", column), rows)
