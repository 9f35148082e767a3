"""Append-only logs written in the transaction of the facts they speak of."""

from django.db import models

from teams.models import ApiKey, Organization


class ChangedHour(models.Model):
    """The facts of this hour changed; consumed by the rollup.

    A log row, never an upsert: `DO NOTHING` does not wait for a row that is only locked, so a mark that the rollup is
    about to delete would be skipped and the hour lost.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour_start = models.DateTimeField()
    appended_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "hour_start"], name="changed_hour_of_organization")]

    def __str__(self) -> str:
        return f"{self.hour_start:%Y-%m-%dT%H:%MZ}"


class IngestBatch(models.Model):
    """Outcome counts of one batch: accepted + duplicate + conflict + rejected = received."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=32)
    key = models.ForeignKey(
        ApiKey,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Whose batch it was; empty for files and commands.",
    )
    accepted = models.IntegerField(default=0)
    duplicate = models.IntegerField(default=0)
    conflict = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    rejected_by_code = models.JSONField(default=dict, help_text="Rejection code -> count.")
    examples = models.JSONField(default=list, help_text="The first refused records: place, code, field, sentence.")
    capped = models.IntegerField(default=0, help_text="New names beyond the hourly cap, stored as (other).")

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name = "ingest outcome"
        indexes = [models.Index(fields=["organization", "received_at"], name="ingest_batch_received")]

    def __str__(self) -> str:
        return f"{self.source} {self.received_at:%Y-%m-%d %H:%M}: {self.accepted} accepted"
