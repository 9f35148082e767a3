"""Identities of applications at the gateway, and keys of the portal itself."""

from django.db import models

from teams.models.names import Named
from teams.models.organizations import Organization
from teams.models.people import User
from teams.models.teams import Team


class VirtualAccount(Named):
    """Identity of an application, with its own key at the gateway. Its team owns its requests from now on."""

    NOUN = "virtual account"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="virtual_accounts")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="virtual_accounts")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="virtual_account_in_organization"),
        ]


class ApiKey(models.Model):
    """A key of the portal: shown once, stored as prefix and SHA-256. Its owner's rights bound what it may read."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    scopes = models.JSONField(default=list, help_text="Any of: ingest, read, export.")
    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="api_keys",
        help_text="A key bound to a team reads that team only.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
