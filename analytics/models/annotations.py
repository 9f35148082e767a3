"""What happened at an instant, told by a person or by a program that deploys."""

from django.db import models

from teams.models import ApiKey, Organization, Team, User


class Annotation(models.Model):
    """A note at an instant, or over a stretch of time, that charts show as a line.

    Without a `team` it is for everybody who sees metrics of the organization. `external_id` is the sender's own name
    of the event: sent again, it is the same note.
    """

    class Kind(models.TextChoices):
        """What happened."""

        DEPLOY = "deploy", "Deploy"
        PRICE_CHANGE = "price_change", "Price change"
        ROUTING_CHANGE = "routing_change", "Routing change"
        INCIDENT = "incident", "Incident"
        OTHER = "other", "Other"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="annotations", db_index=False)
    # A note goes with its team: left without one, it would be shown to the whole organization.
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="annotations")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True)
    text = models.CharField(max_length=200)
    link = models.CharField(max_length=500, blank=True)
    external_id = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001 - NULL: many have none, "" is none
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["organization", "at"], name="annotation_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__isnull=True) | models.Q(end__gt=models.F("at")), name="annotation_ends_later"
            ),
            models.UniqueConstraint(fields=["organization", "external_id"], name="annotation_sent_once"),
        ]

    def __str__(self) -> str:
        return self.text
