"""Files that people upload to be imported: what is known about each, never its content."""

import uuid

from django.db import models

from teams.models import Organization, User


class Upload(models.Model):
    """One file of an organization, from its arrival to its end, with the counts of its import.

    Whoever holds `claim` imports it, until `lease_until`; every write of an import asks for its own claim, in the
    transaction of the facts it counts. So the counts are those of the stored facts, whichever process died when.
    """

    class State(models.TextChoices):
        """Where it is. The file is on the disk in the first three states only."""

        WAITING = "waiting", "waits for a decision"
        QUEUED = "queued", "queued"
        IMPORTING = "importing", "importing"
        DONE = "done", "imported"
        FAILED = "failed", "failed"
        DISCARDED = "discarded", "discarded"
        EXPIRED = "expired", "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField()
    name = models.CharField(max_length=200, help_text="What the person's file was called; a label, never a path.")
    stored_as = models.CharField(max_length=32, unique=True, help_text="Name of the file in the folder of uploads.")
    size = models.BigIntegerField(help_text="Bytes, as uploaded.")
    format = models.CharField(max_length=32, default="auto")
    keep_unknown = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0, help_text="Claims since the last batch that was stored.")
    error = models.CharField(max_length=500, blank=True)
    position = models.BigIntegerField(default=0, help_text="Bytes of the file that were read.")
    accepted = models.BigIntegerField(default=0)
    duplicate = models.BigIntegerField(default=0)
    conflict = models.BigIntegerField(default=0)
    capped = models.BigIntegerField(default=0)
    rejected_by_code = models.JSONField(default=dict)
    examples = models.JSONField(default=list, help_text="The first refused records: place, code, field, sentence.")
    earliest = models.DateTimeField(null=True)
    latest = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-uploaded_at", "-id"]
        indexes = [
            models.Index(fields=["organization", "uploaded_at"], name="upload_of_organization"),
            models.Index(
                fields=["queued_at"], condition=models.Q(state__in=["queued", "importing"]), name="upload_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return self.name
