"""Writing the audit log."""

from teams.models import AuditEntry, Organization, User


def record(*, organization: Organization, actor: User | None, action: str, target: object, **details: object) -> None:
    """Append one entry; call it inside the transaction of the act. Details are plain JSON values, never a secret."""
    AuditEntry.objects.create(
        organization=organization, actor=actor, action=action, target=str(target)[:300], details=details
    )
