"""What the pages of an organization's settings show: people, invitations, teams, keys, the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from teams.access import Scope, managed_teams
from teams.models import (
    ApiKey,
    AuditEntry,
    IdentityProvider,
    Invitation,
    Membership,
    Organization,
    Team,
    TeamMembership,
)
from teams.roles import Capability, TeamRole

PAGE_LENGTH: Final = 50
OFFERED: Final = 100
_EVERY_SECTION: Final = (
    *("settings-people", "settings-teams", "settings-callers", "settings-accounts", "settings-models"),
    *("settings-keys", "settings-sign-in", "settings-audit"),
)
"""Callers, accounts and models are pages of analytics, which knows how often each was used."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key as it stands now."""

    key: ApiKey
    state: str  # active, expired, revoked


def sections(scope: Scope) -> tuple[str, ...]:
    """URL names of the settings that the person of a scope may open; none for most people."""
    if scope.allows(Capability.MANAGE_PEOPLE):
        return _EVERY_SECTION
    of_teams = ("settings-teams",) if managed_teams(scope).exists() else ()
    return (*of_teams, "settings-models") if scope.allows(Capability.MANAGE_PRICES) else of_teams


def members(organization: Organization, search: str, page: str) -> Page[Membership]:
    """Who belongs to the organization, by e-mail; `search` is part of a name or an e-mail."""
    in_teams = TeamMembership.objects.filter(team__organization=organization).select_related("team")
    mine = Membership.objects.filter(organization=organization).select_related("user").order_by("user__email")
    factors = Authenticator.objects.filter(user=OuterRef("user")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    found: QuerySet[Any] = mine.annotate(has_factor=Exists(factors))
    if search:
        found = found.filter(Q(user__email__icontains=search) | Q(user__name__icontains=search))
    roles = Prefetch("user__team_memberships", queryset=in_teams.order_by("team__name"), to_attr="roles_here")
    return Paginator(found.prefetch_related(roles), PAGE_LENGTH).get_page(page)


def find_member(organization: Organization, number: int) -> Membership | None:
    """A membership of the organization by its id."""
    return (
        Membership.objects.filter(organization=organization, pk=number).select_related("user", "organization").first()
    )


def open_invitations(organization: Organization) -> QuerySet[Invitation]:
    """What was sent and neither accepted nor revoked; also what expired, to be sent again."""
    waiting = Invitation.objects.filter(organization=organization, accepted_at=None, revoked_at=None)
    return waiting.select_related("team", "invited_by").order_by("email")


def find_invitation(organization: Organization, number: int) -> Invitation | None:
    """An invitation into the organization by its id, whatever became of it."""
    return Invitation.objects.filter(organization=organization, pk=number).select_related("organization").first()


def managed(scope: Scope, search: str, page: str, *, unclaimed: bool = False) -> Page[Any]:
    """The teams that the person of a scope manages, by name, each with how many belong to it and manage it."""
    managers = Count("memberships", filter=Q(memberships__role=TeamRole.MANAGER))
    found = managed_teams(scope).annotate(people=Count("memberships"), managers=managers).order_by("name")
    found = found.filter(name__icontains=search) if search else found
    return Paginator(found.filter(claimed=False) if unclaimed else found, PAGE_LENGTH).get_page(page)


def teams_of(organization: Organization) -> QuerySet[Team]:
    """All teams of the organization, by name, without those that became another one."""
    return Team.objects.filter(organization=organization, merged_into=None).order_by("name")


def team_names(organization: Organization, without: Team) -> list[str]:
    """Names that a form suggests for another team, those last seen first; others can be typed."""
    found = teams_of(organization).exclude(pk=without.pk).order_by("-last_seen", "name")
    return list(found.values_list("name", flat=True)[:OFFERED])


def find_team(organization: Organization, number: int) -> Team | None:
    """A team of the organization by its id; none that became another one."""
    return (
        Team.objects.filter(organization=organization, pk=number, merged_into=None)
        .select_related("organization")
        .first()
    )


def team_members(team: Team) -> QuerySet[TeamMembership]:
    """Who belongs to a team, by e-mail."""
    return team.memberships.select_related("user").order_by("user__email")


def find_team_member(team: Team, number: int) -> TeamMembership | None:
    """Somebody's role in the team by its id."""
    return TeamMembership.objects.filter(team=team, pk=number).select_related("user", "team__organization").first()


def keys(organization: Organization, now: datetime) -> list[KeyLine]:
    """The keys of the organization: those that work first, then by name."""
    found = ApiKey.objects.filter(organization=organization).select_related("owner", "team").order_by("name", "pk")
    lines = [KeyLine(key, _state(key, now)) for key in found]
    return sorted(lines, key=lambda line: line.state != "active")


def find_key(organization: Organization, number: int) -> ApiKey | None:
    """A key of the organization by its id."""
    found = ApiKey.objects.filter(organization=organization, pk=number)
    return found.select_related("organization", "owner", "team").first()


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= now else "active"


def provider_of(organization: Organization) -> IdentityProvider | None:
    """Through whom people of the organization sign in."""
    return (
        IdentityProvider.objects.filter(organization=organization).prefetch_related("domains", "grants__team").first()
    )


def provider_words(provider: IdentityProvider | None) -> dict[str, object]:
    """What the form of a provider shows: everything but the secret."""
    if provider is None:
        return {}
    grants = [
        f"{grant.group}: {grant.role}{f' of {grant.team.name}' if grant.team else ''}"
        for grant in provider.grants.all()
    ]
    return {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "domains": "\n".join(one.domain for one in provider.domains.all()),
        "groups_claim": provider.groups_claim,
        "grants": "\n".join(grants),
        "vouches": provider.vouches,
    }


def audit_people(organization: Organization) -> list[str]:
    """E-mails of everybody who ever did something here."""
    entries = AuditEntry.objects.filter(organization=organization).exclude(actor=None).order_by("actor__email")
    return list(entries.values_list("actor__email", flat=True).distinct())


def audit_acts(organization: Organization) -> list[str]:
    """Names of everything that was ever done here."""
    entries = AuditEntry.objects.filter(organization=organization).order_by("action")
    return list(entries.values_list("action", flat=True).distinct())


def audit_entries(organization: Organization, person: str, act: str, page: str) -> Page[AuditEntry]:
    """Who did what, newest first; "" is everybody or everything, PORTAL the portal itself."""
    found = AuditEntry.objects.filter(organization=organization).select_related("actor").order_by("-at", "-pk")
    if person:
        found = found.filter(actor=None) if person == PORTAL else found.filter(actor__email=person)
    if act:
        found = found.filter(action=act)
    return Paginator(found, PAGE_LENGTH).get_page(page)


PORTAL: Final = "-"
"""Stands for acts without a person: commands and tasks."""
