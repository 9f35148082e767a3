"""The switches of notices about days that stand out, for who may turn them."""

from analytics.budgets.anomaly_watches import watch_of
from analytics.budgets.reading import own_teams
from analytics.models import AnomalyWatch
from teams.access import Scope
from teams.models import Organization
from teams.roles import Capability


def shown(organization: Organization, scope: Scope) -> list[AnomalyWatch]:
    """Of the organization for its finance people, and of the teams that the person manages."""
    whole = [watch_of(organization, None)] if scope.allows(Capability.MANAGE_CHARGEBACK) else []
    return whole + [watch_of(organization, team) for team in own_teams(scope)]


def find(organization: Organization, scope: Scope, team: str) -> AnomalyWatch | None:
    """The switch of the team with that id, or ("") of the organization; None where the person turns none."""
    return next((one for one in shown(organization, scope) if str(one.team_id or "") == team), None)
