"""People who sign in, and their role in an organization."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from metricsportal.lib import border
from teams.models.organizations import Organization
from teams.roles import OrganizationRole


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of that e-mail, whatever its case; raises User.DoesNotExist."""
        return self.get(email__iexact=username)

    def create_user(
        self, email: str, password: str | None = None, *, name: str = "", is_superuser: bool = False
    ) -> "User":
        """A person who signs in with that e-mail, stored in lower case; without a password, not yet."""
        user = self.model(email=email.strip().lower(), name=name, is_superuser=is_superuser)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, *, name: str = "") -> "User":
        """An operator of the installation, who sees every organization in the admin."""
        return self.create_user(email, password, name=name, is_superuser=True)


class Theme(models.TextChoices):
    """How pages look to a person."""

    SYSTEM = "system", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Times(models.TextChoices):
    """In which zone times are written for a person, where the address does not say; the values of `tz`."""

    ORGANIZATION = "org", "In the organization's zone"
    VIEWER = "viewer", "In the zone of my browser"


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a session was opened: by the provider of one organization, or by password, perhaps with a second factor."""

    provider: UUID | None = None
    second_factor: bool = False


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. Callers of a gateway are `GatewayUser`, linked by e-mail."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    reset_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    times = models.CharField(max_length=8, choices=Times, default=Times.ORGANIZATION)

    # Of the session that asks; None where none does: keys, commands, tasks.
    entrance: Entrance | None = None
    # Known for the request of that session alone: a page of the administration asks three times.
    _manages: tuple[Entrance | None, bool] | None = None

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """E-mails are stored in lower case, however they were typed."""
        super().clean()
        self.email = self.email.lower()

    def get_full_name(self) -> str:
        """Name for greetings, the e-mail when there is none."""
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Whether the Django admin lets the person in: operators, and managers of some organization."""
        if self.is_superuser:
            return True
        if self.entrance is None or self._manages is None or self._manages[0] != self.entrance:
            managing = Membership.objects.filter(user=self).exclude(role=OrganizationRole.MEMBER)
            with border.everything("who somebody is"):
                self._manages = self.entrance, managing.filter(self.opens("organization__")).exists()
        return self._manages[1]

    def opens(self, path: str = "") -> Q:
        """Which organizations the session opens: a provider's its own alone, a password's those that let it in.

        `path` leads to the organization. Operators of the installation keep their passwords.
        """
        entrance = self.entrance
        if entrance is None:
            return Q()
        if entrance.provider is not None:
            return Q(**{f"{path}identity_provider": entrance.provider})
        if self.is_superuser:
            return Q()
        closed = Q(**{f"{path}identity_provider__sso_only": True})
        return ~(closed if entrance.second_factor else closed | Q(**{f"{path}second_factor": True}))


class Membership(models.Model):
    """A person's role in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(
        max_length=16,
        choices=[(role.value, role.value.capitalize()) for role in OrganizationRole],
        default=OrganizationRole.MEMBER.value,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # Mails about the whole organization, for roles that see it; summaries since when, as those of teams.
    closings = models.BooleanField(default=False, editable=False)
    weekly_since = models.DateTimeField(null=True, editable=False)
    daily_since = models.DateTimeField(null=True, editable=False)

    class Mail(models.TextChoices):
        """Mails about the whole organization that a person may choose."""

        CLOSED = "closed", "A month is closed"
        WEEKLY = "weekly", "Weekly summary"
        DAILY = "daily", "Daily summary"

    class Meta:
        ordering = ["user__email"]
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.role}"

    @property
    def mails(self) -> list[str]:
        """Which of them are chosen, in a fixed order."""
        chosen = {"closed": self.closings, "weekly": self.weekly_since, "daily": self.daily_since}
        return [str(kind) for kind in self.Mail if chosen[kind]]
