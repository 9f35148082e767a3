"""Exports that are prepared in the background: what was asked, for whom, how far it is. The rows lie on the disk."""

import uuid

from django.db import models

from teams.models import ApiKey, Organization, User


class ExportJob(models.Model):
    """One file of an organization, from the wish to the deletion of the file.

    Whoever holds `claim` works on it, until `lease_until`. `reach`, `teams`, `caller` and `zone` are the scope that it
    was asked with: the file holds what that scope sees, and goes to nobody who sees less by then.
    """

    class State(models.TextChoices):
        """Where it is; a deleted one has no row."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    with_key = models.BooleanField(help_text="Asked for with a key, which must still be there and valid.")
    key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    reach = models.CharField(max_length=16)
    teams = models.JSONField(default=list, help_text="Ids of the teams that the scope sees.")
    caller = models.CharField(max_length=254, blank=True)
    zone = models.CharField(max_length=64)
    subject = models.CharField(max_length=16, help_text="report or requests.")
    question = models.JSONField(help_text="The checked question, without the scope.")
    format = models.CharField(max_length=16)
    name = models.CharField(max_length=255, help_text="What the file is called when it is fetched.")
    created_at = models.DateTimeField(help_text="The instant of which the file is the answer.")
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField()
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0, help_text="Claims since the last part that was kept.")
    progress = models.FloatField(default=0, help_text="From 0 to 1.")
    rows = models.BigIntegerField(default=0)
    size = models.BigIntegerField(null=True, help_text="Bytes of the file.")
    sha256 = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["organization", "created_at"], name="export_of_organization"),
            models.Index(fields=["expires_at"], name="export_expiry"),
            models.Index(
                fields=["queued_at"], condition=models.Q(state__in=["queued", "running"]), name="export_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return self.name
