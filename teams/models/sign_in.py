"""Single sign-on of an organization: its provider, the domains it vouches for, and what its groups grant."""

import secrets
import uuid

from django.db import models
from django.db.models import Q

from teams.models.organizations import Organization
from teams.models.people import User
from teams.models.teams import Team


class IdentityProvider(models.Model):
    """An OpenID Connect provider. Another issuer is another row: sessions that the one before opened end with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Stands in the address to which the provider sends people back; the organization's for ever.
    address = models.UUIDField(unique=True, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="identity_provider")
    issuer = models.CharField(max_length=500)
    client_id = models.CharField(max_length=256)
    sealed_secret = models.TextField(editable=False)
    groups_claim = models.CharField(max_length=100, blank=True)
    # It sends no email_verified at all (Entra ID). A false one is never believed.
    vouches = models.BooleanField(default=False)
    sso_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.issuer


def new_token() -> str:
    """What nobody guesses, to stand in a domain's records."""
    return secrets.token_hex(16)


class ProviderDomain(models.Model):
    """A domain whose people are led to the provider, once it is proven: by one organization only."""

    class Proof(models.TextChoices):
        """Who says that the domain is the organization's."""

        NONE = "", "not proven"
        DNS = "dns", "proven by DNS"
        OPERATOR = "operator", "confirmed by the operator"

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253)
    token = models.CharField(max_length=64, default=new_token, editable=False)
    proof = models.CharField(max_length=8, choices=Proof.choices, default=Proof.NONE, blank=True, editable=False)
    proven_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["domain"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "domain"], name="domain_once_of_provider"),
            models.UniqueConstraint(fields=["domain"], condition=~models.Q(proof=""), name="domain_proven_once"),
        ]

    def __str__(self) -> str:
        return self.domain

    @property
    def record(self) -> str:
        """The TXT record that proves it."""
        return f"metricsportal-verification={self.token}"


class GroupGrant(models.Model):
    """What a group of the provider gives: a role in the organization, or one in a team."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="grants")
    group = models.CharField(max_length=256)
    role = models.CharField(max_length=16)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="group_grants")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.group}: {self.role}{f' of {self.team}' if self.team else ''}"


class Identity(models.Model):
    """Who a person is at the provider. The e-mail may change there, the subject does not."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="identities")
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="one_person_each_subject"),
            models.UniqueConstraint(fields=["provider", "user"], name="one_subject_each_person"),
            models.CheckConstraint(condition=~Q(subject=""), name="a_subject_is_named"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.provider}"
