"""Teams, who is in them, and who receives their statement."""

from django.db import models

from teams.models.names import Named
from teams.models.organizations import Organization
from teams.models.people import User
from teams.roles import TeamRole


class Team(Named):
    """A team of an organization. First seen in traffic it is unclaimed: it has no members and grants nothing."""

    NOUN = "team"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="teams")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="team_name_in_organization")]


class TeamMembership(models.Model):
    """A person's role in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="team_memberships")
    role = models.CharField(
        max_length=16,
        choices=[(role.value, role.value.capitalize()) for role in TeamRole],
        default=TeamRole.VIEWER.value,
    )

    class Meta:
        ordering = ["user__email"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_team_role_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}: {self.role}"


class ReportRecipient(models.Model):
    """An address that receives the monthly statement of a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="recipients")
    email = models.EmailField(max_length=254)

    class Meta:
        ordering = ["email"]
        constraints = [models.UniqueConstraint(fields=["team", "email"], name="one_recipient_each")]

    def __str__(self) -> str:
        return f"{self.email} for {self.team}"
