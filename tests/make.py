"""Makers of rows: plain functions with defaults, so that a test names only what it is about.

They write rows directly, past the rules of the services, which have their own tests; requests alone take the whole
way through ingest. Names count up; nothing else varies.
"""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from ingestion import services as ingestion
from ingestion.models import LLMRequest, PriceAdjustment, PriceEntry
from ingestion.records import RequestRecord
from teams import services
from teams.models import Membership, Organization, Team, TeamMembership, User, VirtualAccount

LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD: Final = "correct horse battery staple"

_numbers = itertools.count(1)


def organization(slug: str | None = None, *, name: str | None = None, zone: str = "UTC") -> Organization:
    """A tenant; its name follows from its slug."""
    slug = slug or f"organization-{next(_numbers)}"
    return Organization.objects.create(slug=slug, name=name or slug.replace("-", " ").title(), zone=zone)


def user(email: str | None = None, *, password: str = PASSWORD, is_superuser: bool = False) -> User:
    """A person who belongs to no organization."""
    email = email or f"person-{next(_numbers)}@example.com"
    return User.objects.create_user(email, password, is_superuser=is_superuser)


def member(organization: Organization, role: str = "member", *, email: str | None = None) -> User:
    """A person with that role in the organization; the e-mail follows from both."""
    person = user(email or f"{role}-{next(_numbers)}@{organization.slug}.example")
    Membership.objects.create(organization=organization, user=person, role=role)
    return person


def team(organization: Organization, name: str | None = None, *, claimed: bool = True) -> Team:
    """A team without anybody in it."""
    return Team.objects.create(organization=organization, name=name or f"team-{next(_numbers)}", claimed=claimed)


def team_member(team: Team, role: str = "viewer", *, email: str | None = None) -> User:
    """A member of the team's organization with that role in the team."""
    person = member(team.organization, email=email or f"{role}-{next(_numbers)}@{team.organization.slug}.example")
    TeamMembership.objects.create(team=team, user=person, role=role)
    return person


def virtual_account(organization: Organization, name: str | None = None, *, team: Team | None = None) -> VirtualAccount:
    """An application at the gateway."""
    name = name or f"account-{next(_numbers)}"
    return VirtualAccount.objects.create(organization=organization, name=name, team=team)


def key(
    organization: Organization,
    *scopes: str,
    owner: User | None = None,
    team: Team | None = None,
    expires_at: datetime | None = None,
) -> services.IssuedKey:
    """A key for those scopes (default read and export), owned by a new administrator unless told otherwise."""
    return services.issue_key(
        actor=None,
        organization=organization,
        owner=owner or member(organization, "admin"),
        name=f"key-{next(_numbers)}",
        scopes=scopes or ("read", "export"),
        team=team,
        expires_at=expires_at,
        now=timezone.now(),
    )


def bearer(issued: services.IssuedKey) -> dict[str, str]:
    """The header of a request with that key: `client.get(url, headers=make.bearer(key))`."""
    return {"Authorization": f"Bearer {issued.text}"}


def record(**fields: Any) -> RequestRecord:
    """A valid record: a streamed success of gpt-4o that started at NOW, unless told otherwise."""
    defaults: dict[str, Any] = {
        "request_id": f"request-{next(_numbers)}",
        "started_at": NOW,
        "model": "gpt-4o",
        "provider": "openai",
        "input_tokens": 1_000,
        "output_tokens": 100,
        "latency_ms": 2_000.0,
        "ttft_ms": 200.0,
        "streaming": True,
        "status_code": 200,
    }
    return RequestRecord(**(defaults | fields))


def request(organization: Organization, *, now: datetime = NOW, **fields: Any) -> LLMRequest:
    """A stored request, through the pipeline; user, team, virtual account and models are given by name."""
    sent = record(**fields)
    outcome = ingestion.ingest_records(
        organization=organization, records=[sent], source="test", now=now, past_days=None
    )
    assert outcome.accepted == 1, outcome
    return LLMRequest.objects.get(organization=organization, request_id=sent.request_id)


def price(model: str, token_class: str, usd: str | None, **fields: Any) -> PriceEntry:
    """An entry of the price book for every organization and all time, in USD per million tokens."""
    defaults: dict[str, Any] = {"effective_from": LONG_AGO}
    return PriceEntry.objects.create(
        model_match=model,
        token_class=token_class,
        price=None if usd is None else Decimal(usd),
        **(defaults | fields),
    )


def adjustment(organization: Organization, kind: str, percent: str | None, **fields: Any) -> PriceAdjustment:
    """A discount or markup for all requests of the organization and all time, in percent."""
    return PriceAdjustment.objects.create(
        organization=organization,
        kind=kind,
        percent=None if percent is None else Decimal(percent),
        **({"effective_from": LONG_AGO} | fields),
    )
