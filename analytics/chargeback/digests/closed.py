"""That a month is closed, told to the finance people who want it: the sum of every team, and of all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from analytics.chargeback import months
from analytics.chargeback.digests.making import mails_to
from analytics.chargeback.document import Document, from_json
from analytics.chargeback.presentation import cost_text, shown, sum_of_charges
from analytics.chargeback.usage import Amounts
from analytics.models import Digest, OutboxMail, Period, Statement
from metricsportal.lib import formats
from metricsportal.lib.money import usd_text
from teams.services.finance_mails import Mail, readers

MOST_TEAMS: Final = 50


def announce(period: Period, statements: Sequence[Statement], now: datetime) -> None:
    """Freeze what the mail says, with its mails, in the transaction that closes the month; if anybody wants it."""
    people = readers(period.organization, Mail.CLOSED, now)
    if not people.exists():
        return
    digest = Digest.objects.create(
        organization=period.organization,
        kind=Digest.Kind.CLOSED,
        starts_on=period.month,
        at=now,
        document=document_of(period, [from_json(one.document) for one in statements]),
    )
    OutboxMail.objects.bulk_create(mails_to(digest, people.values_list("user__email", flat=True)))


def document_of(period: Period, documents: Sequence[Document]) -> dict[str, Any]:
    """All that the mail says: teams by what they are charged, their sum as *Statements* shows it."""
    organization, month = period.organization, months.name_of(period.month)
    ordered = sorted(documents, key=lambda one: (-one.charged, one.team, one.number))
    most, rest = ordered[:MOST_TEAMS], ordered[MOST_TEAMS:]
    rows = [_row(one) for one in most]
    if rest:
        requests = formats.exact(sum(one.total.requests for one in rest))
        name = f"{len(rest):,} more team{'s' if len(rest) > 1 else ''}"
        rows.append({"name": name, "number": "", "requests": requests, "cost": _sum(rest), "change": ""})
    unpriced = sum(one.coverage[1] for one in documents)
    return {
        "kind": Digest.Kind.CLOSED.value,
        "subject": f"{organization.name}: {month} is closed, {_sum(documents)}",
        "organization": organization.name,
        "month": month,
        "zone": period.zone,
        "cost": _sum(documents),
        "cost_usd": usd_text(sum(one.total.cost for one in documents)),
        "requests": formats.exact(sum(one.total.requests for one in documents)),
        "unpriced": f"{unpriced:,} request{'s have' if unpriced > 1 else ' has'} no price." if unpriced else "",
        "rows": rows,
        "path": reverse("statement-month", args=[organization.slug, f"{period.month:%Y-%m}"]),
    }


def _row(document: Document) -> dict[str, str]:
    view = shown(document, "")
    return {
        "name": document.team,
        "number": document.number,
        "requests": view.total.requests,
        "cost": view.total.cost,
        "change": view.change or "",
    }


def _sum(documents: Sequence[Document]) -> str:
    """Statements are charged as they are rounded, so their sum is that of what they say."""
    whole = Amounts(
        cost=sum(one.total.cost for one in documents), unpriced_requests=sum(one.coverage[1] for one in documents)
    )
    return cost_text(whole, sum_of_charges(one.charged for one in documents))
