"""What the furnished world holds beside requests: budgets with what was told of them, and providers of sign-in."""

import uuid
from datetime import date
from typing import Any

from analytics.models import Budget, BudgetAmount, Notice, WebhookCall
from teams import sealing
from teams.models import IdentityProvider, Organization, ProviderDomain, Team, User
from teams.oidc import Document
from tests import make


def budget(organization: Organization, team: Team | None, person: User, mark: str) -> dict[str, Any]:
    """A budget of a team or of the whole organization, told once by mail and to a webhook."""
    made = Budget.objects.create(
        organization=organization,
        team=team,
        name=f"{mark} budget{'' if team else ' of all'}",
        amount="100.00",
        recipients=[person.email],
        webhook=f"https://hooks.example.com/{mark}".lower(),
        created_at=make.NOW,
        created_by=person,
    )
    BudgetAmount.objects.create(budget=made, amount="100.00", set_at=make.NOW, set_by=person)
    notice = Notice.objects.create(
        organization=organization,
        team=team,
        budget=made,
        starts_on=date(2026, 11, 1),
        threshold=50,
        at=make.NOW,
        document={"subject": f"{mark} notice"},
    )
    call = WebhookCall.objects.create(notice=notice, key=uuid.uuid4())
    return {"budget": made, "notice": notice, "call": call}


def provider(organization: Organization, number: int) -> IdentityProvider:
    """Another way in for people of one domain. Its address tells everybody who it is, so that it bears no mark."""
    made = IdentityProvider.objects.create(
        organization=organization,
        address=uuid.UUID(int=number),
        issuer=f"https://idp-{number}.example.com",
        client_id=f"client-{number}",
        sealed_secret=sealing.seal("secret"),
    )
    ProviderDomain.objects.create(provider=made, domain=f"people-{number}.example.com")
    return made


def discovered(issuer: str) -> Document:
    """What a provider says of itself, without asking it."""
    return Document(issuer, f"{issuer}/authorize", f"{issuer}/token", f"{issuer}/keys", "", False, False)
