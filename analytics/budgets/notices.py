"""Telling something once: the notice, its mails and its call to a webhook, in one transaction."""

import secrets
import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from analytics.budgets import anomaly_watches
from analytics.budgets.reading import may_receive
from analytics.models import Budget, Notice, OutboxMail, WebhookCall
from teams.models import Organization, Team


def tell(
    *,
    organization: Organization,
    team: Team | None,
    budget: Budget | None,
    starts_on: date,
    threshold: int | None,
    document: dict[str, Any],
    recipients: Iterable[str],
    now: datetime,
) -> Notice:
    """A new notice with everything that carries it. The caller holds the lock under which it asked whether it is new.

    Raises IntegrityError for one that was told already.
    """
    with transaction.atomic():
        notice = Notice.objects.create(
            organization=organization,
            team=team,
            budget=budget,
            starts_on=starts_on,
            threshold=threshold,
            at=now,
            document=document,
        )
        OutboxMail.objects.bulk_create(_mail(notice, one) for one in dict.fromkeys(map(str.lower, recipients)))
        if budget is not None and budget.webhook and document:
            WebhookCall.objects.create(notice=notice, key=uuid.uuid4())
    return notice


def _mail(notice: Notice, recipient: str) -> OutboxMail:
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    message_id = f"<notice-{notice.pk}.{secrets.token_hex(8)}@{host}>"
    return OutboxMail(organization=notice.organization, notice=notice, recipient=recipient, message_id=message_id)


def why_not(notice: Notice, recipient: str) -> str:
    """Why the address may not be told now; empty when it may. Asked again before every mail."""
    if notice.budget is None:
        if recipient not in anomaly_watches.recipients(notice.organization, notice.team):
            return "The address is no longer told of days that stand out."
        return ""
    if recipient not in map(str.lower, notice.budget.recipients):
        return "The address is no longer a recipient of the budget."
    if not may_receive(notice.organization, notice.budget.team, recipient):
        return "The address may not see what the budget is about."
    return ""
