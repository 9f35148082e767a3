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
    """An address that receives mails about a team: its monthly statement, weekly and daily summaries."""

    class Kind(models.TextChoices):
        """What may be received."""

        STATEMENT = "statement", "Monthly statement"
        WEEKLY = "weekly", "Weekly summary"
        DAILY = "daily", "Daily summary"

    class Attachment(models.TextChoices):
        """What comes with a statement."""

        CSV = "csv", "CSV file"
        PDF = "pdf", "PDF file"
        FOCUS = "focus", "FOCUS file (CSV)"
        NONE = "none", "No file"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="recipients")
    email = models.EmailField(max_length=254)
    monthly = models.BooleanField("monthly statement", default=True)
    # Since when, so that nobody receives what was due before they chose it; None: not chosen.
    weekly_since = models.DateTimeField(null=True, blank=True, editable=False)
    daily_since = models.DateTimeField(null=True, blank=True, editable=False)
    attachment = models.CharField(max_length=5, choices=Attachment.choices, default=Attachment.CSV)

    class Meta:
        ordering = ["email"]
        constraints = [models.UniqueConstraint(fields=["team", "email"], name="one_recipient_each")]

    def __str__(self) -> str:
        return f"{self.email} for {self.team}"

    @property
    def kinds(self) -> list[str]:
        """What is received, in a fixed order."""
        chosen = {"statement": self.monthly, "weekly": self.weekly_since, "daily": self.daily_since}
        return [str(kind) for kind in self.Kind if chosen[kind]]
