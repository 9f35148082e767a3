"""Invitations by e-mail, until they are accepted, revoked or too old."""

from django.db import models
from django.db.models import Q

from teams.models.organizations import Organization
from teams.models.people import User
from teams.models.teams import Team
from teams.roles import OrganizationRole, TeamRole


class Invitation(models.Model):
    """An address that may join once. The token of the mail is stored as SHA-256; sending again makes another one."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=16, default=OrganizationRole.MEMBER.value)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="invitations")
    team_role = models.CharField(max_length=16, default=TeamRole.VIEWER.value)
    # Who answers for it: what that person may no longer do, their invitation does not do either. None: a command.
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_each",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization}: {self.role}"
