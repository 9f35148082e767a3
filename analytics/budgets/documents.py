"""All that a notice of a budget says, in words and in figures: made once, sent as often as it takes."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from analytics.budgets import forecasting, subjects
from analytics.budgets.forecasting import Forecast
from analytics.budgets.periods import A
from analytics.budgets.standing import Standing, amount_words
from analytics.models import Budget, Notice
from metricsportal.lib.money import usd_text


def document_of(
    budget: Budget, found: Standing, rest: Forecast | None, *, now: datetime, threshold: int, passed: list[int]
) -> dict[str, Any]:
    """All that the notice says, in words and in figures: the same however often it is sent."""
    name, kind = budget.name, "forecast" if threshold == Notice.FORECAST else "threshold"
    about = f"{found.share_words} of {amount_words(found.unit, found.amount)}"
    subject = f"Budget {name}: {about} used"
    if kind == "forecast" and rest is not None and rest.crosses is not None:
        subject = f"Budget {name}: will be used up on {rest.crosses.day} {rest.crosses:%B}"
    return {
        "kind": kind,
        "subject": subject,
        "organization": budget.organization.slug,
        "organization_name": budget.organization.name,
        "budget": {"id": budget.pk, "name": name, "about": subjects.words(budget), "every": budget.every},
        "threshold": threshold or None,
        "passed": passed,
        "period": {"from": found.span.range.start.isoformat(), "to": found.span.range.end.isoformat()},
        "period_words": found.span.words,
        "zone": budget.organization.zone,
        "unit": found.unit,
        "amount": figure(found.unit, found.amount),
        "used": figure(found.unit, found.used),
        "at_least": found.at_least,
        "unpriced_requests": found.unpriced,
        "amount_words": f"{amount_words(found.unit, found.amount)} {A[budget.every]}",
        "used_words": found.used_words,
        "share_words": found.share_words,
        "unpriced_words": found.unpriced_words,
        "forecast": figure(found.unit, rest.total) if rest else None,
        "forecast_crosses_on": rest.crosses.isoformat() if rest and rest.crosses else None,
        "forecast_words": forecasting.words(rest, found),
        "told_at": now.isoformat(),
        "path": reverse("budgets", args=[budget.organization.slug]),
    }


def figure(unit: str, amount: int) -> str:
    """Dollars or tokens as a decimal text: exact, for programs."""
    return (usd_text(amount) or "0") if unit == Budget.Unit.USD else str(amount)
