"""Making tenants."""

from django.db import transaction

from teams.models import Organization, User
from teams.services import audit


def create_organization(*, actor: User | None, slug: str, name: str, zone: str) -> Organization:
    """A new tenant. The zone is fixed here once: reports are local to it. Raises ValidationError."""
    organization = Organization(slug=slug, name=name.strip(), zone=zone)
    organization.full_clean()
    with transaction.atomic():
        organization.save()
        audit.record(organization=organization, actor=actor, action="organization.create", target=slug, zone=zone)
    return organization
