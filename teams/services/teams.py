"""Teams and who is in them. Teams are made by who manages people; a team's managers decide who belongs to it."""

from django.core.exceptions import ValidationError
from django.db import transaction

from teams.models import Membership, Organization, Team, TeamMembership, User
from teams.roles import Capability, TeamRole
from teams.services import audit, naming
from teams.services.rules import RuleBrokenError, require, require_team


def create_team(*, actor: User | None, organization: Organization, name: str) -> Team:
    """A new team without anybody in it. Raises PermissionDenied, and ValidationError for a name that cannot be."""
    team = Team(organization=organization, name=name.strip())
    with (
        audit.refusals(organization=organization, actor=actor, action="team.create", target=team),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        naming.check(team)
        team.save()
        audit.record(organization=organization, actor=actor, action="team.create", target=team, team=team.pk)
    return team


def rename_team(*, actor: User | None, team: Team, name: str) -> None:
    """Another name for the same team and its history; it is claimed from now on. Raises as `create_team` does."""
    naming.rename(actor=actor, organization=team.organization, row=team, name=name)


def add_to_team(*, actor: User | None, team: Team, email: str, role: str) -> TeamMembership:
    """Let a member of the organization into the team, or give one who is in it another role.

    Raises PermissionDenied, and ValidationError for somebody who does not belong to the organization.
    """
    email = email.strip().lower()
    with (
        audit.refusals(organization=team.organization, actor=actor, action="team.member", target=email, team=team.pk),
        transaction.atomic(),
    ):
        require_team(actor, team)
        member = Membership.objects.filter(organization=team.organization_id, user__email=email).first()
        if member is None:
            raise ValidationError({"email": "Nobody with this e-mail belongs to the organization. Invite them first."})
        return _set_role(actor, team, member.user, role)


def change_team_role(*, actor: User | None, membership: TeamMembership, role: str) -> None:
    """Give somebody in the team another role there. Raises PermissionDenied, ValidationError for oneself."""
    team, user = membership.team, membership.user
    with (
        audit.refusals(organization=team.organization, actor=actor, action="team.member", target=user, team=team.pk),
        transaction.atomic(),
    ):
        require_team(actor, team)
        membership.role = _set_role(actor, team, user, role).role


def remove_from_team(*, actor: User | None, membership: TeamMembership) -> None:
    """End a role in a team; its metrics are gone for the person at the next request. Raises PermissionDenied."""
    team, user = membership.team, membership.user
    with (
        audit.refusals(organization=team.organization, actor=actor, action="team.leave", target=user, team=team.pk),
        transaction.atomic(),
    ):
        require_team(actor, team)
        if TeamMembership.objects.filter(pk=membership.pk).delete()[0]:
            audit.record(
                organization=team.organization,
                actor=actor,
                action="team.leave",
                target=user,
                team=team.pk,
                name=team.name,
            )


def _set_role(actor: User | None, team: Team, user: User, role: str) -> TeamMembership:
    if role not in set(TeamRole):
        raise ValidationError({"role": f"Choose from {', '.join(TeamRole)}."})
    found = TeamMembership.objects.select_for_update().filter(team=team, user=user).first()
    before = found.role if found else None
    if found and before == role:
        return found
    if found and actor == user:
        raise RuleBrokenError("Nobody changes their own role. Ask somebody else who manages this team.")
    membership, _ = TeamMembership.objects.update_or_create(team=team, user=user, defaults={"role": role})
    # Somebody answers for a team with members: it is not a name from traffic any more.
    Team.objects.filter(pk=team.pk, claimed=False).update(claimed=True)
    audit.record(
        organization=team.organization,
        actor=actor,
        action="team.member",
        target=user,
        team=team.pk,
        name=team.name,
        role=role,
        before=before,
    )
    return membership
