"""Who vouches for the people of an organization: its provider, its domains, what groups grant, and what it asks for.

Owners alone: whoever could point an organization to another provider could sign in as anybody in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.crypto import salted_hmac

from metricsportal.lib import border
from teams import oidc, sealing
from teams.models import GroupGrant, IdentityProvider, Membership, Organization, Team, User
from teams.roles import TeamRole
from teams.services import audit
from teams.services.domains import checked_domains, domain_of, replace_domains
from teams.services.people import check_role
from teams.services.rules import RuleBrokenError, is_owner

_MOST: Final = 200  # lines of groups


@dataclass(frozen=True, slots=True)
class Grant:
    """A group of the provider and what it gives: a role of the organization, or with a team one of the team."""

    group: str
    role: str
    team: Team | None = None


def find_provider(address: UUID) -> IdentityProvider | None:
    """The provider that sends people back to that address."""
    with border.everything("which provider sends somebody back"):
        return IdentityProvider.objects.select_related("organization").filter(address=address).first()


def address_of(organization: Organization) -> UUID:
    """What stands in the address to which the organization's provider sends people back: known before there is one."""
    stored = IdentityProvider.objects.filter(organization=organization).values_list("address", flat=True).first()
    return stored or UUID(bytes=salted_hmac("teams.sso", str(organization.pk), algorithm="sha256").digest()[:16])


def only_way_in(organization: Organization) -> IdentityProvider | None:
    """The provider of the organization where there is no other way in."""
    return IdentityProvider.objects.filter(organization=organization, sso_only=True).first()


def any_provider() -> bool:
    """Whether anybody on this installation signs in through a provider."""
    with border.everything("whether anybody has a provider"):
        return IdentityProvider.objects.exists()


def save_provider(
    *,
    actor: User | None,
    organization: Organization,
    issuer: str,
    client_id: str,
    secret: str,
    domains: Iterable[str],
    groups_claim: str,
    vouches: bool,
    grants: Iterable[Grant],
) -> IdentityProvider:
    """Store how people of the organization sign in; an empty secret keeps the one that is stored.

    The provider is asked for its discovery document first. Raises PermissionDenied, ValidationError by field.
    """
    with audit.refusals(organization=organization, actor=actor, action="sign_in.provider", target=issuer):
        _require_owner(actor, organization)
        wanted, lines = checked_domains(domains), _checked(actor, organization, list(grants), groups_claim)
        before = IdentityProvider.objects.filter(organization=organization).first()
        if not secret and before is None:
            raise ValidationError({"secret": "The provider gave you a client secret. Enter it here."})
        if before is not None and issuer != before.issuer and not secret:
            raise ValidationError({"secret": "Another provider has another client secret. Enter it here."})
        _ask(issuer)
        with transaction.atomic():
            known = [] if before is None else list(before.domains.all())
            provider = _row(organization, before, issuer, client_id)
            provider.groups_claim, provider.vouches = groups_claim, vouches
            if secret:
                provider.sealed_secret = sealing.seal(secret)
            provider.save()
            replace_domains(provider, wanted, known)
            provider.grants.all().delete()
            GroupGrant.objects.bulk_create(
                GroupGrant(provider=provider, group=one.group, role=one.role, team=one.team) for one in lines
            )
            audit.record(
                organization=organization,
                actor=actor,
                action="sign_in.provider",
                target=issuer,
                client=client_id,
                domains=wanted,
                groups=[f"{one.group}: {one.role}{f' of {one.team}' if one.team else ''}" for one in lines],
                vouches=vouches,
                secret="new" if secret else "kept",
            )
    return provider


def remove_provider(*, actor: User | None, organization: Organization) -> None:
    """End single sign-on: sessions that came from the provider open nothing any more. Raises PermissionDenied."""
    with (
        audit.refusals(organization=organization, actor=actor, action="sign_in.remove", target=organization),
        transaction.atomic(),
    ):
        _require_owner(actor, organization)
        provider = IdentityProvider.objects.filter(organization=organization).first()
        if provider is None:
            return
        if provider.sso_only:
            raise RuleBrokenError("Let people use passwords first: nobody could sign in any more.")
        audit.record(organization=organization, actor=actor, action="sign_in.remove", target=provider.issuer)
        provider.delete()


