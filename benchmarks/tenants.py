"""The organizations that are measured: the same company twice, with little and with much traffic."""

import argparse
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from benchmarks.web import Portal
from ingestion.models import LLMRequest
from ingestion.traffic import COMPANIES, Calendar, plan
from ingestion.traffic.company import settle
from metricsportal.lib import localtime
from teams.models import Organization, Team, TeamMembership, User
from teams.roles import OrganizationRole, TeamRole
from teams.services import add_member
from teams.services.bootstrap import bootstrap

ZONE = "Europe/Berlin"
_ADMIN = "bench@example.com"
_VIEWER = "bench-viewer@example.com"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organization with the plan of its traffic and the headers of its keys."""

    organization: Organization
    calendar: Calendar
    requests: int
    reader: dict[str, str] = field(repr=False)
    sender: dict[str, str] = field(repr=False)

    @property
    def slug(self) -> str:
        """Its name in addresses."""
        return self.organization.slug


def found(slug: str, requests: int, chosen: argparse.Namespace) -> Tenant:
    """An organization with the company's teams, accounts, callers and prices, and no traffic yet."""
    made = bootstrap(slug=slug, name=slug.title(), zone=ZONE, email=_ADMIN, password=None, now=timezone.now())
    calendar = calendar_of(made.organization, requests, chosen)
    settle(made.organization, calendar)
    reader, sender = ({"Authorization": f"Bearer {made.keys[name]}"} for name in ("read_key", "ingest_key"))
    return Tenant(made.organization, calendar, requests, reader, sender)


def calendar_of(organization: Organization, requests: int, chosen: argparse.Namespace) -> Calendar:
    """The plan of its traffic. It ends now, so that the ranges of the pages hold it."""
    return plan(
        requests=requests,
        days=chosen.days,
        end=datetime.now(UTC).replace(second=0, microsecond=0),
        zone=localtime.zone(organization.zone),
        seed=chosen.seed,
        company=COMPANIES[chosen.company],
    )


def let_in(portal: Portal, tenants: list[Tenant]) -> str:
    """Sign in the administrator, and a viewer of the team with the most traffic; returns the team's name."""
    largest = tenants[-1].organization
    busiest = LLMRequest.objects.filter(organization=largest, team__isnull=False).values_list("team__name")
    name: str = busiest.annotate(count=Count("pk")).order_by("-count")[0][0]
    for tenant in tenants:
        membership = add_member(
            actor=None, organization=tenant.organization, email=_VIEWER, role=OrganizationRole.MEMBER
        )
        team = Team.objects.get(organization=tenant.organization, name=name)
        TeamMembership.objects.create(team=team, user=membership.user, role=TeamRole.VIEWER)
    portal.browser["Cookie"] = _cookie(_ADMIN)
    portal.viewer["Cookie"] = _cookie(_VIEWER)
    return name


def _cookie(email: str) -> str:
    client = Client()
    client.force_login(User.objects.get(email=email))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    return f"{cookie.key}={cookie.value}"
