"""Making summaries that are due, each once: whatever was down, whoever else is at it, whichever clock changes."""

import logging
import secrets
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from analytics.chargeback.digests.due import EVERY, Due, newest
from analytics.chargeback.digests.summary import summary
from analytics.models import Digest, OutboxMail
from analytics.query.values import RefusedQueryError
from metricsportal.lib import border
from teams.models import Organization, ReportRecipient, Team
from teams.services.finance_mails import reader, readers
from teams.services.recipients import outside

logger = logging.getLogger(__name__)
SINCE: Final = {"weekly": "weekly_since", "daily": "daily_since"}
"""The column of a recipient that chooses a kind."""


def make_due(now: datetime) -> int:
    """Freeze every summary that is due and not made yet, with its mails; the number made."""
    made = 0
    for organization in Organization.objects.order_by("pk"):
        try:
            with border.within(organization.pk):
                made += sum(_make(about, due, now) for about, due in tuple(_missing(organization, now)))
        except Exception:  # one organization's trouble must not keep the others from their summaries
            logger.exception("making the summaries of %s failed", organization)
    return made


def _missing(organization: Organization, now: datetime) -> Iterator[tuple[Team | Organization, Due]]:
    """Whose summary (a team's, or that of all) somebody had chosen when it was due, and for which it is not made."""
    for kind in EVERY:
        due = newest(kind, organization.zone, organization.summary_hour, now)
        chosen = ReportRecipient.objects.filter(team=OuterRef("pk"), **{f"{SINCE[kind]}__lte": due.at})
        made = Digest.objects.filter(team=OuterRef("pk"), kind=kind, starts_on=due.span.first)
        teams = Team.objects.filter(Exists(chosen), ~Exists(made), organization=organization, merged_into=None)
        for team in teams.select_related("organization").order_by("pk"):
            yield team, due
        whole = Digest.objects.filter(organization=organization, team=None, kind=kind, starts_on=due.span.first)
        if readers(organization, kind, due.at).exists() and not whole.exists():
            yield organization, due


def _make(about: Team | Organization, due: Due, now: datetime) -> bool:
    """The summary and its mails, together or not at all; False when somebody else made it meanwhile."""
    team = about if isinstance(about, Team) else None
    try:
        document = summary(about, due.kind, due.span, now)
        with transaction.atomic():
            digest = Digest.objects.create(
                organization=about.organization if isinstance(about, Team) else about,
                team=team,
                kind=due.kind,
                starts_on=due.span.first,
                at=now,
                document=document,
            )
            OutboxMail.objects.bulk_create(_mails(digest, due))
    except IntegrityError:
        return False
    except RefusedQueryError:
        logger.warning("the %s summary of %s from %s cannot be made", due.kind, about, due.span.first, exc_info=True)
        return False
    return True


def _mails(digest: Digest, due: Due) -> Iterator[OutboxMail]:
    """One per recipient who had chosen it by then."""
    if digest.team is None:
        return mails_to(digest, readers(digest.organization, due.kind, due.at).values_list("user__email", flat=True))
    chosen = ReportRecipient.objects.filter(team=digest.team, **{f"{SINCE[due.kind]}__lte": due.at})
    return mails_to(digest, chosen.order_by("email").values_list("email", flat=True))


def mails_to(digest: Digest, addresses: Iterable[str]) -> Iterator[OutboxMail]:
    """The rows of the outbox that carry it."""
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    for address in addresses:
        yield OutboxMail(
            organization=digest.organization,
            digest=digest,
            recipient=address,
            message_id=f"<summary-{digest.pk}.{secrets.token_hex(8)}@{host}>",
        )


def why_not(mail: OutboxMail) -> str:
    """Why an address may not receive a statement or a summary now; empty when it may."""
    if mail.digest is not None and mail.digest.team_id is None:
        person = reader(mail.organization, mail.recipient)
        return _unwanted(mail.digest.kind, person.mails) if person else "The address may not see all costs any more."
    made = mail.statement or mail.digest
    team = made.team if made else None
    row = ReportRecipient.objects.filter(team=team, email__iexact=mail.recipient).first() if team else None
    if row is None:
        return "The address is no longer a recipient of the team."
    kind = mail.digest.kind if mail.digest else "statement"
    if unwanted := _unwanted(kind, row.kinds):
        return unwanted
    if outside(mail.organization, [mail.recipient]):
        return "The address is outside the domains to which mails of the organization may go."
    return ""


def _unwanted(kind: str, kinds: Collection[str]) -> str:
    return "" if kind in kinds else "The address has unsubscribed, or wants other mails."
