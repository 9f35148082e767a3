"""The link by which whoever reads a mail wants no more of its kind: signed, without signing in (RFC 8058)."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse

from analytics.budgets import anomaly_watches
from analytics.models import Budget, Notice, OutboxMail
from metricsportal.lib import border
from teams.models import Membership, Organization, ReportRecipient, Team
from teams.services import audit, finance_mails, recipients
from teams.services.finance_mails import reader

# No time in it: a mail is the same however often it is made, and old mails have links as well.
_SIGNER: Final = Signer(salt="analytics.unsubscribe")
_BUDGET: Final = "budget"
_DAYS: Final = "days"
_FINANCE: Final = "finance"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link is about. `words`: "the weekly summary of Search"; `on`: whether it is still received."""

    kind: str
    email: str
    words: str
    on: bool
    about: ReportRecipient | Budget | Organization | Membership
    team: Team | None = None


def url_of(mail: OutboxMail) -> str:
    """The address of the page; "" where the recipient is none any more."""
    if mail.notice is not None:
        return _link(*_of_notice(mail.notice), mail.recipient.lower())
    if mail.digest is not None and mail.digest.team_id is None:
        person = reader(mail.organization, mail.recipient)
        return _link(_FINANCE, [person.pk, mail.digest.kind], mail.recipient.lower()) if person else ""
    made = mail.statement or mail.digest
    row = made and ReportRecipient.objects.filter(team=made.team, email__iexact=mail.recipient).first()
    return _link(mail.digest.kind if mail.digest else "statement", row.pk, row.email) if row else ""


def _of_notice(notice: Notice) -> tuple[str, object]:
    if notice.budget_id is not None:
        return _BUDGET, notice.budget_id
    return _DAYS, [notice.organization_id, notice.team_id]


def _link(kind: str, about: object, email: str) -> str:
    return f"{settings.PORTAL_URL}{reverse('unsubscribe', args=[_SIGNER.sign_object([kind, about, email])])}"


def find(token: str) -> Subscription | None:
    """What a link is about; None for one that the portal did not sign, or whose recipient is gone."""
    try:
        kind, about, email = _SIGNER.unsign_object(token)
    except (BadSignature, ValueError):
        return None
    with border.everything("a signed link names whose mails it is about"):
        if kind == _BUDGET:
            found = _budget(about, email)
        elif kind == _DAYS:
            found = _days(about[0], about[1], email)
        elif kind == _FINANCE:
            found = _finance(about[0], about[1], email)
        else:
            found = _recipient(kind, about, email)
    return found


def _recipient(kind: str, number: int, email: str) -> Subscription | None:
    row = ReportRecipient.objects.select_related("team__organization").filter(pk=number, email=email).first()
    if row is None:
        return None
    words = f"the {ReportRecipient.Kind(kind).label.lower()} of {row.team.name}"
    return Subscription(kind, email, words, kind in row.kinds, row)


def _finance(number: int, kind: str, email: str) -> Subscription | None:
    row = Membership.objects.select_related("organization", "user").filter(pk=number, user__email__iexact=email).first()
    if row is None:
        return None
    named = {"closed": "the closed months"}.get(kind, f"the {kind} summary")
    return Subscription(kind, email, f"{named} of {row.organization}", kind in row.mails, row)


def _budget(number: int, email: str) -> Subscription | None:
    row = Budget.objects.select_related("organization", "team").filter(pk=number).first()
    if row is None:
        return None
    on = email in map(str.lower, row.recipients)
    return Subscription(_BUDGET, email, f"notices of the budget {row.name}", on, row)


def _days(organization_id: int, team_id: int | None, email: str) -> Subscription | None:
    organization = Organization.objects.filter(pk=organization_id).first()
    team = Team.objects.filter(pk=team_id, organization=organization).first() if team_id else None
    if organization is None or (team_id and team is None):
        return None
    on = email in anomaly_watches.recipients(organization, team)
    return Subscription(_DAYS, email, f"days of {team or organization} that stand out", on, organization, team)


def end(found: Subscription) -> bool:
    """No more of these mails to that address; False when it had ended already."""
    about = found.about
    if isinstance(about, ReportRecipient):
        with border.within(about.team.organization_id):
            return recipients.unsubscribe(recipient=about, kind=found.kind)
    if isinstance(about, Membership):
        with border.within(about.organization_id):
            return finance_mails.unsubscribe(membership=about, kind=found.kind)
    if isinstance(about, Budget):
        with border.within(about.organization_id):
            return _end_budget(about, found.email)
    with border.within(about.pk):
        return anomaly_watches.silence(about, found.team, found.email)


def _end_budget(budget: Budget, email: str) -> bool:
    with transaction.atomic():
        current = Budget.objects.select_for_update(of=("self",), no_key=True).get(pk=budget.pk)
        left = [one for one in current.recipients if one.lower() != email]
        if left == current.recipients:
            return False
        current.recipients = left
        current.save(update_fields=["recipients"])
        audit.record(
            organization=budget.organization, actor=None, action="budget.unsubscribe", target=budget, recipient=email
        )
    return True
