"""What the furnished world holds beside requests: budgets, bills, files, and providers of sign-in."""

import hashlib
import json
import uuid
from datetime import date, timedelta
from typing import Any

from django.conf import settings

from analytics.models import (
    Budget,
    BudgetAmount,
    ExportJob,
    Notice,
    ProviderBill,
    SharingRule,
    SharingTarget,
    WebhookCall,
)
from ingestion.models import Upload
from ingestion.uploads import acts, files
from teams import sealing
from teams.models import IdentityProvider, Organization, ProviderDomain, Team, User, VirtualAccount
from teams.oidc import Document
from tests import make
from tests.access.asking import MARKUP

COLUMN = "metadata.desk"
"""Of uploaded files; a rule of the other organization reads something else from it."""


def model_of(mark: str) -> str:
    """The model of its requests."""
    return f"{mark}-model {MARKUP}"


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
        id=uuid.UUID(int=number),  # which is the first without a condition is no chance
        organization=organization,
        address=uuid.UUID(int=number),
        issuer=f"https://idp-{number}.example.com",
        client_id=f"client-{number}",
        sealed_secret=sealing.seal("secret"),
    )
    ProviderDomain.objects.create(provider=made, domain=f"people-{number}.example.com", proof="operator")
    return made


def discovered(issuer: str) -> Document:
    """What a provider says of itself, without asking it."""
    return Document(issuer, f"{issuer}/authorize", f"{issuer}/token", f"{issuer}/keys", "", False, False)


def bill(organization: Organization, mark: str) -> ProviderBill:
    """What a provider charged for a model, as somebody uploaded it."""
    return ProviderBill.objects.create(
        organization=organization,
        format="openai-costs",
        name=f"{mark} bill",
        first_day=date(2026, 10, 15),
        last_day=date(2026, 10, 15),
        lines=1,
        figures=[[date(2026, 10, 15).isoformat(), model_of(mark), "input", "", None, None, 10**12]],
        uploaded_at=make.NOW,
    )


def sharing(account: VirtualAccount, team: Team) -> SharingRule:
    """A rule by which what an account costs is shared, from a month that has not come yet."""
    made = SharingRule.objects.create(
        organization=team.organization, account=account, method="even", since=date(2027, 1, 1), created_at=make.NOW
    )
    SharingTarget.objects.create(rule=made, team=team)
    return made


def export(organization: Organization, person: User, team: Team, mark: str) -> ExportJob:
    """A file that is there, asked for by a member of the team."""
    job = ExportJob.objects.create(
        organization=organization,
        by=person,
        with_key=False,
        reach="teams",
        teams=[team.pk],
        caller=person.email,
        zone=organization.zone,
        subject="requests",
        question={},
        format="csv",
        name=f"{mark}.csv",
        created_at=make.NOW,
        queued_at=make.NOW,
        expires_at=make.NOW + timedelta(days=7),
        state="done",
    )
    folder = settings.EXPORT_DIR / job.pk.hex
    folder.mkdir(parents=True)
    content = f"{mark} line\n".encode()
    (folder / "file").write_bytes(content)
    (folder / "manifest.json").write_text(
        json.dumps({"sha256": hashlib.sha256(content).hexdigest(), "of": mark, "filters": []})
    )
    return job


def upload(organization: Organization, mark: str) -> Upload:
    """A file of requests that nobody has imported yet."""
    name, file = files.create()
    with file:
        file.write(f"request_id,started_at,model,{COLUMN}\nu-1,{make.NOW.isoformat()},{mark}-model,Search\n".encode())
    received = acts.Received(f"{mark}.csv", name, 100)
    return acts.receive(actor=None, organization=organization, file=received, choice=acts.Choice(), now=make.NOW)
