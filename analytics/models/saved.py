"""Questions that people keep under a name, for themselves or for a team, and with which the dashboard opens."""

from django.db import models

from teams.models import Organization, Team, User


class SavedView(models.Model):
    """A question as it was asked, never its answer: who runs it gets what their own scope sees.

    Private to its `owner`, or of a `team`. `content` is checked when it is saved and again when it is run.
    """

    class Kind(models.TextChoices):
        """What the content is."""

        METRICS_QUERY = "metrics_query", "Body of metrics/query"
        REPORT = "report", "Parameters of a report"
        DASHBOARD = "dashboard", "State of the dashboard"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="saved_views")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="saved_views")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    content = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(owner__isnull=False, team__isnull=True)
                | models.Q(owner__isnull=True, team__isnull=False),
                name="saved_view_of_a_person_or_a_team",
            ),
            models.UniqueConstraint(fields=["organization", "owner", "name"], name="saved_view_once_per_person"),
            models.UniqueConstraint(fields=["team", "name"], name="saved_view_once_per_team"),
        ]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """The view that the dashboard opens with: of one person, or of everybody in the organization without one."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="default_views")
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="default_views")
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="default_for")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "person"],
                condition=models.Q(person__isnull=False),
                name="one_default_view_per_person",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(person__isnull=True),
                name="one_default_view_per_organization",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.view} for {self.person or self.organization}"