def set_sso_only(*, actor: User | None, organization: Organization, sso_only: bool) -> None:
    """Let members in through the provider alone, or also by password. Raises PermissionDenied, ValidationError.

    Turning it on needs a session that came from the provider: proof that it lets an owner in.
    """
    with (
        audit.refusals(organization=organization, actor=actor, action="sign_in.only", target=organization),
        transaction.atomic(),
    ):
        _require_owner(actor, organization)
        provider = IdentityProvider.objects.select_for_update().filter(organization=organization).first()
        if provider is None:
            raise ValidationError("Set up the provider first.")
        came_from = actor.entrance.provider if actor is not None and actor.entrance else None
        if sso_only and (came_from != provider.pk or not _owns(actor, organization)):
            raise RuleBrokenError("Sign in through the provider first, as an owner: that proves that it lets you in.")
        if provider.sso_only != sso_only:
            provider.sso_only = sso_only
            provider.save(update_fields=["sso_only"])
            audit.record(
                organization=organization, actor=actor, action="sign_in.only", target=provider.issuer, only=sso_only
            )


def require_second_factor(*, actor: User | None, organization: Organization, required: bool) -> None:
    """Ask a second factor of whoever signs in by password, or not. Raises PermissionDenied."""
    with (
        audit.refusals(organization=organization, actor=actor, action="sign_in.factor", target=organization),
        transaction.atomic(),
    ):
        _require_owner(actor, organization)
        if (
            Organization.objects.filter(pk=organization.pk)
            .exclude(second_factor=required)
            .update(second_factor=required)
        ):
            audit.record(
                organization=organization,
                actor=actor,
                action="sign_in.factor",
                target=organization,
                required=required,
            )
    organization.second_factor = required


def left_out(provider: IdentityProvider) -> list[str]:
    """E-mails of members whom the provider cannot let in: their addresses are of other domains."""
    domains = {one.domain for one in provider.domains.all() if one.proof}
    emails = Membership.objects.filter(organization=provider.organization_id, user__is_superuser=False)
    found = emails.order_by("user__email").values_list("user__email", flat=True)
    return [email for email in found if domain_of(email) not in domains]


def _require_owner(actor: User | None, organization: Organization) -> None:
    if not is_owner(actor, organization):
        raise PermissionDenied("Only owners decide how people sign in.")


def _owns(actor: User | None, organization: Organization) -> bool:
    return Membership.objects.filter(organization=organization, user=actor, role="owner").exists()


def _checked(actor: User | None, organization: Organization, grants: list[Grant], claim: str) -> list[Grant]:
    if len(grants) > _MOST:
        raise ValidationError({"grants": f"At most {_MOST} lines."})
    if grants and not claim:
        raise ValidationError({"groups_claim": "Say in which claim the provider sends groups."})
    for one in grants:
        if one.team is None:
            check_role(actor, organization, one.role)
        elif one.team.organization_id != organization.pk or one.role not in set(TeamRole):
            raise ValidationError({"grants": "Choose a team of the organization, and manager or viewer."})
    return grants


def _row(organization: Organization, before: IdentityProvider | None, issuer: str, client_id: str) -> IdentityProvider:
    """The row to fill: another one for another issuer, so that sessions and links of the one before end."""
    address = address_of(organization)
    if before is not None and (issuer, client_id) != (before.issuer, before.client_id):
        if before.sso_only:
            raise RuleBrokenError("Let people use passwords first: a provider that does not work would lock all out.")
        if issuer != before.issuer:
            before.delete()
            before = None
    provider = before or IdentityProvider(organization=organization, address=address)
    provider.issuer, provider.client_id = issuer, client_id
    return provider


def _ask(issuer: str) -> None:
    try:
        oidc.check_keys(oidc.discover(issuer))
    except oidc.ProviderError as error:
        raise ValidationError({"issuer": str(error)}) from None
