"""What would show beside acme's where a condition on the organization is missing, and no name of it would tell.

The other organization is older, was told of first, uses names that acme uses, and chose otherwise wherever there is a
choice. And acme's owner belongs to a third organization, where acme's administrator is the owner.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings

from analytics import rollups
from analytics.chargeback.recipients import MOST_TESTS
from analytics.exports.jobs import acts as jobs
from analytics.models import (
    Annotation,
    AnomalyWatch,
    Budget,
    BudgetAmount,
    ChangedDay,
    DefaultView,
    ExportJob,
    Period,
    SavedView,
    SharingRule,
    StatementLine,
    VerificationRun,
)
from ingestion.models import AttributeRule, ChangedHour, MetadataKey, Watermark
from teams.models import Organization, Team, User
from teams.services import audit
from tests import make
from tests.access import extras

THIRD: Final = "Platypus"
"""In every text of the third organization, which nobody is shown on pages of acme."""
SHARED: Final = "Search"
"""A team of acme, and one of the other organization."""
KEY: Final = "desks-of-everybody"
"""A metadata key of all requests, which the other organization groups by."""
THEIRS: Final = "only there"
"""A model, a caller, a team and an account of the other organization."""
THEIRS_TOO: Final = "only there too"
"""And a virtual model: it has another name than its model."""
HOSTING: Final = "hosting"
_NAMED: Final = ("model", "user", "team", "virtual_account")
_SPENT: Final = datetime(2026, 10, 15, 12, tzinfo=UTC)
_EARLIER: Final = datetime(2026, 8, 15, 12, tzinfo=UTC)
# November in acme's zone, October in the other's: which month it is in follows from the borders of the last closed one.
_AT_THE_BORDER: Final = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


def precede(acme: Organization, rival: Organization, things: dict[str, Any], mark: str) -> None:
    """Before months are closed: earlier requests, the same names."""
    team = make.team(rival, SHARED)
    make.request(rival, request_id="earlier", started_at=_EARLIER, team=team.name, model=extras.model_of(mark))
    make.request(rival, request_id="dearer", started_at=_SPENT, team=SHARED, reported_cost_usd=Decimal(11))
    for organization, at, usd in ((rival, _SPENT, 13), (acme, make.NOW - timedelta(hours=3), 17)):
        make.request(organization, request_id="nobodys", started_at=at, reported_cost_usd=Decimal(usd))
    make.request(rival, request_id="nameless", started_at=make.NOW - timedelta(hours=2), model=None)
    make.request(rival, request_id="spent", started_at=make.NOW - timedelta(hours=2), reported_cost_usd=Decimal(19))
    names: dict[str, Any] = dict.fromkeys(_NAMED, THEIRS) | {"virtual_model": THEIRS_TOO}
    make.request(rival, request_id="named", started_at=_SPENT, **names)
    make.request(acme, request_id="paid", started_at=_SPENT, team=SHARED, reported_cost_usd=Decimal(7))
    make.request(acme, request_id="border", started_at=_AT_THE_BORDER, team=SHARED, reported_cost_usd=Decimal(5))
    for organization, since in ((acme, timedelta()), (rival, timedelta(days=1))):
        since_when = make.LONG_AGO + since
        make.adjustment(organization, "markup", "3", model_match="shared-model", effective_from=since_when)
    make.price(f"{mark}-old", "input", "9", organization=rival, effective_from=make.LONG_AGO - timedelta(days=400))
    make.price("shared-model", "input", "2", organization=acme)
    make.price("shared-model", "input", "8", organization=rival, effective_from=make.LONG_AGO + timedelta(days=1))
    make.price(f"{mark}-dear", "input", "9", organization=rival, effective_from=make.NOW - timedelta(days=2))
    _share(acme, rival)
    _use_up(rival, things, mark)
    AttributeRule.objects.create(organization=rival, attribute=extras.COLUMN, target="team")
    Annotation.objects.create(organization=rival, kind="deploy", at=make.NOW, text=f"{mark} note of all")
    DefaultView.objects.create(organization=rival, view=things["board"])
    AnomalyWatch.objects.create(organization=rival, enabled=False, minimum=5)


def _share(acme: Organization, rival: Organization) -> None:
    """What belongs to no team is shared from October on, and what an account of acme costs."""
    hosting = make.virtual_account(acme, HOSTING, team=Team.objects.get(organization=acme, name=SHARED))
    make.virtual_account(rival, HOSTING)
    make.request(acme, request_id="hosted", started_at=_SPENT, virtual_account=HOSTING, reported_cost_usd=Decimal(4))
    for organization, account, month in ((acme, hosting, 10), (acme, None, 10), (rival, None, 10), (rival, None, 12)):
        SharingRule.objects.create(
            organization=organization, account=account, method="even", since=date(2026, month, 1), created_at=make.NOW
        )


def _use_up(rival: Organization, things: dict[str, Any], mark: str) -> None:
    """As many of everything that is limited as an organization may have; and a budget that is used up."""
    budget = extras.budget(rival, None, things["user"], f"{mark} little")["budget"]
    BudgetAmount.objects.filter(budget=budget).update(amount=1)
    Budget.objects.filter(pk=budget.pk).update(amount=1)
    waiting = [extras.export(rival, things["user"], things["team"], mark).pk for _ in range(jobs.MOST)]
    ExportJob.objects.filter(pk__in=waiting).update(state="queued")
    for number in range(settings.METADATA_KEYS_MAX):
        seen = {"first_seen": make.LONG_AGO, "last_seen": make.LONG_AGO}
        MetadataKey.objects.get_or_create(organization=rival, name=f"{mark}-{number}", defaults=seen)
    MetadataKey.objects.filter(organization=rival).update(registered=True)
    MetadataKey.objects.filter(name=KEY).exclude(organization=rival).update(registered=False)


def follow(acme: Organization, rival: Organization, board: SavedView) -> None:
    """After months are closed: what is kept, what is pending, what was verified."""
    DefaultView.objects.create(organization=acme, view=board)
    moved = {acme: datetime(2026, 8, 31, 22, tzinfo=UTC), rival: datetime(2026, 10, 16, tzinfo=UTC)}
    for organization, before in moved.items():
        for subject in Watermark.Subject:
            Watermark.objects.create(organization=organization, subject=subject, before=before, removed=1)
    for month, days in ((11, 0), (12, 2)):
        first, last = (datetime(2026, month, 1 + days, tzinfo=UTC) + timedelta(days=many) for many in (0, 29))
        Period.objects.create(
            organization=rival, month=date(2026, month, 1), zone=rival.zone, start=first, end=last, closed_at=make.NOW
        )
    line = StatementLine.objects.filter(statement__period__organization=rival).latest("pk")
    line.pk, line.position, line.adjusts, line.cost = None, 99, date(2026, 10, 1), 7 * 10**12
    line.save(force_insert=True)
    make.request(acme, request_id="late", started_at=_SPENT, team=SHARED, reported_cost_usd=Decimal(3))
    rollups.drain()
    VerificationRun.objects.create(
        organization=rival, started_at=make.NOW, finished_at=make.NOW, cells=1, differences=0
    )
    ChangedHour.objects.create(organization=rival, hour_start=datetime(2026, 10, 15, 12, tzinfo=UTC))
    ChangedDay.objects.create(organization=rival, day_start=datetime(2026, 10, 14, 22, tzinfo=UTC))


def third(acme: Organization, people: dict[str, User]) -> dict[str, Any]:
    """An organization of two of acme's people, with a role that they have not in acme. Yields what names the second."""
    made = make.organization("yard", name="Yard")  # its name comes after acme's: acme is what they open
    for who, role in (("owner", "member"), ("admin", "owner")):
        made.memberships.create(user=people[who], role=role, closings=True)
    acme.memberships.get(user=people["owner"]).delete()
    acme.memberships.create(user=people["owner"], role="owner")  # came back: the other membership is the older one
    team = make.team(made, f"{THIRD} team")
    for who in ("owner", "admin"):
        team.memberships.create(user=people[who], role="viewer")
    provider = extras.provider(made, 20)
    provider.identities.create(user=people["admin"], subject="admin")
    SavedView.objects.create(
        organization=made, owner=people["owner"], name=f"{THIRD} view", kind="dashboard", content={"by": "user"}
    )
    extras.export(made, people["owner"], team, THIRD)
    for _ in range(MOST_TESTS):
        audit.record(organization=made, actor=people["owner"], action="mail.test", target=team)
    return {"member": acme.memberships.get(user=people["admin"])}
