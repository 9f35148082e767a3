"""What would show beside acme's where a condition on the organization is missing, and no name of it would tell.

The other organization is older, was told of first, uses names that acme uses, and chose otherwise wherever there is a
choice. And acme's owner belongs to a third organization, where acme's administrator is the owner.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from analytics import rollups
from analytics.models import (
    Annotation,
    AnomalyWatch,
    ChangedDay,
    DefaultView,
    Period,
    SavedView,
    StatementLine,
    VerificationRun,
)
from ingestion.models import AttributeRule, ChangedHour, Watermark
from teams.models import Organization, User
from tests import make
from tests.access import extras

THIRD: Final = "Platypus"
"""In every text of the third organization, which nobody is shown on pages of acme."""
SHARED: Final = "Search"
"""A team of acme, and one of the other organization."""
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
    make.request(acme, request_id="paid", started_at=_SPENT, team=SHARED, reported_cost_usd=Decimal(7))
    make.request(acme, request_id="border", started_at=_AT_THE_BORDER, team=SHARED, reported_cost_usd=Decimal(5))
    for organization, since in ((acme, timedelta()), (rival, timedelta(days=1))):
        since_when = make.LONG_AGO + since
        make.adjustment(organization, "markup", "3", model_match="shared-model", effective_from=since_when)
    make.price(f"{mark}-old", "input", "9", organization=rival, effective_from=make.LONG_AGO - timedelta(days=400))
    make.price("shared-model", "input", "2", organization=acme)
    make.price("shared-model", "input", "8", organization=rival, effective_from=make.LONG_AGO + timedelta(days=1))
    make.price(f"{mark}-dear", "input", "9", organization=rival, effective_from=make.NOW - timedelta(days=2))
    AttributeRule.objects.create(organization=rival, attribute=extras.COLUMN, target="team")
    Annotation.objects.create(organization=rival, kind="deploy", at=make.NOW, text=f"{mark} note of all")
    DefaultView.objects.create(organization=rival, view=things["board"])
    AnomalyWatch.objects.create(organization=rival, enabled=False, minimum=5)


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


def third(people: dict[str, User]) -> None:
    """An organization of two of acme's people, with a role that they have not in acme."""
    made = make.organization("yard", name="Yard")  # its name comes after acme's: acme is what they open
    for who, role in (("owner", "member"), ("admin", "owner")):
        made.memberships.create(user=people[who], role=role)
    team = make.team(made, f"{THIRD} team")
    team.memberships.create(user=people["owner"], role="viewer")
    SavedView.objects.create(
        organization=made, owner=people["owner"], name=f"{THIRD} view", kind="dashboard", content={"by": "user"}
    )
    extras.export(made, people["owner"], team, THIRD)
