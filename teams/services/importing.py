"""People and teams from a CSV file: every line by the same acts as on the pages, all of them or none.

A preview carries everything out and takes it back, so that it cannot promise what the import then refuses.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from teams.models import Invitation, Membership, Organization, Team, TeamMembership, User, VirtualAccount
from teams.roles import Capability, OrganizationRole, TeamRole
from teams.services.accounts import move, register_account
from teams.services.invitations import Issued, invite
from teams.services.naming import find
from teams.services.people import change_role
from teams.services.rules import require
from teams.services.teams import add_to_team, create_team

COLUMNS: Final = ("email", "role", "team", "team_role", "virtual_account")
MOST_LINES: Final = 5_000
MOST_CHARACTERS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file; what is empty there is "" here."""

    line: int
    email: str
    role: str
    team: str
    team_role: str
    virtual_account: str


@dataclass(frozen=True, slots=True)
class Said:
    """What is said about a line."""

    line: int
    words: str


@dataclass(slots=True)
class Outcome:
    """What came, or would come, of a file. With problems nothing was changed."""

    done: list[Said] = field(default_factory=list)
    problems: list[Said] = field(default_factory=list)
    issued: list[Issued] = field(default_factory=list, repr=False)  # to be mailed, once it is applied


class _Undo(Exception):  # noqa: N818 - not an error, the end of a preview
    """Takes everything back."""


def import_people(*, actor: User | None, organization: Organization, text: str, apply: bool, now: datetime) -> Outcome:
    """Carry out a file, or only look what it would do.

    Members get the role and team of their line, others an invitation, teams that are missing are made. Nobody is
    removed. Raises PermissionDenied, and ValidationError for what is no such file at all.
    """
    require(actor, organization, Capability.MANAGE_PEOPLE)
    rows, run = read(text), _Import(actor, organization, now)
    with suppress(_Undo), transaction.atomic():
        for row in rows:
            run.try_out(row)
        if run.outcome.problems or not apply:
            run.outcome.issued.clear()
            raise _Undo
    return run.outcome


def read(text: str) -> list[Row]:
    """The lines of a file with a header, separated by commas or semicolons. Raises ValidationError."""
    text = text.removeprefix("\ufeff")
    if len(text) > MOST_CHARACTERS:
        raise ValidationError(f"At most {MOST_CHARACTERS:,} characters at once.")
    if "\0" in text:
        raise ValidationError("This is no CSV file: it has a NUL character.")
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
    try:
        rows = list(islice(_rows(reader), MOST_LINES + 1))
    except csv.Error as error:
        raise ValidationError(f"Line {reader.reader.line_num}: {error}.") from None
    if not rows:
        raise ValidationError("The file has a header and nothing below it.")
    if len(rows) > MOST_LINES:
        raise ValidationError(f"At most {MOST_LINES} lines at once.")
    return rows


def _rows(reader: "csv.DictReader[str]") -> Iterator[Row]:
    """Line by line; empty ones are left out."""
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    _check_header(list(reader.fieldnames))
    for values in reader:
        if None in values or None in values.values():
            raise ValidationError(f"Line {reader.line_num} has not as many fields as the header.")
        cells = {name: values.get(name, "").strip() for name in COLUMNS}
        if any(cells.values()):
            yield Row(reader.line_num, **cells | {"email": cells["email"].lower()})


def _check_header(names: list[str]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or not {"email", "virtual_account"}.intersection(names) or len(set(names)) != len(names):
        raise ValidationError(
            f"The first line names the columns: {', '.join(COLUMNS)}; email or virtual_account has to be among them."
        )


@dataclass(slots=True)
class _Import:
    """One walk through the lines of a file."""

    actor: User | None
    organization: Organization
    now: datetime
    outcome: Outcome = field(default_factory=Outcome)
    invited: dict[str, int] = field(default_factory=dict)

    def try_out(self, row: Row) -> None:
        """Carry out a line, or none of it."""
        try:
            with transaction.atomic():
                words = self._carry_out(row)
        except (ValidationError, PermissionDenied) as error:
            reasons = error.messages if isinstance(error, ValidationError) else [str(error)]
            self.outcome.problems.append(Said(row.line, " ".join(reasons)))
        else:
            self.outcome.done.append(Said(row.line, "; ".join(words) or "changes nothing"))

    def _carry_out(self, row: Row) -> list[str]:
        if not row.email and not row.team and not row.virtual_account:
            raise ValidationError("A line needs an e-mail, a team or a virtual account.")
        if row.email and row.virtual_account:
            raise ValidationError("A line is about a person or about a virtual account, not both.")
        if row.team_role and not row.team:
            raise ValidationError("A role in a team needs a team.")
        team, words = self._team(row)
        if row.virtual_account:
            words += self._account(row.virtual_account, team)
        if not row.email:
            return words
        members = Membership.objects.filter(organization=self.organization, user__email=row.email)
        member = members.select_related("user", "organization").first()
        return words + (self._invite(row, team) if member is None else self._change(row, team, member))

    def _team(self, row: Row) -> tuple[Team | None, list[str]]:
        if not row.team:
            return None, []
        found = find(Team, self.organization, row.team)
        if found is not None:
            return found, []
        made = create_team(actor=self.actor, organization=self.organization, name=row.team)
        return made, [f"makes the team {made.name}"]

    def _account(self, name: str, team: Team | None) -> list[str]:
        """Without a team it stays where it is."""
        account = find(VirtualAccount, self.organization, name)
        where = f" for {team.name}" if team else ""
        if account is None:
            register_account(actor=self.actor, organization=self.organization, name=name, team=team)
            return [f"registers {name}{where}"]
        if team is None or account.team_id == team.pk:
            return []
        move(actor=self.actor, organization=self.organization, model=VirtualAccount, ids=[account.pk], team=team)
        return [f"moves {account.name} to {team.name}"]

    def _invite(self, row: Row, team: Team | None) -> list[str]:
        before = self.invited.setdefault(row.email, row.line)
        if before != row.line:
            raise ValidationError(f"This e-mail is in line {before} already: an invitation has one role and one team.")
        waiting = Invitation.objects.filter(organization=self.organization, accepted_at=None, revoked_at=None)
        if waiting.filter(email=row.email).exists():
            return [f"{row.email} is invited already"]
        role, team_role = row.role or OrganizationRole.MEMBER.value, row.team_role or TeamRole.VIEWER.value
        issued = invite(
            actor=self.actor,
            organization=self.organization,
            email=row.email,
            role=role,
            team=team,
            team_role=team_role,
            now=self.now,
        )
        self.outcome.issued.append(issued)
        return [f"invites {row.email} as {role}" + (f", {team_role} of {team.name}" if team else "")]

    def _change(self, row: Row, team: Team | None, member: Membership) -> list[str]:
        words = []
        if row.role and row.role != member.role:
            change_role(actor=self.actor, membership=member, role=row.role)
            words.append(f"{row.email} becomes {row.role}")
        if team is not None:
            before = TeamMembership.objects.filter(team=team, user=member.user).first()
            role = row.team_role or (before.role if before else TeamRole.VIEWER.value)
            if before is None or before.role != role:
                add_to_team(actor=self.actor, team=team, email=row.email, role=role)
                words.append(f"{row.email} becomes {role} of {team.name}")
        return words
