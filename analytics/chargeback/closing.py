"""Closing a month: statements, their lines and their mails are frozen in one transaction, once."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction

from analytics import rollups
from analytics.chargeback import months
from analytics.chargeback.digests.closed import announce
from analytics.chargeback.document import Line, digest, to_json
from analytics.chargeback.drafting import Draft, drafts
from analytics.chargeback.metering import freeze_meters
from analytics.chargeback.months import ClosingRefusedError
from analytics.chargeback.usage import StaleError
from analytics.meters import freezing
from analytics.meters.freezing import Prepared
from analytics.models import OutboxMail, Period, Statement, StatementLine
from metricsportal.lib import border
from metricsportal.lib.money import usd_text
from teams.models import Organization, ReportRecipient, Team, User
from teams.services import audit

logger = logging.getLogger(__name__)
_TRIES: Final = 4


def close(*, organization: Organization, month: date, now: datetime, actor: User | None = None) -> Period:
    """Freeze the month of the organization; a month that is closed already is returned as it is.

    Rolls up first. `actor`: who closes by hand, for the audit log; None is the portal itself. Raises
    ClosingRefusedError for a month that is not over, whose figures are not those of its requests, or when records of it
    keep arriving so fast that no moment could be frozen.
    """
    closed = Period.objects.filter(organization=organization, month=month, closed_at__isnull=False).first()
    if closed:
        return closed
    months.require_over(organization, month, now)
    for attempt in range(1, _TRIES + 1):
        rollups.drain(organization.pk)
        try:
            meters = (
                None
                if attempt == _TRIES
                else freezing.prepare(organization, month, months.borders(organization, month), now)
            )
            with _exclusive():
                return _close(organization, month, now, actor, meters)
        except StaleError:
            logger.info("%s of %s changed while it was being closed, try %d", month, organization, attempt)
        except (OperationalError, IntegrityError):
            if attempt == _TRIES:
                raise
            logger.warning("closing %s of %s was interrupted, try %d", month, organization, attempt)
    raise ClosingRefusedError(
        f"Records of {months.name_of(month)} are arriving faster than they can be rolled up; try again later."
    )


def close_due(now: datetime) -> int:
    """Close every month of every organization whose grace is over; the number of months closed."""
    done = 0
    for organization in Organization.objects.order_by("pk"):
        try:
            for month in months.due(organization, now):
                with border.within(organization.pk):
                    close(organization=organization, month=month, now=now)
                done += 1
        except Exception:  # one organization's trouble must not keep the others from their statements
            logger.exception("closing the months of %s failed", organization)
    return done


@contextmanager
def _exclusive() -> Iterator[None]:
    """A transaction in which nobody else closes a month, with one view of the facts for all its statements.

    SQLite: its IMMEDIATE transaction is both. PostgreSQL: a table lock, not an advisory one, because the statement
    that takes an advisory lock also fixes the view, which would then be older than what the lock waited for.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                if outermost:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("LOCK TABLE analytics_period IN SHARE ROW EXCLUSIVE MODE")
        yield


def _close(
    organization: Organization, month: date, now: datetime, actor: User | None, meters: Prepared | None
) -> Period:
    borders = months.borders(organization, month)
    fields = {"zone": organization.zone, "start": borders.start, "end": borders.end}
    period, _ = Period.objects.get_or_create(organization=organization, month=month, defaults=fields)
    if period.closed_at:
        return period
    for name, value in (fields | {"closed_at": now}).items():
        setattr(period, name, value)
    drafted = drafts(period, now)
    period.sharing = [one.to_json() for one in drafted.sharing]
    freeze_meters(period, meters, [(one.team, one.document) for one in drafted.drafts], now)
    frozen = [_freeze(draft, period) for draft in drafted.drafts]
    period.save()
    announce(period, frozen, now)
    audit.record(
        organization=organization,
        actor=actor,
        action="month.close",
        target=months.name_of(month),
        statements=len(frozen),
        cost_usd=usd_text(sum(one.cost for one in frozen)),
        unpriced_requests=sum(one.unpriced_requests for one in frozen),
    )
    return period


def _freeze(draft: Draft, period: Period) -> Statement:
    """Store the document and everything that follows from it."""
    document = draft.document
    value, total = to_json(document), document.total
    statement = Statement.objects.create(
        period=period,
        team=draft.team,
        team_name=document.team,
        number=document.number,
        requests=total.requests,
        failed=total.failed,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cost=total.cost,
        shared=document.shared_cost,
        unpriced_requests=document.coverage[1],
        price_book_version=document.price_book_version,
        issued_at=document.issued_at,
        document=value,
        digest=digest(value),
    )
    StatementLine.objects.bulk_create(_rows(statement, document.all_lines))
    OutboxMail.objects.bulk_create(_mails(statement, draft.team))
    return statement


def _rows(statement: Statement, lines: Sequence[Line]) -> Iterator[StatementLine]:
    for position, line in enumerate(lines, start=1):
        yield StatementLine(
            statement=statement,
            position=position,
            adjusts=line.adjusts,
            model=line.model,
            requests=line.amounts.requests,
            failed=line.amounts.failed,
            input_tokens=line.amounts.input_tokens,
            output_tokens=line.amounts.output_tokens,
            cost=line.amounts.cost,
            unpriced_requests=line.amounts.unpriced_requests,
        )


def _mails(statement: Statement, team: Team | None) -> list[OutboxMail]:
    """One per address of the team; what belongs to no team is mailed to nobody."""
    if team is None:
        return []
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    chosen = ReportRecipient.objects.filter(team=team, monthly=True).order_by("email")
    return [
        OutboxMail(
            organization=statement.period.organization,
            statement=statement,
            recipient=one.email,
            attachment=one.attachment,
            message_id=f"<{statement.number}.{secrets.token_hex(8)}@{host}>",
        )
        for one in chosen
    ]
