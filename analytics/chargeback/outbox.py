"""The outbox: claim, send outside any transaction, note what became of it. What may have arrived is not repeated.

A crash before the claim is committed leaves the mail pending; a crash after it leaves a lease that runs out, and the
mail becomes uncertain. In between lies the mail server, about which nothing is assumed.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from analytics.budgets import notices
from analytics.chargeback.delivery import Delivery, Fate, deliver
from analytics.chargeback.digests import making
from analytics.chargeback.mail import message_of
from analytics.models import OutboxMail
from metricsportal.lib import border
from metricsportal.lib.wording import one_line
from teams.models import User
from teams.roles import Capability
from teams.services import audit, rules
from teams.services.recipients import is_address

logger = logging.getLogger(__name__)
State = OutboxMail.State

LEASE: Final = timedelta(minutes=15)
"""Longer than the slowest exchange with a mail server that answers each step just in time."""
MOST_TRIES: Final = 24
_FIRST_DELAY: Final = timedelta(minutes=5)
_LONGEST_DELAY: Final = timedelta(hours=6)
_PASS: Final = timedelta(minutes=10)
AGAIN: Final = (State.FAILED, State.UNCERTAIN)
"""States from which an administrator may send again."""


def send_due(now: datetime) -> int:
    """Send what is pending and due; the number of messages that a mail server accepted. Ends after ten minutes."""
    started = time.monotonic()
    _expire(now)
    accepted, moment = 0, now
    while moment - now < _PASS:
        mail = _claim(moment)
        if mail is None:
            break
        with border.within(mail.organization_id):
            fate = _send(mail)
        moment = now + timedelta(seconds=time.monotonic() - started)
        _note(mail, fate, moment)
        accepted += fate.fate is Fate.SENT
    return accepted


def send_again(*, actor: User | None, mail: OutboxMail, now: datetime) -> bool:
    """Put a failed or uncertain mail back, on a person's word; False when it is in another state by now.

    Raises PermissionDenied without the right to manage chargeback.
    """
    organization = mail.organization
    rules.require(actor, organization, Capability.MANAGE_CHARGEBACK)
    with transaction.atomic():
        rows = OutboxMail.objects.filter(pk=mail.pk, state__in=AGAIN)
        fresh: dict[str, Any] = {"state": State.PENDING, "tries": 0, "not_before": now}
        if not rows.update(**fresh, lease_until=None, error=""):
            return False
        audit.record(
            organization=organization, actor=actor, action="outboxmail.send_again", target=mail, before=mail.state
        )
    return True


def _expire(now: datetime) -> None:
    """What was being sent by a process that is gone may have arrived."""
    left = OutboxMail.objects.filter(state=State.SENDING, lease_until__lt=now)
    left.update(state=State.UNCERTAIN, error="The process that sent it stopped before noting how.")


def _claim(now: datetime) -> OutboxMail | None:
    """Take the next mail that is due, for this process alone; committed before anything is sent."""
    with transaction.atomic():
        due = OutboxMail.objects.filter(Q(not_before__isnull=True) | Q(not_before__lte=now), state=State.PENDING)
        mail = due.order_by("id").select_for_update(skip_locked=True).first()
        if mail is None:
            return None
        mail.state, mail.lease_until, mail.tries = State.SENDING, now + LEASE, mail.tries + 1
        mail.save(update_fields=["state", "lease_until", "tries"])
    return mail


def _send(mail: OutboxMail) -> Delivery:
    refusal = _why_not(mail)
    if refusal:
        return Delivery(Fate.REFUSED, refusal)
    try:
        message = message_of(mail)
        message.message()  # what cannot be written shows here, before anything is handed over
    except Exception as error:  # one message's trouble must not keep the others from being sent
        logger.exception("the message %s cannot be made", mail.message_id)
        return Delivery(Fate.LATER, f"The message cannot be made: {type(error).__name__}: {error}")
    return deliver(message)


def _why_not(mail: OutboxMail) -> str:
    """Why the address may not receive the message now; empty when it may."""
    try:
        validate_email(mail.recipient)
    except ValidationError:
        return "This is not an e-mail address."
    if not is_address(mail.recipient):
        return "This is not a plain e-mail address."
    return notices.why_not(mail.notice, mail.recipient) if mail.notice else making.why_not(mail)


def _note(mail: OutboxMail, delivery: Delivery, now: datetime) -> None:
    """Write down the outcome, unless the lease ran out and an administrator has meanwhile sent the mail again."""
    states = (State.SENDING, State.UNCERTAIN)
    mine = OutboxMail.objects.filter(pk=mail.pk, lease_until=mail.lease_until, state__in=states)
    fields: dict[str, Any] = {"lease_until": None, "error": one_line(delivery.reason)[:500]}
    mine.update(**fields | _outcome(mail, delivery, now))


def _outcome(mail: OutboxMail, delivery: Delivery, now: datetime) -> dict[str, Any]:
    match delivery.fate:
        case Fate.SENT:
            return {"state": State.SENT, "sent_at": now}
        case Fate.REFUSED:
            return {"state": State.FAILED}
        case Fate.UNCERTAIN:
            return {"state": State.UNCERTAIN}
        case Fate.LATER if mail.tries >= MOST_TRIES:
            return {"state": State.FAILED}
        case Fate.LATER:
            return {"state": State.PENDING, "not_before": now + _delay(mail.tries)}


def _delay(tries: int) -> timedelta:
    """Twice as long after each try, six hours at most: about five days in all."""
    return min(_FIRST_DELAY * (1 << min(tries - 1, 16)), _LONGEST_DELAY)
