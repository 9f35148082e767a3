"""The invented company in an organization: its teams, applications, callers, prices and, when wanted, people."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from ingestion.models import GatewayUser, PriceEntry
from ingestion.traffic.assembly import MAIL_DOMAIN
from ingestion.traffic.calendar import Calendar
from ingestion.traffic.companies import SMALL, Company
from ingestion.traffic.targets import LONG_PROMPT
from teams.models import Organization, ReportRecipient, Team, TeamMembership, VirtualAccount
from teams.roles import OrganizationRole, TeamRole
from teams.services import add_member

_SOURCE: Final = "demo"


def settle(organization: Organization, calendar: Calendar) -> None:
    """Make what the traffic needs and the organization lacks; what is there already stays as it is."""
    with transaction.atomic():
        company = calendar.company
        teams = _teams(organization, company)
        _accounts(organization, company, teams)
        _callers(organization, company, teams)
        if not PriceEntry.objects.filter(Q(organization=organization) | Q(organization=None)).exists():
            PriceEntry.objects.bulk_create(_price_entries(organization, calendar))


def _teams(organization: Organization, company: Company) -> dict[str, Team]:
    """The teams by name; new ones with an address for their statement."""
    teams = {}
    for name in company.teams:
        teams[name], created = Team.objects.get_or_create(organization=organization, name=name)
        if created:
            address = f"{name.lower().replace(' ', '-')}@{MAIL_DOMAIN}"
            ReportRecipient.objects.create(team=teams[name], email=address)
    return teams


def _accounts(organization: Organization, company: Company, teams: Mapping[str, Team]) -> None:
    accounts = [
        VirtualAccount(organization=organization, name=source.account, team=teams[source.team])
        for source in company.sources
        if source.account and source.team
    ]
    VirtualAccount.objects.bulk_create(accounts, ignore_conflicts=True)


def _callers(organization: Organization, company: Company, teams: Mapping[str, Team]) -> None:
    callers = []
    for position, name in enumerate(company.users):
        place = company.team_of_user(position)
        team = None if place is None else teams[company.teams[place]]
        callers.append(GatewayUser(organization=organization, name=name, email=f"{name}@{MAIL_DOMAIN}", team=team))
    GatewayUser.objects.bulk_create(callers, ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Prices by model and class that hold from an instant on."""

    prices: Mapping[str, Mapping[str, str]]
    effective_from: datetime
    note: str
    tier: str = "standard"
    context_above: int = 0


def _price_entries(organization: Organization, calendar: Calendar) -> Iterator[PriceEntry]:
    company = calendar.company
    before = (calendar.period.start - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    providers = {model.name: model.provider for model in company.models}
    for sheet in (
        _Sheet(company.prices, before, "Demo price"),
        _Sheet(company.long_prompt_prices, before, "Demo price of long prompts", context_above=LONG_PROMPT),
        _Sheet(company.batch_prices, before, "Demo price of the batch tier", tier="batch"),
        _Sheet(company.changed_prices, calendar.price_change, "Demo price after a reduction"),
    ):
        for model, classes in sheet.prices.items():
            for token_class, price in classes.items():
                yield PriceEntry(
                    organization=organization,
                    source=_SOURCE,
                    provider=providers[model],
                    model_match=model,
                    token_class=token_class,
                    context_above=sheet.context_above,
                    service_tier=sheet.tier,
                    price=Decimal(price),
                    effective_from=sheet.effective_from,
                    note=sheet.note,
                )


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in to try what a role sees."""

    role: str
    email: str
    password: str = field(repr=False)


def introduce(organization: Organization, company: Company = SMALL) -> list[Person]:
    """One new person per role below administrator, with their passwords; who is a member already is left out."""
    team = company.teams[0]
    wanted = (
        ("finance", f"finance@{MAIL_DOMAIN}", OrganizationRole.FINANCE, None),
        (f"manager of {team}", f"manager@{MAIL_DOMAIN}", OrganizationRole.MEMBER, TeamRole.MANAGER),
        (f"viewer of {team}", f"viewer@{MAIL_DOMAIN}", OrganizationRole.MEMBER, TeamRole.VIEWER),
        ("member who sees own requests", f"{company.users[0]}@{MAIL_DOMAIN}", OrganizationRole.MEMBER, None),
    )
    people = []
    for label, email, role, team_role in wanted:
        password = secrets.token_urlsafe(12)
        try:
            membership = add_member(
                actor=None, organization=organization, email=email, role=role.value, password=password
            )
        except ValidationError:
            continue  # a member since an earlier run: the password is theirs
        if team_role:
            home = Team.objects.get(organization=organization, name=team)
            TeamMembership.objects.get_or_create(team=home, user=membership.user, defaults={"role": team_role.value})
        people.append(Person(label, email, password))
    return people
