"""Which budgets a scope sees, who may change them, and who may be told of them."""

from django.db.models import Q, QuerySet

from analytics.models import Budget
from teams import access
from teams.access import Reach, Scope, scope_of_user
from teams.models import Organization, ReportRecipient, Team, User
from teams.roles import Capability


def visible(scope: Scope) -> QuerySet[Budget]:
    """All of the organization, or those of the teams whose metrics the scope sees; people without a team see none."""
    found = Budget.objects.filter(organization_id=scope.organization_id)
    found = found.select_related("organization", "team", "user", "account")
    if scope.reach is Reach.ORGANIZATION:
        return found
    return found.filter(team__in=access.visible_teams(scope)) if scope.reach is Reach.TEAMS else found.none()


def page(budgets: QuerySet[Budget], limit: int, after: tuple[str, int] | None) -> tuple[list[Budget], bool]:
    """At most `limit` of them by name, from behind a place on; whether there are more."""
    if after is not None:
        name, pk = after
        budgets = budgets.filter(Q(name__gt=name) | Q(name=name, pk__gt=pk))
    found = list(budgets.order_by("name", "pk")[: limit + 1])
    return found[:limit], len(found) > limit


def may_write(scope: Scope, team_id: int | None) -> bool:
    """Whether the person of a scope manages budgets of that team, or (None) of the whole organization."""
    if scope.allows(Capability.MANAGE_CHARGEBACK):
        return True
    return team_id is not None and access.manages(scope, team_id)


def own_teams(scope: Scope) -> list[Team]:
    """The teams for which the person of a scope may make budgets, by name."""
    whole = scope.allows(Capability.MANAGE_CHARGEBACK)
    return list((access.visible_teams(scope) if whole else access.managed_teams(scope)).order_by("name"))


def may_receive(organization: Organization, team: Team | None, address: str) -> bool:
    """Whether the address may be told now: a person who sees that use, or a recipient of the team's statements."""
    if team is not None and ReportRecipient.objects.filter(team=team, email__iexact=address).exists():
        return True
    person = User.objects.filter(email__iexact=address).first()
    scope = scope_of_user(person, organization) if person else None
    if scope is None:
        return False
    return scope.reach is Reach.ORGANIZATION or (team is not None and team.pk in scope.team_ids)
