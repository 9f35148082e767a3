"""Bills of providers that were uploaded to be compared with our figures."""

from django.db import models

from teams.models import Organization, User


class ProviderBill(models.Model):
    """A provider's file, added up by day, model and class. The file itself is not kept."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="bills", db_index=False)
    format = models.CharField(max_length=40)
    provider = models.CharField(max_length=64, blank=True, help_text="Whose requests it is compared with; empty = all.")
    name = models.CharField(max_length=200, help_text="Name of the file.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    first_day = models.DateField()
    last_day = models.DateField()
    lines = models.PositiveIntegerField()
    figures = models.JSONField(help_text="Day, model, class, tier, quantity, requests, cost in picodollars.")
    remarks = models.JSONField(default=dict, help_text="Ignored columns, rounded amounts.")
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-uploaded_at", "-id"]
        indexes = [models.Index(fields=["organization", "uploaded_at"], name="bill_by_time")]

    def __str__(self) -> str:
        return self.name
