"""The changed-day log, the log that budgets are looked at from, and the record of verifications."""

from django.db import models

from teams.models import Organization


class ChangedDay(models.Model):
    """Says: hours of this local day were rolled up. Append-only, consumed by the day rollup.

    A log of its own: a day rewritten inside an hour's transaction loses the other hour's uncommitted rows.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    day_start = models.DateTimeField()
    appended_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "day_start"], name="changed_day_of_organization")]

    def __str__(self) -> str:
        return f"{self.day_start:%Y-%m-%dT%H:%MZ}"


class ChangedSpend(models.Model):
    """Says: budgets of the organization may have another figure in this hour. Append-only, consumed by who looks."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    hour_start = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.hour_start:%Y-%m-%dT%H:%MZ}"


class VerificationRun(models.Model):
    """One comparison of all aggregates with the facts."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    cells = models.BigIntegerField(help_text="Aggregate cells compared.")
    differences = models.BigIntegerField()

    class Meta:
        ordering = ["-finished_at", "-id"]

    def __str__(self) -> str:
        return f"{self.finished_at:%Y-%m-%d %H:%M}: {self.differences} differences in {self.cells} cells"
