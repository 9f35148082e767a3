"""Mails about the whole organization: what they would look like, a test of them to oneself."""

from datetime import datetime

from django.core.mail import EmailMultiAlternatives

from analytics.chargeback.delivery import Delivery, deliver
from analytics.chargeback.digests.closed import document_of
from analytics.chargeback.digests.due import EVERY, finished
from analytics.chargeback.digests.summary import summary
from analytics.chargeback.document import from_json
from analytics.chargeback.mail import of_digest
from analytics.chargeback.recipients import NoPreviewError, count_test
from analytics.models import Period
from analytics.query.values import RefusedQueryError
from teams.models import Organization, User
from teams.roles import Capability
from teams.services.finance_mails import Mail
from teams.services.rules import require


def preview(
    organization: Organization, kind: str, recipient: str, now: datetime, note: str = ""
) -> EmailMultiAlternatives:
    """The mail as it would be made now. Raises NoPreviewError. Nothing is stored."""
    if kind in EVERY:
        span = finished(kind, organization.zone, now)
        try:
            return of_digest(summary(organization, kind, span, now), recipient, "", note)
        except RefusedQueryError as error:
            raise NoPreviewError(f"This summary cannot be made: {error}") from None
    if kind != Mail.CLOSED:
        raise NoPreviewError("There is no such mail.")
    closed = Period.objects.filter(organization=organization, closed_at__isnull=False).order_by("-month").first()
    if closed is None:
        raise NoPreviewError("No month is closed yet.")
    documents = closed.statements.order_by("number").values_list("document", flat=True)
    return of_digest(document_of(closed, [from_json(one) for one in documents]), recipient, "", note)


def send_test(*, actor: User, organization: Organization, kind: str, now: datetime) -> Delivery:
    """Send the mail to the person who asks, marked as a test. No row of the outbox: it counts as nothing.

    Raises PermissionDenied, NoPreviewError, and ValidationError when it was asked too often.
    """
    require(actor, organization, Capability.MANAGE_CHARGEBACK)
    note = f"This is a test that {actor.email} asked for. It was sent to nobody else."
    message = preview(organization, kind, actor.email, now, note)
    message.subject = f"[Test] {message.subject}"
    count_test(actor, organization, kind, organization, now)
    return deliver(message)
