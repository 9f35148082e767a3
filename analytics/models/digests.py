"""Summaries of a day or a week: frozen when they are due."""

from django.db import models

from teams.models import Organization, Team


class Digest(models.Model):
    """The summary of one day or week of a team, or (without one) of all, or that a month was closed.

    The row is the "due" of its period: there is never a second one.

    Written in the transaction that makes its mails. `document` holds all that they say.
    """

    class Kind(models.TextChoices):
        """How long its period is."""

        WEEKLY = "weekly"
        DAILY = "daily"
        CLOSED = "closed", "Month closed"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="digests")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    starts_on = models.DateField(help_text="First local day of the period.")
    at = models.DateTimeField()
    document = models.JSONField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["team", "kind", "starts_on"], name="digest_once_per_period"),
            models.UniqueConstraint(
                fields=["organization", "kind", "starts_on"],
                condition=models.Q(team__isnull=True),
                name="digest_of_all_once_per_period",
            ),
        ]

    def __str__(self) -> str:
        return str(self.document.get("subject", self.starts_on))
