"""Calls to webhooks: claim, send outside any transaction, note what became of it; tried until somebody takes it.

Unlike a mail a call may be repeated: its Idempotency-Key says that it is the same one.
"""

import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from analytics.budgets.webhooks.addresses import WebhookRefusedError, check_address, reach, refused
from analytics.budgets.webhooks.signing import body_of, secret_of, signature
from analytics.models import WebhookCall
from metricsportal.lib import border
from metricsportal.lib.addresses import RefusedError
from metricsportal.lib.outbound import DEADLINE_SECONDS, exchange
from metricsportal.lib.wording import one_line

State = WebhookCall.State
LEASE: Final = timedelta(minutes=2)
MOST_TRIES: Final = 16
_FIRST_DELAY: Final = timedelta(minutes=1)
_LONGEST_DELAY: Final = timedelta(hours=6)
_PASS: Final = timedelta(minutes=5)


def send_due(now: datetime, *, deadline: float = DEADLINE_SECONDS) -> int:
    """Send what is due; the number of calls that were taken. Ends after five minutes."""
    started, taken, moment = time.monotonic(), 0, now
    while moment - now < _PASS:
        call = _claim(moment)
        if call is None:
            break
        with border.within(call.notice.organization_id):
            outcome = _send(call, moment, deadline)
        moment = now + timedelta(seconds=time.monotonic() - started)
        _note(call, outcome, moment)
        taken += not outcome
    return taken


def _claim(now: datetime) -> WebhookCall | None:
    """The next one that is due, or was being sent by a process that is gone; for this process alone."""
    due = Q(state=State.PENDING) & (Q(not_before__isnull=True) | Q(not_before__lte=now))
    with transaction.atomic():
        waiting = WebhookCall.objects.filter(due | Q(state=State.SENDING, lease_until__lt=now))
        call = waiting.order_by("id").select_for_update(skip_locked=True).first()
        if call is None:
            return None
        call.state, call.lease_until, call.tries = State.SENDING, now + LEASE, call.tries + 1
        call.save(update_fields=["state", "lease_until", "tries"])
    return call


def _send(call: WebhookCall, now: datetime, deadline: float) -> str:
    """Why it was not taken; empty when it was."""
    budget = call.notice.budget
    if budget is None or not budget.webhook:
        return "The budget has no webhook any more."
    body = body_of(call.notice)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "metrics-portal-webhook/1",
        "Idempotency-Key": str(call.key),
        # Of this try, not of the notice: listeners refuse what is old.
        "X-Portal-Signature": signature(secret_of(budget), now, body),
    }
    try:
        status = exchange("POST", check_address(budget.webhook), reach(), body, headers, deadline=deadline).status
    except WebhookRefusedError as error:
        return str(error)
    except RefusedError as error:
        return str(refused(error))
    except (OSError, ValueError) as error:
        return f"The webhook cannot be reached: {type(error).__name__}: {error}"
    if 200 <= status < 300:
        return ""
    why = " Redirects are not followed: enter the address that it leads to." if 300 <= status < 400 else ""
    return f"The webhook answered {status}.{why}"


def _note(call: WebhookCall, why_not: str, now: datetime) -> None:
    """Write down the outcome, unless the lease ran out and another process has the call."""
    fields: dict[str, Any] = {"lease_until": None, "error": one_line(why_not)[:500]}
    if not why_not:
        fields |= {"state": State.SENT, "sent_at": now}
    elif call.tries >= MOST_TRIES:
        fields |= {"state": State.FAILED}
    else:
        fields |= {"state": State.PENDING, "not_before": now + _delay(call.tries)}
    WebhookCall.objects.filter(pk=call.pk, lease_until=call.lease_until, state=State.SENDING).update(**fields)


def _delay(tries: int) -> timedelta:
    """Twice as long after each try, six hours at most: about two days in all."""
    return min(_FIRST_DELAY * (1 << min(tries - 1, 16)), _LONGEST_DELAY)
