"""Metadata keys seen in traffic, and values of the registered ones."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from ingestion.dimensions import Interner
from ingestion.models import OVERFLOW, ChangedHour, LLMRequest, MetadataKey, MetadataValue
from ingestion.watermarks import ALWAYS, kept
from ingestion.writer import key_uses
from ingestion.writer.bulk import among, bulk_insert, insert_missing
from teams.models import Organization

# Keys that name single requests: registered only by hand, for grouping by them would give one group per request.
IDENTITIES: Final = frozenset(
    {"request_id", "trace_id", "span_id", "session_id", "conversation_id", "message_id", "thread_id", "run_id", "uuid"}
)


def intern_metadata(interner: Interner, wanted: Mapping[str, set[str]]) -> frozenset[tuple[str, str]]:
    """Note the keys of a batch and the values of registered ones; returns the (key, value) pairs beyond the cap."""
    if not wanted:
        return frozenset()
    registered = _registered_keys(interner, sorted(wanted))
    known = _known_values(registered, wanted)
    beyond: set[tuple[str, str]] = set()
    for name, key_id in registered.items():
        new = sorted(value for value in wanted[name] if (key_id, value) not in known)
        if new:
            beyond |= {(name, value) for value in _intern_values(interner, key_id, new)}
    interner.capped += len(beyond)
    return frozenset(beyond)


def _registered_keys(interner: Interner, names: list[str]) -> dict[str, int]:
    """Ids of the registered ones among the keys of a batch. Registers new keys while there are places left."""
    keys = MetadataKey.objects.filter(organization_id=interner.organization_id)
    named, values = among("name", names)
    table = connection.ops.quote_name(MetadataKey._meta.db_table)
    with connection.cursor() as cursor:
        statement = f"SELECT name, id, registered FROM {table} WHERE organization_id = %s AND {named}"  # noqa: S608 - names of our own
        cursor.execute(statement, [interner.organization_id, values])
        known = {name: (pk, bool(registered)) for name, pk, registered in cursor.fetchall()}
    new = [name for name in names if name not in known]
    if new and (room := interner.room(keys)):
        for key in _create_keys(interner, new[:room]):
            known[key.name] = (key.pk, key.registered)
    return {name: pk for name, (pk, registered) in known.items() if registered}


def _create_keys(interner: Interner, names: list[str]) -> list[MetadataKey]:
    columns = ("organization_id", "name", "registered", "first_seen", "last_seen")
    rows = [(interner.organization_id, name, False, interner.now, interner.now) for name in names]
    with transaction.atomic():
        # One at a time per organization, or two batches would share out the same places.
        Organization.objects.select_for_update().get(pk=interner.organization_id)
        insert_missing(MetadataKey, columns, rows)
        keys = MetadataKey.objects.filter(organization_id=interner.organization_id)
        taken = keys.filter(registered=True).count()
        created = list(keys.filter(name__in=names))
        candidates = [key for key in created if not key.registered and key.name not in IDENTITIES]
        for key in candidates[: max(0, settings.METADATA_KEYS_MAX - taken)]:
            register(key, interner.now)
    return created


def register(key: MetadataKey, now: datetime) -> None:
    """Make a key groupable: intern the values that facts already have and let every hour be aggregated again.

    Hours whose facts were removed stay as they are: of them nobody will know the key.
    """
    with transaction.atomic():
        # The watermark stands still: it waits for whoever holds this row.
        Organization.objects.select_for_update().get(pk=key.organization_id)
        floor = kept(key.organization_id).requests
        key.registered, key.known_from = True, floor if floor > ALWAYS else None
        key.save(update_fields=["registered", "known_from"])
        values = [(key.organization_id, key.pk, value, now, now) for value in _stored_values(key)]
        insert_missing(MetadataValue, _VALUE_COLUMNS, values)
        key_uses.note_stored(key)
        hours = LLMRequest.objects.filter(organization_id=key.organization_id).order_by("hour_start")
        changed = [(key.organization_id, hour, now) for hour in hours.values_list("hour_start", flat=True).distinct()]
        bulk_insert(ChangedHour, ("organization_id", "hour_start", "appended_at"), changed)


_VALUE_COLUMNS: Final = ("organization_id", "key_id", "name", "first_seen", "last_seen")


def _stored_values(key: MetadataKey) -> list[str]:
    """The most frequent values of a key among all facts, at most as many as an hour may bring."""
    each = "jsonb_each_text" if connection.vendor == "postgresql" else "json_each"
    table = connection.ops.quote_name(LLMRequest._meta.db_table)
    statement = (
        f"SELECT pair.value FROM {table}, {each}(metadata) AS pair "  # noqa: S608 - names of our own
        "WHERE organization_id = %s AND pair.key = %s GROUP BY pair.value ORDER BY COUNT(*) DESC, pair.value LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, (key.organization_id, key.name, settings.INGEST_NEW_VALUES_PER_HOUR))
        return [value for (value,) in cursor.fetchall()]


def _known_values(registered: Mapping[str, int], wanted: Mapping[str, set[str]]) -> set[tuple[int, str]]:
    """Key and text of the values that are stored, of all keys of a batch in one statement."""
    if not registered:
        return set()
    keys, key_ids = among("key_id", sorted(registered.values()))
    named, texts = among("name", sorted({value for name in registered for value in wanted[name]}))
    table = connection.ops.quote_name(MetadataValue._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key_id, name FROM {table} WHERE {keys} AND {named}", [key_ids, texts])  # noqa: S608 - names of our own
        return {(key_id, name) for key_id, name in cursor.fetchall()}


def _intern_values(interner: Interner, key_id: int, new: list[str]) -> list[str]:
    """Store the new values of a key; returns those beyond the cap."""
    room = interner.room(MetadataValue.objects.filter(key_id=key_id))
    rows = [
        (interner.organization_id, key_id, name, interner.now, interner.now)
        for name in (*new[:room], *([OVERFLOW] if new[room:] else []))
    ]
    with transaction.atomic():
        insert_missing(MetadataValue, _VALUE_COLUMNS, rows)
    return new[room:]
