"""Budgets and requests that use them up."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import Model

from analytics.budgets import alerts, writing
from analytics.models import Budget, ChangedSpend, Notice, OutboxMail
from ingestion.models import LLMRequest
from teams.access import scope_of_user
from teams.models import Membership, Organization, User
from tests import make

NOW: Final = make.NOW
"""Tuesday, 24 November 2026, 12:00 UTC."""


def at(day: int, hour: int = 10, month: int = 11) -> datetime:
    """An instant of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def spend(organization: Organization, usd: str | None, when: datetime = NOW, **fields: Any) -> LLMRequest:
    """A stored request with that cost; None: nobody knows its price."""
    cost = None if usd is None else Decimal(usd)
    made = make.request(organization, now=max(when, NOW), started_at=when, reported_cost_usd=cost, **fields)
    ChangedSpend.objects.create(organization=organization, hour_start=made.hour_start)  # as its rollup will
    return made


def somebody(organization: Organization) -> User:
    """An owner of the organization."""
    found = Membership.objects.filter(organization=organization, role="owner").first()
    return found.user if found else make.member(organization, "owner")


def budget(organization: Organization, amount: object = "100", *, now: datetime | None = None, **sent: Any) -> Budget:
    """A budget of the whole organization that tells its owner, without a forecast, unless told otherwise."""
    actor = somebody(organization)
    scope = scope_of_user(actor, organization)
    assert scope is not None
    defaults = {"name": f"Budget {next(make._numbers)}", "forecast": False, "recipients": [actor.email]}
    return writing.create(
        scope=scope, actor=actor, sent=defaults | {"amount": amount} | sent, now=now or at(1, month=10)
    )


def change(budget: Budget, *, now: datetime = NOW, **sent: Any) -> Budget:
    """Another amount, other thresholds, other people."""
    actor = somebody(budget.organization)
    scope = scope_of_user(actor, budget.organization)
    assert scope is not None
    return writing.change(scope=scope, actor=actor, budget=budget, sent=sent, now=now)


def look(now: datetime = NOW) -> int:
    """What the doorbell does."""
    return alerts.look_due(now)


def told(budget: Budget | None = None) -> list[tuple[str, int | None]]:
    """Every notice: first day of the period and threshold."""
    found = Notice.objects.filter(budget=budget) if budget else Notice.objects.all()
    return sorted((f"{one.starts_on}", one.threshold) for one in found)


def subjects() -> list[tuple[str, str]]:
    """Every mail in the outbox: to whom, and what about."""
    mails = OutboxMail.objects.select_related("notice").order_by("pk")
    return [(one.recipient, str(one.notice)) for one in mails]


def is_locked(model: type[Model], pk: int) -> bool:
    """Whether another connection would wait for the row."""

    def ask() -> bool:
        try:
            with transaction.atomic():
                model._default_manager.select_for_update(nowait=True).get(pk=pk)
        except OperationalError:
            return True
        finally:
            connection.close()
        return False

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()
