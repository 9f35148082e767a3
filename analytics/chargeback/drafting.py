"""What a month's statements say if it is closed now: one document per team with something to state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.catalog.dimensions import UNASSIGNED
from analytics.chargeback import months
from analytics.chargeback.adjustments import adjustments
from analytics.chargeback.document import Document, Earlier, Line, from_json
from analytics.chargeback.shared import SharedLine
from analytics.chargeback.sharing.making import share
from analytics.chargeback.sharing.rules import Sharing
from analytics.chargeback.usage import ByModel, usage
from analytics.currency import rate_at
from analytics.models import Period, Statement
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization, Team


@dataclass(frozen=True, slots=True)
class Draft:
    """A document and the team it is for; None for the remainder without a team."""

    team: Team | None
    document: Document


@dataclass(frozen=True, slots=True)
class Drafted:
    """All of a month: its drafts, and how its shared costs are split, to be kept with it."""

    drafts: list[Draft]
    sharing: tuple[Sharing, ...]


def drafts(period: Period, now: datetime) -> Drafted:
    """By name of the team, the remainder last. The period need not be stored. Raises StaleError."""
    organization = period.organization
    found = usage(organization, TimeRange(period.start, period.end), now)
    corrections = adjustments(organization, period.month, now)
    shared = share(period, now)
    accounts = _accounts(organization, found.teams, corrections, shared.lines)
    version = found.price_book_version
    made = [
        Draft(account.team, _document(period, account, position, version))
        for position, account in enumerate(accounts, start=1)
    ]
    return Drafted(made, shared.sharing)


@dataclass(frozen=True, slots=True)
class _Account:
    """A team, or None for the remainder, with what belongs on its statement."""

    team: Team | None
    lines: tuple[Line, ...]
    adjustments: tuple[Line, ...]
    shared: tuple[SharedLine, ...]


def _accounts(
    organization: Organization,
    used: dict[int | None, ByModel],
    corrections: dict[int | None, list[Line]],
    shared: Mapping[int | None, tuple[SharedLine, ...]],
) -> list[_Account]:
    """Teams with something to state by name, the remainder last."""
    ids = {*used, *corrections, *shared}
    teams = Team.objects.filter(organization=organization, pk__in=[pk for pk in ids if pk is not None])
    ordered: list[Team | None] = [*teams.order_by("name", "pk"), *([None] if None in ids else [])]
    return [
        _Account(team, _lines(used.get(key, {})), tuple(corrections.get(key, ())), shared.get(key, ()))
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
        shared=account.shared,
    )


def _previous(period: Period, team: Team | None) -> Earlier | None:
    statements = Statement.objects.filter(period__organization=period.organization, team=team)
    found = statements.filter(period__month=months.preceding(period.month)).first()
    if found is None:
        return None
    document = from_json(found.document)
    return Earlier(found.number, document.month, document.used.cost, document.used.unpriced_requests)
