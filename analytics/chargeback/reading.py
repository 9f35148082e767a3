"""Statements for people: who sees which, and in what words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from analytics.chargeback import months
from analytics.chargeback.document import Document, from_json
from analytics.chargeback.presentation import Shown, cost_text, shown, sum_of_charges
from analytics.chargeback.rounding import decimals_for, rounded_total
from analytics.chargeback.usage import Amounts
from analytics.models import OutboxMail, Period, Statement
from metricsportal.lib import formats
from teams.access import Reach, Scope
from teams.models import Organization
from teams.roles import Capability

Place = tuple[date, str]
"""Month and number of a statement: where a page of a list ends."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement in the list of a month."""

    number: str
    team: str
    requests: str
    cost: str
    mail: str


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the list: a closed one with the statements that may be seen, else what happens to it next.

    `text` is 2026-10, as in addresses.
    """

    text: str
    name: str
    state: months.State
    says: str
    entries: tuple[Entry, ...] = ()
    total: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """One statement, and for those who manage chargeback what became of its mails."""

    row: Statement
    document: Document
    view: Shown
    mails: tuple[tuple[str, str, str], ...]


def list_months(organization: Organization, scope: Scope, now: datetime) -> list[Month]:
    """Every month, the present one first. Raises PermissionDenied for scopes that see no team as a whole."""
    statements = _visible(organization, scope).select_related("period").prefetch_related("mails").defer("document")
    rows = statements.order_by("-period__month", "team_name", "pk")
    by_month = {month: tuple(group) for month, group in groupby(rows, key=lambda one: one.period.month)}
    closed = {one.month: one for one in Period.objects.filter(organization=organization, closed_at__isnull=False)}
    every = sorted({*closed, *months.months_of_traffic(organization, now)}, reverse=True)
    return [
        _closed(closed[month], by_month.get(month, ()), scope)
        if month in closed
        else _unfinished(organization, month, now)
        for month in every
    ]


def open_statement(organization: Organization, scope: Scope, number: str) -> Opened | None:
    """The statement of that number; None when there is none. Raises PermissionDenied when it is not theirs to see."""
    if scope.organization_id != organization.pk:
        raise PermissionDenied
    found = find(scope, number)
    if found is None:
        return None
    document = from_json(found.document)
    mails = _mails(found) if scope.allows(Capability.MANAGE_CHARGEBACK) else ()
    return Opened(found, document, shown(document, found.digest), mails)


def find(scope: Scope, number: str) -> Statement | None:
    """The row of that number; None when there is none. Raises PermissionDenied when it is not theirs to see."""
    mine = _seen(scope)
    found = Statement.objects.filter(period__organization=scope.organization_id, number=number).first()
    if found is not None and not mine.filter(pk=found.pk).exists():
        raise PermissionDenied
    return found


def issued(scope: Scope, month: date | None = None) -> QuerySet[Statement]:
    """Statements that the scope sees, of one month or all. Raises PermissionDenied where it sees no team as a whole."""
    found = _seen(scope).select_related("period")
    return found if month is None else found.filter(period__month=month)


def page(statements: QuerySet[Statement], limit: int, after: Place | None) -> tuple[list[Statement], bool]:
    """At most `limit` of them, newest month first, from behind a place on; whether there are more."""
    if after is not None:
        month, number = after
        behind = Q(period__month__lt=month) | Q(period__month=month, number__gt=number)
        statements = statements.filter(behind)
    found = list(statements.order_by("-period__month", "number")[: limit + 1])
    return found[:limit], len(found) > limit


def _visible(organization: Organization, scope: Scope) -> QuerySet[Statement]:
    if scope.organization_id != organization.pk:
        raise PermissionDenied
    return _seen(scope)


def _seen(scope: Scope) -> QuerySet[Statement]:
    statements = Statement.objects.filter(period__organization=scope.organization_id)
    if scope.reach is Reach.ORGANIZATION:
        return statements
    if scope.reach is Reach.TEAMS:
        return statements.filter(team_id__in=scope.team_ids)
    raise PermissionDenied


def _closed(period: Period, statements: Sequence[Statement], scope: Scope) -> Month:
    entries = tuple(_entry(one) for one in statements)
    whole = Amounts(
        cost=sum(one.cost for one in statements),
        unpriced_requests=sum(one.unpriced_requests for one in statements),
    )
    shared = sum(abs(one.shared) for one in statements)
    total = cost_text(whole, sum_of_charges(charged(one) for one in statements), shared)
    says = "" if entries else _nothing(scope)
    return Month(f"{period.month:%Y-%m}", months.name_of(period.month), months.State.CLOSED, says, entries, total)


def _entry(statement: Statement) -> Entry:
    amounts = Amounts(cost=statement.cost, unpriced_requests=statement.unpriced_requests)
    return Entry(
        statement.number,
        statement.team_name,
        formats.exact(statement.requests),
        cost_text(amounts, charged(statement), statement.shared),
        _mail_words([mail.state for mail in statement.mails.all()]),
    )


def charged(statement: Statement) -> Decimal:
    """The total in US dollars as the statement itself says it."""
    return rounded_total(statement.cost, decimals_for(statement.cost))


def _nothing(scope: Scope) -> str:
    whose = "" if scope.reach is Reach.ORGANIZATION else " of your teams"
    return f"There were no requests{whose} in this month."


def _unfinished(organization: Organization, month: date, now: datetime) -> Month:
    borders = months.borders(organization, month)
    when = months.closing_day(borders, organization)
    text, name = f"{month:%Y-%m}", months.name_of(month)
    if now < borders.end:
        return Month(text, name, months.State.OPEN, f"Still running. Statements are issued on {when}.")
    return Month(text, name, months.State.GRACE, f"Waiting for late records. Closes on {when}.")


def _mail_words(states: Sequence[str]) -> str:
    """2 sent, 1 failed."""
    counted = ((state.label.lower(), states.count(state.value)) for state in OutboxMail.State)
    return ", ".join(f"{count} {name}" for name, count in counted if count)


def _mails(statement: Statement) -> tuple[tuple[str, str, str], ...]:
    return tuple(_mail_rows(statement.mails.all()))


def _mail_rows(mails: QuerySet[OutboxMail]) -> Iterator[tuple[str, str, str]]:
    for mail in mails:
        yield mail.recipient, mail.get_state_display(), mail.error
