"""What the commands of teams share: rows by the names that people type, refusals as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from teams import services
from teams.models import ApiKey, Membership, Organization, Team


def organization_of(slug: str) -> Organization:
    """The organization of that slug. Raises CommandError."""
    found = Organization.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no organization {slug!r}.")
    return found


def member_of(organization: Organization, email: str) -> Membership:
    """The membership of that e-mail. Raises CommandError."""
    email = email.strip().lower()
    found = Membership.objects.filter(organization=organization, user__email=email).select_related("user").first()
    if found is None:
        raise CommandError(f"{email} does not belong to {organization.slug}.")
    return found


def team_of(organization: Organization, name: str | None) -> Team | None:
    """The team of that name, also by an earlier one, None for no name. Raises CommandError."""
    if name is None:
        return None
    found = services.find(Team, organization, name)
    if found is None:
        raise CommandError(f"There is no team {name!r} in {organization.slug}.")
    return found


def key_of(organization: Organization, prefix: str) -> ApiKey:
    """The key whose text begins so, with or without `mp_`. Raises CommandError."""
    wanted = prefix.removeprefix("mp_").partition("_")[0]
    found = ApiKey.objects.filter(organization=organization, prefix=wanted).select_related("organization").first()
    if found is None:
        raise CommandError(f"There is no key mp_{wanted}_… in {organization.slug}.")
    return found


@contextmanager
def refusing() -> Iterator[None]:
    """A broken rule ends the command with its sentence."""
    try:
        yield
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
