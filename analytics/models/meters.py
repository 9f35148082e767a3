"""Meters of closed months, frozen with their statements."""

from django.db import models

from analytics.models.statements import Period


class FrozenMeters(models.Model):
    """The rows of one UTC day of a closed month, or what is none: corrections of earlier months, shared costs."""

    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="meters")
    day = models.DateField(help_text="The UTC day; of corrections the first day of the month that they are charged in.")
    corrections = models.BooleanField(default=False)
    content = models.BinaryField(help_text="Rows as compressed JSON.")

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["period", "day", "corrections"], name="meters_once_per_day")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"
