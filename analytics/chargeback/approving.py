"""Closing a month by a person's word, before its grace is over."""

from datetime import date, datetime

from analytics.chargeback import months, review
from analytics.chargeback.closing import close
from analytics.chargeback.months import ClosingRefusedError
from analytics.models import Period
from metricsportal.lib import formats
from teams.models import Organization, User
from teams.roles import Capability
from teams.services import audit, rules


def approve(*, actor: User, organization: Organization, month: date, now: datetime, unpriced_too: bool) -> Period:
    """Close the month; `unpriced_too`: the person has been told of requests without a price and closes all the same.

    Raises PermissionDenied without the right to manage chargeback, ClosingRefusedError with a sentence for a month
    that is closed already, has not ended, or has requests without a price that nobody has confirmed. A refused right
    is kept in the audit log; nothing is changed then.
    """
    name = months.name_of(month)
    with audit.refusals(organization=organization, actor=actor, action="month.close", target=name):
        rules.require(actor, organization, Capability.MANAGE_CHARGEBACK)
    if Period.objects.filter(organization=organization, month=month, closed_at__isnull=False).exists():
        raise ClosingRefusedError(f"{name} is closed already. What changes of it is charged by a later statement.")
    months.require_over(organization, month, now)
    unpriced = review.unpriced_requests(organization, month, now)
    if unpriced and not unpriced_too:
        one = unpriced == 1
        count = "1 request" if one else f"{formats.exact(unpriced)} requests"
        raise ClosingRefusedError(
            f"{count} of {name} {'has' if one else 'have'} no price and would be charged nothing. "
            "Price them first, or tick the box to close the month without them."
        )
    return close(organization=organization, month=month, now=now, actor=actor)
