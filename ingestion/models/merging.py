"""Names that became another one, while their requests follow."""

from django.db import models

from teams.models import Organization


class Merge(models.Model):
    """A team, virtual account or caller that became another one: a worker moves its requests of open months.

    What it became is said by the row of the name itself (`merged_into`): that may be merged again meanwhile.
    """

    class Kind(models.TextChoices):
        """What was merged."""

        TEAM = "team"
        VIRTUAL_ACCOUNT = "virtual_account"
        CALLER = "caller"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name_id = models.BigIntegerField(help_text="Id of the row that became another one.")
    asked_at = models.DateTimeField()
    reached = models.DateTimeField(null=True, help_text="Requests of earlier hours were moved.")
    moved = models.BigIntegerField(default=0, help_text="Requests so far.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization"], condition=models.Q(finished_at=None), name="merge_unfinished"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name_id}"
