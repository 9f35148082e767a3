"""Small tables of the names seen in traffic; facts point at them. New names per hour are capped."""

from typing import Final

from django.db import models

from teams.models import Named, Organization, Team

OVERFLOW: Final = "(other)"
"""Name of the dimension row that takes the values beyond the cap of new values per hour."""


class Seen(models.Model):
    """When a name was first and last seen in traffic."""

    first_seen = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class LLMModel(Seen):
    """What served a request: a model name without provider prefix, and who provides it ("" = unknown)."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=256)

    class Meta:
        ordering = ["name", "provider"]
        verbose_name = "model"
        constraints = [
            models.UniqueConstraint(fields=["organization", "provider", "name"], name="model_in_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.provider})" if self.provider else self.name


class VirtualModel(Seen):
    """Alias or routing configuration that callers ask for."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=256)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="virtual_model_in_organization")]

    def __str__(self) -> str:
        return self.name


class GatewayUser(Named):
    """Caller in the traffic; `name` is the id that the gateway sends, `email` its label when the source has one."""

    NOUN = "caller"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField("id in traffic", max_length=256)
    email = models.CharField(max_length=254, blank=True)
    team = models.ForeignKey(
        Team,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="primary team",
        help_text="Owns the user's requests that name no team and no account with a team, from now on.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="gateway_user_in_organization")]


class ErrorType(Seen):
    """Error class of failed requests."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=128)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="error_type_in_organization")]

    def __str__(self) -> str:
        return self.name


class MetadataKey(Seen):
    """A metadata key seen in traffic. Registered keys can be grouped, filtered and exported by."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=128)
    registered = models.BooleanField(default=False)
    known_from = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Requests from before it were removed before the key was registered: their values are unknown.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="metadata_key_in_organization")]

    def __str__(self) -> str:
        return self.name


class MetadataValue(Seen):
    """A value of a registered metadata key."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    key = models.ForeignKey(MetadataKey, on_delete=models.CASCADE, related_name="values")
    name = models.CharField(max_length=256)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["key", "name"], name="metadata_value_of_key")]

    def __str__(self) -> str:
        return self.name


class KeyOfTeam(models.Model):
    """That traffic of a team had a registered metadata key: what its members are offered. Written with the facts."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    key = models.ForeignKey(MetadataKey, on_delete=models.CASCADE, related_name="teams", db_index=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "team"], name="metadata_key_of_team")]

    def __str__(self) -> str:
        return f"{self.key_id} of team {self.team_id}"


class KeyOfCaller(models.Model):
    """That traffic of a caller had a registered metadata key: what people are offered who see their own alone."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    key = models.ForeignKey(MetadataKey, on_delete=models.CASCADE, related_name="callers", db_index=False)
    user = models.ForeignKey(GatewayUser, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "user"], name="metadata_key_of_caller")]

    def __str__(self) -> str:
        return f"{self.key_id} of caller {self.user_id}"
