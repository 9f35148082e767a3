"""The one place where a `Scope` is made: what a person or a key may see, decided now.

Whoever gets one is let through the border of its organization as well (`metricsportal.lib.border`).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from metricsportal.lib import border
from teams.models import ApiKey, Membership, Organization, Team, TeamMembership, User
from teams.roles import CAPABILITIES, Capability, KeyScope, TeamRole


class Reach(StrEnum):
    """How far a scope sees inside its organization."""

    ORGANIZATION = "organization"
    TEAMS = "teams"
    CALLER = "caller"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be seen: one organization, and in it everything, some teams, or one caller's own requests.

    `caller` is the lower-case e-mail whose gateway user is seen with reach CALLER. `zone` is the reporting zone.
    """

    organization_id: int
    zone: str
    reach: Reach
    team_ids: frozenset[int] = frozenset()
    caller: str = ""
    capabilities: frozenset[Capability] = field(default_factory=frozenset)
    user_id: int | None = None

    def allows(self, capability: Capability) -> bool:
        """Whether the holder may do that in the organization."""
        return capability in self.capabilities


def nothing(organization: Organization) -> Scope:
    """A scope that sees no row."""
    return Scope(organization.pk, organization.zone, Reach.NOTHING)


def scope_of_organization(organization: Organization) -> Scope:
    """The whole organization, for the portal's own work: rollup checks, statements, commands. Never for a request."""
    return Scope(organization.pk, organization.zone, Reach.ORGANIZATION)


def scope_of_user(user: User, organization: Organization) -> Scope | None:
    """What a signed-in person sees of an organization; None for outsiders and disabled people (answered 404).

    None also where the session does not open it: see `closed_organization`.
    """
    if not user.is_active:
        return None
    with border.everything("who somebody is"):
        mine = _opened(user).filter(organization=organization)
        membership = mine.order_by("pk").first()  # there is one at most: without the people's table
    if membership is None:
        return None
    border.admit(organization.pk)
    capabilities = CAPABILITIES.get(membership.role)
    if capabilities is None:
        return nothing(organization)
    if Capability.SEE_EVERYTHING in capabilities:
        reach, teams = Reach.ORGANIZATION, frozenset[int]()
    else:
        teams = frozenset(
            TeamMembership.objects.filter(user=user, team__organization=organization).values_list("team_id", flat=True),
        )
        reach = Reach.TEAMS if teams else Reach.CALLER
    return Scope(organization.pk, organization.zone, reach, teams, user.email.lower(), capabilities, user.pk)


def scope_of_key(key: ApiKey, needed: KeyScope, now: datetime) -> Scope | None:
    """What a key sees now: its own scopes and team, intersected with what its owner may see. None = no right.

    A key for sending sees nothing and outlives its owner's membership: people leave, the gateway keeps sending.
    """
    if key.revoked_at or (key.expires_at and key.expires_at <= now) or needed not in key.scopes:
        return None
    if needed is KeyScope.INGEST:
        border.admit(key.organization_id)
        return Scope(key.organization_id, key.organization.zone, Reach.NOTHING)
    owned = scope_of_user(key.owner, key.organization)
    if owned is None:
        return None
    if key.team_id is None:
        # Reading only: a key never manages, whatever its owner may.
        return replace(owned, capabilities=owned.capabilities & {Capability.SEE_EVERYTHING})
    visible = owned.reach is Reach.ORGANIZATION or key.team_id in owned.team_ids
    if not visible:
        return nothing(key.organization)
    return Scope(
        owned.organization_id,
        owned.zone,
        Reach.TEAMS,
        frozenset({key.team_id}),
        owned.caller,
        frozenset(),
        owned.user_id,
    )


def covers(wider: Scope, narrower: Scope) -> bool:
    """Whether everything that one scope sees is seen by the other too: what was made for one may go to the other."""
    if wider.organization_id != narrower.organization_id:
        return False
    if narrower.reach is Reach.NOTHING or wider.reach is Reach.ORGANIZATION:
        return True
    if wider.reach is not narrower.reach:
        return False
    return narrower.team_ids <= wider.team_ids if wider.reach is Reach.TEAMS else narrower.caller == wider.caller


