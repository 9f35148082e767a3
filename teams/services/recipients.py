"""Who receives mails about a team, of which kinds, and where mails of an organization may go."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parseaddr
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_domain_name, validate_email
from django.db import transaction

from metricsportal.lib.paper import available
from teams.models import Membership, Organization, ReportRecipient, Team, User
from teams.roles import Capability
from teams.services import audit
from teams.services.rules import require, require_team

MOST: Final = 100
"""Recipients of a team."""
MOST_DOMAINS: Final = 100
Kind = ReportRecipient.Kind


def is_address(text: str) -> bool:
    """Whether the text is one plain address that cannot name a second recipient or header."""
    return text.isprintable() and parseaddr(text) == ("", text) and text.count("@") == 1


def add_recipient(
    *, actor: User | None, team: Team, email: str, kinds: Collection[str], attachment: str, now: datetime
) -> ReportRecipient:
    """Let an address receive mails about the team. Raises PermissionDenied, and ValidationError with what is wrong."""
    email = email.strip().lower()
    with _acting(actor, team, "recipient.add", email):
        _check_address(team.organization, email)
        found = ReportRecipient.objects.filter(team=team)
        if found.filter(email__iexact=email).exists():
            raise ValidationError({"email": f"{email} is a recipient of {team.name} already."})
        if found.count() >= MOST:
            raise ValidationError(f"A team has at most {MOST} recipients; use a list address of your mail server.")
        recipient = ReportRecipient(team=team, email=email)
        _choose(recipient, kinds, attachment, now)
        _record(actor, recipient, "recipient.add")
    return recipient


def change_recipient(
    *, actor: User | None, recipient: ReportRecipient, kinds: Collection[str], attachment: str, now: datetime
) -> None:
    """Other mails for the same address. Raises as `add_recipient` does."""
    with _acting(actor, recipient.team, "recipient.change", recipient.email):
        current = ReportRecipient.objects.select_for_update(of=("self",), no_key=True).get(pk=recipient.pk)
        before = current.kinds
        _choose(current, kinds, attachment, now)
        _record(actor, current, "recipient.change", before=before)


def remove_recipient(*, actor: User | None, recipient: ReportRecipient) -> None:
    """No more mails about the team, also of those that wait. Raises PermissionDenied."""
    with _acting(actor, recipient.team, "recipient.remove", recipient.email):
        _record(actor, recipient, "recipient.remove")
        recipient.delete()


def unsubscribe(*, recipient: ReportRecipient, kind: str) -> bool:
    """Whoever reads the mails of an address wants no more of that kind; False when it had none already."""
    with transaction.atomic():
        current = ReportRecipient.objects.select_for_update(of=("self",), no_key=True).get(pk=recipient.pk)
        if kind not in current.kinds:
            return False
        current.monthly &= kind != Kind.STATEMENT
        current.weekly_since = None if kind == Kind.WEEKLY else current.weekly_since
        current.daily_since = None if kind == Kind.DAILY else current.daily_since
        current.save()
        _record(None, current, "recipient.unsubscribe", kind=kind)
    return True


def offered(chosen: str = "") -> dict[str, str]:
    """What may come with a statement, each with its name: PDF where it can be made, or was chosen when it could."""
    every = dict(ReportRecipient.Attachment.choices)
    return {value: str(label) for value, label in every.items() if value != "pdf" or chosen == "pdf" or available()}


def set_mail_rules(*, actor: User | None, organization: Organization, domains: str, hour: int) -> None:
    """Where mails about teams may go, and at which local hour summaries are due. Raises as `add_recipient` does."""
    with (
        audit.refusals(organization=organization, actor=actor, action="mail_rules.set", target=organization),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_CHARGEBACK)
        wanted = parse_domains(domains)
        if not 0 <= hour <= 23:
            raise ValidationError("The hour of summaries is a whole number from 0 to 23.")
        current = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        current.mail_domains, current.summary_hour = wanted, hour
        current.save(update_fields=["mail_domains", "summary_hour"])
        audit.record(
            organization=organization,
            actor=actor,
            action="mail_rules.set",
            target=organization,
            domains=wanted,
            hour=hour,
        )


def parse_domains(text: str) -> list[str]:
    """Domains from a text with commas, spaces or lines between them; raises ValidationError with all that are none."""
    found = sorted({one.removeprefix("@").rstrip(".") for one in re.split(r"[\s,;]+", text.lower()) if one})
    wrong = [one for one in found if not _is_domain(one)]
    if wrong:
        named = ", ".join(one[:80] for one in wrong[:10])
        raise ValidationError(f"Not a domain such as example.com: {named}")
    if len(found) > MOST_DOMAINS:
        raise ValidationError(f"At most {MOST_DOMAINS} domains.")
    return found


def outside(organization: Organization, emails: Iterable[str]) -> list[str]:
    """Of these addresses, those to which no mail about a team may go: of no allowed domain, and of no member."""
    allowed = set(organization.mail_domains)
    foreign = [one for one in emails if allowed and one.rpartition("@")[2].lower() not in allowed]
    if not foreign:
        return []
    members = Membership.objects.filter(organization=organization, user__is_active=True)
    known = {one.lower() for one in members.values_list("user__email", flat=True)}
    return [one for one in foreign if one.lower() not in known]


@contextmanager
def _acting(actor: User | None, team: Team, action: str, email: str) -> Iterator[None]:
    """One act on the recipients of a team: what is refused is kept, and two who add at once see each other."""
    with (
        audit.refusals(organization=team.organization, actor=actor, action=action, target=email, team=team.pk),
        transaction.atomic(),
    ):
        require_recipients(actor, team)
        Team.objects.select_for_update(of=("self",), no_key=True).get(pk=team.pk)
        yield


def _is_domain(text: str) -> bool:
    try:
        validate_domain_name(text)
    except ValidationError:
        return False
    return "." in text


def _check_address(organization: Organization, email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError({"email": "This is not an e-mail address."}) from None
    if len(email) > 254 or not is_address(email):
        raise ValidationError({"email": "This is not a plain e-mail address."})
    if outside(organization, [email]):
        domains = ", ".join(organization.mail_domains)
        raise ValidationError(
            {"email": f"{email} is outside the domains to which mails of {organization.name} may go: {domains}."}
        )


def _choose(recipient: ReportRecipient, kinds: Collection[str], attachment: str, now: datetime) -> None:
    if not set(kinds) <= set(Kind.values):
        raise ValidationError(f"Mails are of these kinds: {', '.join(Kind.values)}.")
    if attachment not in (possible := [*offered(recipient.attachment)]):
        raise ValidationError(f"A statement comes with one of: {', '.join(possible)}.")
    recipient.monthly = Kind.STATEMENT in kinds
    recipient.weekly_since = (recipient.weekly_since or now) if Kind.WEEKLY in kinds else None
    recipient.daily_since = (recipient.daily_since or now) if Kind.DAILY in kinds else None
    recipient.attachment = attachment
    recipient.save()


def _record(actor: User | None, recipient: ReportRecipient, action: str, **details: object) -> None:
    team = recipient.team
    audit.record(
        organization=team.organization,
        actor=actor,
        action=action,
        target=recipient.email,
        team=team.name,
        kinds=recipient.kinds,
        attachment=recipient.attachment,
        **details,
    )


def require_recipients(actor: User | None, team: Team) -> None:
    """Raise PermissionDenied unless the actor manages chargeback of the organization, or that team."""
    try:
        require(actor, team.organization, Capability.MANAGE_CHARGEBACK)
    except PermissionDenied:
        require_team(actor, team)
