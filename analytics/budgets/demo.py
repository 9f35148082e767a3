"""Budgets of the demo, as its people would have made them: one nearly used up, one with room, one of tokens."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from analytics.budgets.periods import span_at
from analytics.budgets.standing import standing
from analytics.models import Budget, BudgetAmount, ChangedSpend
from ingestion.models import LLMModel
from metricsportal.lib.money import PICO_PER_USD
from teams.models import Membership, Organization, Team
from teams.roles import OrganizationRole

_LEAST: Final = Decimal(10)


def budget(organization: Organization, since: datetime, now: datetime) -> int:
    """Make them, in force since then; a second time changes nothing. Returns their number."""
    if Budget.objects.filter(organization=organization).exists():
        return 0
    team = Team.objects.filter(organization=organization).order_by("name").first()
    model = LLMModel.objects.filter(organization=organization).order_by("name").first()
    made = [_made(organization, since, now, share=Decimal("0.79"), name="All teams")]
    if team is not None:
        made.append(_made(organization, since, now, share=Decimal("0.45"), name=f"Team {team.name}", team=team))
    if model is not None:
        of = {"dimension": "model", "value": model.name, "unit": "tokens", "every": "week"}
        made.append(_made(organization, since, now, share=Decimal("0.60"), name=f"Tokens of {model.name}", **of))
    ChangedSpend.objects.create(organization=organization, hour_start=now)
    return len(made)


def _made(organization: Organization, since: datetime, now: datetime, *, share: Decimal, **fields: Any) -> Budget:
    """Of which that share is used now."""
    made = Budget(
        organization=organization, amount=Decimal(1), created_at=since, recipients=_owners(organization), **fields
    )
    used = Decimal(standing(made, span_at(made.every, now, organization.zone), now).used)
    amount = used / share / (PICO_PER_USD if made.unit == Budget.Unit.USD else 1)
    made.amount = max(_LEAST, _round(amount))
    made.save()
    BudgetAmount.objects.create(budget=made, amount=made.amount, set_at=since)
    return made


def _round(amount: Decimal) -> Decimal:
    """Two digits and zeros, as people choose amounts."""
    return Decimal(f"{amount:.1e}").quantize(Decimal("0.01")) if amount else Decimal(0)


def _owners(organization: Organization) -> list[str]:
    found = Membership.objects.filter(organization=organization, role=OrganizationRole.OWNER)
    return list(found.values_list("user__email", flat=True)[:1])
