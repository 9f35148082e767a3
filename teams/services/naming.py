"""Names that traffic uses: which may be, how they change, and what an earlier one stands for today."""

import unicodedata
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from teams.models import Named, Organization, Team, User
from teams.roles import Capability
from teams.services import audit
from teams.services.rules import RuleBrokenError, require

RESERVED: Final = frozenset({"unassigned", "(other)", "(none)"})
"""What reports call requests without a team, or beyond the cap of names; nothing of that name could be told from it."""
_N = TypeVar("_N", bound=Named)


def check(row: Named) -> None:
    """Raise ValidationError for a name that the row cannot have, and for whatever else is wrong with it."""
    alias = check_name(row)
    row.full_clean(validate_constraints=alias is None)  # the own alias gives the name back


def check_name(row: Named) -> Named | None:
    """Raise ValidationError for a name that the row cannot have; its own alias, when that one has it."""
    check_text("name", row.name)
    if row.name.lower() in RESERVED:
        what = "requests without a team" if isinstance(row, Team) else "something else"
        raise ValidationError({"name": f"Reports use this name for {what}. Choose another one."})
    rows = _rows(row).filter(organization=_organization_id(row), name=row.name).exclude(pk=row.pk)
    taken: Named | None = rows.select_related("merged_into").first()
    if taken is None:
        return None
    if taken.merged_into is None:
        raise ValidationError({"name": f"The organization has a {row.NOUN} of this name already."})
    if taken.merged_into.pk != row.pk:
        raise ValidationError({"name": f"This is an earlier name of the {row.NOUN} {taken.merged_into}."})
    return taken


def check_text(field: str, text: str) -> None:
    """Raise ValidationError for what does not stand on one line, or cannot be seen."""
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in text):
        raise ValidationError({field: f"A {field} is one line of characters that can be seen."})


def rename(*, actor: User | None, organization: Organization, row: Named, name: str) -> None:
    """Another name for the same thing and its history; it is claimed from now on, also by the name it has.

    The name before stays as an alias: traffic that goes on sending it counts for the same row. Raises PermissionDenied,
    and ValidationError for a name that cannot be.
    """
    action = act(row, "rename")
    with (
        audit.refusals(organization=organization, actor=actor, action=action, target=row.name),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        current = locked(row)
        require_own(current)
        before, current.name = current.name, name.strip()
        check(current)
        if before == current.name and current.claimed:
            return
        _store(current, before)
        details: dict[str, object] = {"team": current.pk} if isinstance(current, Team) else {"id": current.pk}
        audit.record(
            organization=organization, actor=actor, action=action, target=current, **details | {"before": before}
        )
    row.name, row.claimed = current.name, True


def _store(current: Named, before: str) -> None:
    """The new name in the row, the old one in an alias; one that had the new name takes the old one."""
    name, rows = current.name, _rows(current)
    alias = rows.filter(merged_into=current.pk, name=name).first() if name != before else None
    if alias is not None:
        rows.filter(pk=alias.pk).update(name=f"\x01{alias.pk}")  # out of the way: names are unique at every moment
    rows.filter(pk=current.pk).update(name=name, claimed=True)
    current.claimed = True
    if alias is not None:
        rows.filter(pk=alias.pk).update(name=before)
    elif name != before:
        _rows(current).create(
            organization_id=_organization_id(current), name=before, claimed=True, merged_into_id=current.pk
        )


def locked(row: _N) -> _N:
    """The row as it is now, held until the transaction ends. Raises ValidationError when it is gone."""
    found: _N | None = _rows(row).select_for_update(of=("self",), no_key=True).filter(pk=row.pk).first()
    if found is None:
        raise ValidationError(f"This {row.NOUN} is not there any more.")
    return found


def require_own(row: Named) -> None:
    """Raise RuleBrokenError for a row that stands for another one, or for many."""
    if row.merged_into is not None:
        raise RuleBrokenError(f"{row.name} is an earlier name of {row.merged_into}. Choose that one.")
    if row.name == "(other)":
        raise RuleBrokenError("This stands for all names beyond the hourly limit, and stays.")


def find(model: type[_N], organization: Organization, name: str) -> _N | None:
    """The row of that name; for an earlier name, what it became."""
    rows: QuerySet[Any] = model._default_manager.filter(organization=organization)
    found = rows.filter(name=name).select_related("merged_into").first()
    meant: _N | None = found if found is None or found.merged_into is None else found.merged_into
    return meant


def act(row: Named | type[Named], verb: str) -> str:
    """What the audit log calls it."""
    return f"{row.NOUN.replace(' ', '_')}.{verb}"


def _rows(row: Named) -> "QuerySet[Any]":
    return type(row)._default_manager.all()


def _organization_id(row: Named) -> int:
    found: int = row.organization_id  # type: ignore[attr-defined] # every Named has one, each with a name of its own
    return found
