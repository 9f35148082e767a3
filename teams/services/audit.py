"""Writing the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied

from teams.models import AuditEntry, Organization, User
from teams.services.rules import RuleBrokenError


def record(*, organization: Organization, actor: User | None, action: str, target: object, **details: object) -> None:
    """Append one entry; call it inside the transaction of the act. Details are plain JSON values, never a secret."""
    AuditEntry.objects.create(
        organization=organization, actor=actor, action=action, target=str(target)[:300], details=details
    )


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
            record(
                organization=organization,
                actor=actor,
                action=f"{action}.refused",
                target=target,
                reason=reason,
                **details,
            )
        raise
