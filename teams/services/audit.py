"""Writing the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import connection

from metricsportal.lib import border
from teams.models import AuditEntry, Organization, User
from teams.services.rules import RuleBrokenError

_NOTED: Final = "_audit_entry"


def record(*, organization: Organization, actor: User | None, action: str, target: object, **details: object) -> None:
    """Append one entry; call it inside the transaction of the act. Details are plain JSON values, never a secret."""
    _save(_entry(organization, actor, action, target, details))


def _save(entry: AuditEntry) -> None:
    with border.within(entry.organization_id):  # also of who was refused there, and sees nothing of it
        entry.save()


def _entry(
    organization: Organization, actor: User | None, action: str, target: object, details: dict[str, object]
) -> AuditEntry:
    return AuditEntry(organization=organization, actor=actor, action=action, target=str(target)[:300], details=details)


@contextmanager
def refusals(
    *, organization: Organization, actor: User | None, action: str, target: object, **details: object
) -> Iterator[None]:
    """Put around an act and its transaction: what a person tried and may not do is kept, as `<action>.refused`."""
    try:
        yield
    except (PermissionDenied, RuleBrokenError) as refusal:
        if actor is not None:
            reason = " ".join(refusal.messages) if isinstance(refusal, RuleBrokenError) else str(refusal)
            entry = _entry(organization, actor, f"{action}.refused", target, {"reason": reason, **details})
            _save(entry)
            if connection.in_atomic_block:
                refusal.__dict__[_NOTED] = entry
        raise


def keep_refusal(refusal: Exception) -> None:
    """Note a refusal again when the transaction around it has taken its entry back; call it after that one's end."""
    entry: AuditEntry | None = refusal.__dict__.get(_NOTED)
    if entry is None:
        return
    same = {"organization": entry.organization_id, "action": entry.action, "target": entry.target}
    with border.within(entry.organization_id):
        if not AuditEntry.objects.filter(pk=entry.pk, **same).exists():
            entry.pk = None
            entry.save(force_insert=True)
