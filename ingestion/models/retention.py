"""From when on what an organization once had still exists."""

from django.db import models

from teams.models import Organization


class Watermark(models.Model):
    """What lies before this instant does not exist any more, or is being removed. It only ever moves forward.

    It is moved before the first row is removed, so whoever reads it after reading rows knows whether all of them were
    still there.
    """

    class Subject(models.TextChoices):
        """What is removed by age; days are not."""

        REQUESTS = "requests"
        HOURS = "hours"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject = models.CharField(max_length=16, choices=Subject.choices)
    before = models.DateTimeField(help_text="First instant of a local day; nothing from before it is kept.")
    removed = models.BigIntegerField(default=0, help_text="Rows removed so far.")
    finished_at = models.DateTimeField(null=True, help_text="When everything before it was gone; empty until then.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "subject"], name="watermark_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject} from {self.before:%Y-%m-%dT%H:%MZ} on"
