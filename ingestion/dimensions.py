"""Names of a batch into ids of dimension rows. New names are capped per organization, dimension and hour.

Names are looked up once per batch, all dimensions in one statement, and not kept in the process: an account moved to
another team, a renamed row or a rolled-back insert is never missed.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection, models, transaction

from ingestion.models import OVERFLOW, ErrorType, GatewayUser, LLMModel, VirtualModel
from ingestion.writer.bulk import among, insert_missing
from teams.models import Team, VirtualAccount

Key = str | tuple[str, str]
"""A name, or provider and name."""

_TOUCH_EVERY: Final = timedelta(hours=1)
_TEAM_TABLE: Final = Team._meta.db_table


@dataclass(frozen=True, slots=True)
class Dimension:
    """One table of names. `extra` are the values of further columns of new rows."""

    model: type[models.Model]
    with_provider: bool = False
    with_team: bool = False
    with_email: bool = False
    with_aliases: bool = False
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def overflow(self) -> Key:
        """The row that takes names beyond the cap."""
        return ("", OVERFLOW) if self.with_provider else OVERFLOW


MODELS: Final = Dimension(LLMModel, with_provider=True)
VIRTUAL_MODELS: Final = Dimension(VirtualModel)
# What is first seen in traffic is unclaimed: it belongs to no team, has no members and gives nobody a right.
USERS: Final = Dimension(
    GatewayUser, with_team=True, with_email=True, with_aliases=True, extra={"email": "", "claimed": False}
)
VIRTUAL_ACCOUNTS: Final = Dimension(VirtualAccount, with_team=True, with_aliases=True, extra={"claimed": False})
TEAMS: Final = Dimension(Team, with_aliases=True, extra={"claimed": False})
ERROR_TYPES: Final = Dimension(ErrorType)


class Known(NamedTuple):
    """A dimension row: its id, the team and address it has, and whether it was not noted as seen for an hour.

    Of a name that became another one: those of what it became.
    """

    id: int
    team_id: int | None
    email: str
    stale: bool


Found = dict[Dimension, dict[Key, Known]]


@dataclass(slots=True)
class Interner:
    """Resolves the names of one batch. `capped` counts new names that became `(other)`."""

    organization_id: int
    now: datetime
    cap: int
    capped: int = 0

    def intern(self, wanted: Mapping[Dimension, AbstractSet[Key]]) -> Found:
        """Rows of all wanted names; those beyond the cap share the overflow row of their dimension."""
        found = self._select(wanted)
        for dimension, names in wanted.items():
            known = found[dimension]
            if missing := sorted(names - known.keys()):
                known |= self._create(dimension, missing)
            self._touch(dimension, known.values())
        return found

    def room(self, rows: models.QuerySet[Any]) -> int:
        """How many new names the hour still allows among these rows."""
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        # What people registered and traffic has not named is none of them.
        return max(0, self.cap - rows.filter(first_seen__gte=hour, last_seen__isnull=False).count())

    def _create(self, dimension: Dimension, missing: Sequence[Key]) -> dict[Key, Known]:
        room = self.room(dimension.model._default_manager.filter(organization_id=self.organization_id))
        allowed, beyond = missing[:room], missing[room:]
        new = [*allowed, dimension.overflow] if beyond else allowed
        columns = ("organization_id", "first_seen", "last_seen", *_name_columns(dimension), *dimension.extra)
        rows = [(self.organization_id, self.now, self.now, *_parts(key), *dimension.extra.values()) for key in new]
        with transaction.atomic():
            insert_missing(dimension.model, columns, rows)
        created = self._select({dimension: {*new}})[dimension]
        if beyond:
            self.capped += len(beyond)
            created |= dict.fromkeys(beyond, created[dimension.overflow])
        return created

    def _select(self, wanted: Mapping[Dimension, AbstractSet[Key]]) -> Found:
        found: Found = {dimension: {} for dimension in wanted}
        asked = [(dimension, names) for dimension, names in wanted.items() if names]
        if not asked:
            return found
        parts = [self._part(number, dimension, names) for number, (dimension, names) in enumerate(asked)]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(sql for sql, _ in parts), [one for _, values in parts for one in values])
            for number, pk, stale, name, provider, team_id, email in cursor.fetchall():
                dimension, names = asked[number]
                key: Key = (provider, name) if dimension.with_provider else name
                if key in names:
                    found[dimension][key] = Known(pk, team_id, email, bool(stale))
        return found

    def _part(self, number: int, dimension: Dimension, names: AbstractSet[Key]) -> tuple[str, list[Any]]:
        """The rows of one dimension; models are found by name, whoever provides them."""
        table = connection.ops.quote_name(dimension.model._meta.db_table)
        named, values = among("said.name", sorted({_parts(key)[-1] for key in names}))
        seen = connection.ops.adapt_datetimefield_value(self.now - _TOUCH_EVERY)
        provider = "known.provider" if dimension.with_provider else "''"
        team = "COALESCE(team.merged_into_id, known.team_id)" if dimension.with_team else "CAST(NULL AS bigint)"
        email = "known.email" if dimension.with_email else "''"
        meant = "COALESCE(said.merged_into_id, said.id)" if dimension.with_aliases else "said.id"
        # A team that was merged while an account got it stands for what it became.
        teams = f"LEFT JOIN {_TEAM_TABLE} team ON team.id = known.team_id" if dimension.with_team else ""
        return (
            f"SELECT {number}, known.id, CASE WHEN known.last_seen >= %s THEN 0 ELSE 1 END, said.name, "  # noqa: S608 - names of our own
            f"{provider}, {team}, {email} FROM {table} said JOIN {table} known ON known.id = {meant} {teams} "
            f"WHERE said.organization_id = %s AND {named}",
            [seen, self.organization_id, values],
        )

    def _touch(self, dimension: Dimension, rows: Iterable[Known]) -> None:
        """Note when names were last seen, at most once an hour, in the order of ids so that no two batches deadlock."""
        stale = sorted({row.id for row in rows if row.stale})
        if not stale:
            return
        table = connection.ops.quote_name(dimension.model._meta.db_table)
        now = connection.ops.adapt_datetimefield_value(self.now)
        statement = f"UPDATE {table} SET last_seen = %s WHERE id = %s"  # noqa: S608 - the name of our own table
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, [(now, pk) for pk in stale])


def _name_columns(dimension: Dimension) -> tuple[str, ...]:
    return ("provider", "name") if dimension.with_provider else ("name",)


def _parts(key: Key) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else key


def label_users(users: Mapping[Key, Known], emails: Mapping[str, str]) -> None:
    """Give callers that have no e-mail address yet the one that the source sends."""
    for name, email in sorted(emails.items()):
        if not users[name].email:
            GatewayUser.objects.filter(pk=users[name].id, email="").update(email=email)
