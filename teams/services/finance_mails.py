"""Mails about a whole organization: people who see its costs choose them, each for themselves."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from teams.models import Membership, Organization, User
from teams.roles import CAPABILITIES, Capability
from teams.services import audit
from teams.services.rules import require

Mail = Membership.Mail
KINDS: Final = tuple(Mail.choices)
_ROLES: Final = [str(role) for role, may in CAPABILITIES.items() if Capability.MANAGE_CHARGEBACK in may]


def choose_mails(*, actor: User, organization: Organization, kinds: Collection[str], now: datetime) -> None:
    """These mails, and no others, to the person who acts. Raises PermissionDenied, and ValidationError."""
    with (
        audit.refusals(organization=organization, actor=actor, action="finance_mails.choose", target=organization),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_CHARGEBACK)
        if not set(kinds) <= set(Mail.values):
            raise ValidationError(f"Mails are of these kinds: {', '.join(Mail.values)}.")
        mine = Membership.objects.select_for_update(of=("self",), no_key=True)
        membership = mine.get(user=actor, organization=organization)
        before = membership.mails
        membership.closings = Mail.CLOSED in kinds
        membership.weekly_since = (membership.weekly_since or now) if Mail.WEEKLY in kinds else None
        membership.daily_since = (membership.daily_since or now) if Mail.DAILY in kinds else None
        membership.save()
        _record(actor, membership, "finance_mails.choose", before=before)


def unsubscribe(*, membership: Membership, kind: str) -> bool:
    """Whoever reads the mails of a person wants no more of that kind; False when there was none already."""
    with transaction.atomic():
        current = Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=membership.pk)
        if kind not in current.mails:
            return False
        current.closings &= kind != Mail.CLOSED
        current.weekly_since = None if kind == Mail.WEEKLY else current.weekly_since
        current.daily_since = None if kind == Mail.DAILY else current.daily_since
        current.save()
        _record(None, current, "finance_mails.unsubscribe", kind=kind)
    return True


def chosen(user: User, organization: Organization) -> list[str]:
    """Which mails a person chose."""
    found = Membership.objects.filter(user=user, organization=organization).first()
    return found.mails if found else []


def readers(organization: Organization, kind: str, at: datetime) -> QuerySet[Membership]:
    """Who had chosen it by then and may read it now, by address."""
    condition: dict[str, object] = {"closings": True} if kind == Mail.CLOSED else {f"{kind}_since__lte": at}
    return _allowed(organization).filter(**condition).order_by("user__email")


def reader(organization: Organization, email: str) -> Membership | None:
    """The person of that address who may read such mails now."""
    return _allowed(organization).filter(user__email__iexact=email).first()


def _allowed(organization: Organization) -> QuerySet[Membership]:
    found = Membership.objects.filter(organization=organization, role__in=_ROLES, user__is_active=True)
    return found.select_related("user", "organization")


def _record(actor: User | None, membership: Membership, action: str, **details: object) -> None:
    organization, person = membership.organization, membership.user
    audit.record(
        organization=organization, actor=actor, action=action, target=person, kinds=membership.mails, **details
    )
