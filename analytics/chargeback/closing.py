"""Closing a month: statements, their lines and their mails are frozen in one transaction, once."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction

from analytics import rollups
from analytics.catalog.dimensions import UNASSIGNED
from analytics.chargeback import months
from analytics.chargeback.adjustments import adjustments
from analytics.chargeback.document import Document, Earlier, Line, digest, from_json, to_json
from analytics.chargeback.months import ClosingRefusedError
from analytics.chargeback.usage import ByModel, StaleError, usage
from analytics.currency import rate_at
from analytics.models import OutboxMail, Period, Statement, StatementLine
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization, ReportRecipient, Team

logger = logging.getLogger(__name__)
_TRIES: Final = 4


def close(*, organization: Organization, month: date, now: datetime) -> Period:
    """Freeze the month of the organization; a month that is closed already is returned as it is.

    Rolls up first. Raises ClosingRefusedError for a month that is not over, or when records of it keep arriving so
    fast that no moment could be frozen.
    """
    closed = Period.objects.filter(organization=organization, month=month, closed_at__isnull=False).first()
    if closed:
        return closed
    months.require_over(organization, month, now)
    for attempt in range(1, _TRIES + 1):
        rollups.drain(organization.pk)
        try:
            with _exclusive():
                return _close(organization, month, now)
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


def _close(organization: Organization, month: date, now: datetime) -> Period:
    borders = months.borders(organization, month)
    fields = {"zone": organization.zone, "start": borders.start, "end": borders.end}
    period, _ = Period.objects.get_or_create(organization=organization, month=month, defaults=fields)
    if period.closed_at:
        return period
    for name, value in (fields | {"closed_at": now}).items():
        setattr(period, name, value)
    found = usage(organization, TimeRange(period.start, period.end), now)
    corrections = adjustments(organization, month, now)
    accounts = _accounts(organization, found.teams, corrections)
    for position, account in enumerate(accounts, start=1):
        _freeze(_document(period, account, position, found.price_book_version), account, period)
    period.save()
    return period


@dataclass(frozen=True, slots=True)
class _Account:
    """A team, or None for the remainder, with what belongs on its statement."""

    team: Team | None
    lines: tuple[Line, ...]
    adjustments: tuple[Line, ...]


def _accounts(
    organization: Organization, used: dict[int | None, ByModel], corrections: dict[int | None, list[Line]]
) -> list[_Account]:
    """Teams with something to state by name, the remainder last."""
    ids = {*used, *corrections}
    teams = Team.objects.filter(organization=organization, pk__in=[pk for pk in ids if pk is not None])
    ordered: list[Team | None] = [*teams.order_by("name", "pk"), *([None] if None in ids else [])]
    return [
        _Account(team, _lines(used.get(key, {})), tuple(corrections.get(key, ())))
        for team, key in ((team, team.pk if team else None) for team in ordered)
    ]


def _lines(models: ByModel) -> tuple[Line, ...]:
    """The most expensive model first."""
    ordered = sorted(models.items(), key=lambda one: (-one[1].cost, -one[1].requests, one[0]))
    return tuple(Line(model, amounts) for model, amounts in ordered)


def _document(period: Period, account: _Account, position: int, price_book_version: int) -> Document:
    organization = period.organization
    return Document(
        number=f"S{organization.pk}-{period.month:%Y%m}-{position:03d}",
        slug=organization.slug,
        organization=organization.name,
        team=account.team.name if account.team else UNASSIGNED,
        unassigned=account.team is None,
        month=period.month,
        zone=period.zone,
        start=period.start,
        end=period.end,
        issued_at=period.closed_at or period.end,
        price_book_version=price_book_version,
        lines=account.lines,
        adjustments=account.adjustments,
        previous=_previous(period, account.team),
        rate=rate_at(organization.pk, period.end),
    )


def _previous(period: Period, team: Team | None) -> Earlier | None:
    statements = Statement.objects.filter(period__organization=period.organization, team=team)
    found = statements.filter(period__month=months.preceding(period.month)).first()
    if found is None:
        return None
    document = from_json(found.document)
    return Earlier(found.number, document.month, document.used.cost, document.used.unpriced_requests)


def _freeze(document: Document, account: _Account, period: Period) -> Statement:
    """Store the document and everything that follows from it."""
    value, total = to_json(document), document.total
    statement = Statement.objects.create(
        period=period,
        team=account.team,
        team_name=document.team,
        number=document.number,
        requests=total.requests,
        failed=total.failed,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cost=total.cost,
        unpriced_requests=document.coverage[1],
        price_book_version=document.price_book_version,
        issued_at=document.issued_at,
        document=value,
        digest=digest(value),
    )
    StatementLine.objects.bulk_create(_rows(statement, document.all_lines))
    OutboxMail.objects.bulk_create(_mails(statement, account.team))
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
    addresses = ReportRecipient.objects.filter(team=team).order_by("email").values_list("email", flat=True)
    return [
        OutboxMail(
            statement=statement,
            recipient=address,
            message_id=f"<{statement.number}.{secrets.token_hex(8)}@{host}>",
        )
        for address in addresses
    ]
