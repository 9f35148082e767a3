"""Names of a batch into ids of dimension rows. New names are capped per organization, dimension and hour.

Names are looked up once per batch and not kept in the process: one indexed query per dimension costs about a
microsecond per record, and an account moved to another team, a renamed row or a rolled-back insert is never missed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection, models, transaction

from ingestion.models import OVERFLOW, ErrorType, GatewayUser, LLMModel, VirtualModel
from ingestion.writer.bulk import insert_missing
from teams.models import Team, VirtualAccount

Key = str | tuple[str, str]
"""A name, or provider and name."""

_CHUNK: Final = 500  # names per query: SQLite allows few parameters
_TOUCH_EVERY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Dimension:
    """One table of names. `extra` are the values of further columns of new rows."""

    model: type[models.Model]
    with_provider: bool = False
    with_team: bool = False
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def overflow(self) -> Key:
        """The row that takes names beyond the cap."""
        return ("", OVERFLOW) if self.with_provider else OVERFLOW


MODELS: Final = Dimension(LLMModel, with_provider=True)
VIRTUAL_MODELS: Final = Dimension(VirtualModel)
USERS: Final = Dimension(GatewayUser, with_team=True, extra={"email": ""})
VIRTUAL_ACCOUNTS: Final = Dimension(VirtualAccount, with_team=True)
# A team first seen in traffic is unclaimed: it has no members and gives nobody a right.
TEAMS: Final = Dimension(Team, extra={"claimed": False})
ERROR_TYPES: Final = Dimension(ErrorType)


class Known(NamedTuple):
    """A dimension row: its id, the team it belongs to (accounts and users), when it was last noted as seen."""

    id: int
    team_id: int | None
    last_seen: datetime | None


@dataclass(slots=True)
class Interner:
    """Resolves the names of one batch. `capped` counts new names that became `(other)`."""

    organization_id: int
    now: datetime
    cap: int
    capped: int = 0

    def intern(self, dimension: Dimension, wanted: Iterable[Key]) -> dict[Key, Known]:
        """Rows of all wanted names; those beyond the cap share the overflow row."""
        names = sorted(set(wanted))
        if not names:
            return {}
        known = self._select(dimension, names)
        missing = [name for name in names if name not in known]
        if missing:
            known |= self._create(dimension, missing)
        self._touch(dimension, known.values())
        return known

    def room(self, rows: models.QuerySet[Any]) -> int:
        """How many new names the hour still allows among these rows."""
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        return max(0, self.cap - rows.filter(first_seen__gte=hour).count())

    def _create(self, dimension: Dimension, missing: Sequence[Key]) -> dict[Key, Known]:
        room = self.room(dimension.model._default_manager.filter(organization_id=self.organization_id))
        allowed, beyond = missing[:room], missing[room:]
        new = [*allowed, dimension.overflow] if beyond else allowed
        columns = ("organization_id", "first_seen", "last_seen", *_name_columns(dimension), *dimension.extra)
        rows = [(self.organization_id, self.now, self.now, *_parts(key), *dimension.extra.values()) for key in new]
        with transaction.atomic():
            insert_missing(dimension.model, columns, rows)
        created = self._select(dimension, new)
        if beyond:
            self.capped += len(beyond)
            created |= dict.fromkeys(beyond, created[dimension.overflow])
        return created

    def _select(self, dimension: Dimension, keys: Sequence[Key]) -> dict[Key, Known]:
        columns = ("id", "last_seen", "name", *_optional_columns(dimension))
        found: dict[Key, Known] = {}
        rows = dimension.model._default_manager.filter(organization_id=self.organization_id)
        wanted = set(keys)
        for chunk in chunks([_parts(key)[-1] for key in keys]):
            for pk, last_seen, name, *rest in rows.filter(name__in=chunk).values_list(*columns):
                key: Key = (rest[0], name) if dimension.with_provider else name
                if key in wanted:
                    found[key] = Known(pk, rest[0] if dimension.with_team else None, last_seen)
        return found

    def _touch(self, dimension: Dimension, rows: Iterable[Known]) -> None:
        """Note when names were last seen, at most once an hour, in the order of ids so that no two batches deadlock."""
        limit = self.now - _TOUCH_EVERY
        stale = sorted({row.id for row in rows if row.last_seen is None or row.last_seen < limit})
        if not stale:
            return
        table = connection.ops.quote_name(dimension.model._meta.db_table)
        now = connection.ops.adapt_datetimefield_value(self.now)
        statement = f"UPDATE {table} SET last_seen = %s WHERE id = %s"  # noqa: S608 - the name of our own table
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, [(now, pk) for pk in stale])


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Slices that fit into one query."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _name_columns(dimension: Dimension) -> tuple[str, ...]:
    return ("provider", "name") if dimension.with_provider else ("name",)


def _optional_columns(dimension: Dimension) -> tuple[str, ...]:
    if dimension.with_provider:
        return ("provider",)
    return ("team_id",) if dimension.with_team else ()


def _parts(key: Key) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else key


def label_users(organization_id: int, emails: Mapping[str, str]) -> None:
    """Give callers that have no e-mail address yet the one that the source sends."""
    for chunk in chunks(sorted(emails)):
        unlabelled = GatewayUser.objects.filter(organization_id=organization_id, name__in=chunk, email="")
        for user in unlabelled.only("id", "name"):
            GatewayUser.objects.filter(pk=user.pk).update(email=emails[user.name])
