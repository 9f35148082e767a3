"""The tenant."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models


def validate_zone(name: str) -> None:
    """Refuse what is not an IANA time zone."""
    if name not in available_timezones():
        raise ValidationError("“%(name)s” is not an IANA time zone such as Europe/Berlin.", params={"name": name})


class Organization(models.Model):
    """A tenant. Its reporting zone decides where hours, days and months begin."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    zone = models.CharField(
        "reporting zone",
        max_length=64,
        default="UTC",
        validators=[validate_zone],
        help_text="IANA time zone. Hours, days and months of every report are local to it.",
    )
    second_factor = models.BooleanField(default=False, editable=False)  # asked of whoever signs in by password
    mail_domains = models.JSONField(default=list, editable=False)  # to which statements may go; empty: to any
    summary_hour = models.PositiveSmallIntegerField(default=7, editable=False)  # of the local morning
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
