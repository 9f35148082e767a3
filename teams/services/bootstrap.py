"""The first organization with its owner and keys. Running it again changes nothing."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.core.validators import validate_email
from django.db import transaction

from teams.models import ApiKey, Membership, Organization, User
from teams.roles import KeyScope, OrganizationRole
from teams.services.keys import issue_key
from teams.services.organizations import create_organization
from teams.services.people import add_member

_KEYS: Final = {
    "ingest_key": ("Gateway (first key)", (KeyScope.INGEST,)),
    "read_key": ("Reports (first key)", (KeyScope.READ, KeyScope.EXPORT)),
}


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What exists now; secrets only where this run made them."""

    organization: Organization
    admin: User
    password: str | None = field(default=None, repr=False)  # generated in this run
    keys: dict[str, str] = field(default_factory=dict, repr=False)  # ingest_key, read_key: texts made in this run


@transaction.atomic
def bootstrap(*, slug: str, name: str, zone: str, email: str, password: str | None, now: datetime) -> Bootstrapped:
    """Make what is missing of: organization, administrator as its owner, one ingest key, one read key.

    The first administrator of the installation becomes its operator (superuser). What exists is left as it is: name,
    zone, password, roles. Raises ValidationError.
    """
    email = email.strip().lower()
    validate_email(email)
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        organization = create_organization(actor=None, slug=slug, name=name, zone=zone)
    admin = User.objects.filter(email=email).first()
    generated = None
    if admin is None:
        generated = None if password else secrets.token_urlsafe(12)
        first = not User.objects.filter(is_superuser=True).exists()
        admin = User.objects.create_user(email, password or generated, is_superuser=first)
    if not Membership.objects.filter(organization=organization, user=admin).exists():
        add_member(actor=None, organization=organization, email=email, role=OrganizationRole.OWNER)
    return Bootstrapped(organization, admin, generated, _first_keys(organization, admin, now))


def _first_keys(organization: Organization, admin: User, now: datetime) -> dict[str, str]:
    """Texts of the keys made in this run. A key that was revoked is not made again."""
    existing = set(ApiKey.objects.filter(organization=organization).values_list("name", flat=True))
    return {
        label: issue_key(actor=None, organization=organization, owner=admin, name=name, scopes=scopes, now=now).text
        for label, (name, scopes) in _KEYS.items()
        if name not in existing
    }