def manages(scope: Scope, team_id: int) -> bool:
    """Whether the person of a scope manages that team: its managers, and who manages people in the organization."""
    if scope.allows(Capability.MANAGE_PEOPLE):
        return True
    role = {"user_id": scope.user_id, "role": TeamRole.MANAGER}
    return TeamMembership.objects.filter(team_id=team_id, team__organization_id=scope.organization_id, **role).exists()


def managed_teams(scope: Scope) -> QuerySet[Team]:
    """The teams that the person of a scope manages, as `manages` says."""
    if scope.allows(Capability.MANAGE_PEOPLE):
        return visible_teams(scope).filter(merged_into=None)
    role = {"user_id": scope.user_id, "role": TeamRole.MANAGER}
    managed = TeamMembership.objects.filter(**role).values("team")
    return Team.objects.filter(organization_id=scope.organization_id, pk__in=managed)


def visible_teams(scope: Scope) -> QuerySet[Team]:
    """The teams whose metrics a scope sees."""
    teams = Team.objects.filter(organization_id=scope.organization_id)
    if scope.reach is Reach.ORGANIZATION:
        return teams
    return teams.filter(pk__in=scope.team_ids) if scope.reach is Reach.TEAMS else teams.none()


def organizations_of(user: User) -> list[Organization]:
    """The organizations a person belongs to and the session opens, by name."""
    with border.everything("where somebody belongs"):
        return list(Organization.objects.filter(user.opens(), memberships__user=user).order_by("name", "pk"))


def memberships_of(user: User) -> list[Membership]:
    """What a person is in which organization, by its name."""
    found = Membership.objects.filter(user=user).select_related("organization").order_by("organization__name")
    with border.everything("where somebody belongs"):
        return list(found)


def find_organization(user: User, slug: str) -> tuple[Organization, Scope] | None:
    """The organization of that slug as the person sees it; None when it does not exist or is none of theirs."""
    with border.everything("which organization an address names"):
        organization = Organization.objects.filter(slug=slug).first()
    scope = scope_of_user(user, organization) if organization else None
    return (organization, scope) if organization and scope else None


def closed_organization(user: User, slug: str | None = None) -> Organization | None:
    """The organization of that slug, or the first, to which the person belongs and which the session does not open."""
    mine = Organization.objects.filter(memberships__user=user, **({} if slug is None else {"slug": slug}))
    if not user.is_active:
        return None
    with border.everything("where somebody belongs"):
        if not mine.exists():  # who asks for what does not exist: the other question is dear
            return None
        closed = mine.exclude(pk__in=Organization.objects.filter(user.opens()).values("pk"))
        return closed.select_related("identity_provider").order_by("name", "pk").first()


def may(user: User, organization: Organization, capability: Capability) -> bool:
    """Whether the person may do that in the organization; operators of the installation may everywhere."""
    if not user.is_active:
        return False
    allowed = user.is_superuser
    if not allowed:
        with border.everything("who somebody is"):
            roles = [role for role, capabilities in CAPABILITIES.items() if capability in capabilities]
            allowed = _opened(user).filter(organization=organization, role__in=roles).exists()
    if allowed:
        border.admit(organization.pk)
    return allowed


def organizations_by_capability(user: User) -> dict[Capability, frozenset[int]]:
    """Ids of the organizations where the person may do what: the border of the administration.

    Everywhere for operators of the installation.
    """
    if not user.is_active:
        return dict.fromkeys(Capability, frozenset())
    if user.is_superuser:
        border.admit_everything("operators look after every organization")
        every = frozenset(Organization.objects.values_list("pk", flat=True))
        return dict.fromkeys(Capability, every)  # no provider opens a session of theirs
    with border.everything("who somebody is"):
        roles = dict(_opened(user).order_by().values_list("organization_id", "role"))
    found = {each: frozenset(one for one in roles if each in CAPABILITIES.get(roles[one], ())) for each in Capability}
    border.admit(*frozenset[int]().union(*found.values()))
    return found


def _opened(user: User) -> QuerySet[Membership]:
    """The memberships that the session opens."""
    return Membership.objects.filter(user.opens("organization__"), user=user)
