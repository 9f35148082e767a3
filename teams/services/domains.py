"""Domains of an organization's people: named, proven to be its own, and only then good for anything.

The proof is a record in the domain's DNS with a token that was made for this organization, or an operator's word.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from metricsportal.lib import border, txt_records
from teams.models import IdentityProvider, Organization, ProviderDomain, User
from teams.services import audit
from teams.services.rules import RuleBrokenError, is_owner

Proof = ProviderDomain.Proof
_DOMAIN: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
_MOST: Final = 200
_TAKEN: Final = "One of these domains belongs to another organization of this installation."
_PREFIX: Final = "metricsportal-verification="


def domain_of(email: str) -> str:
    """What stands behind the @, in lower case."""
    return email.strip().lower().rpartition("@")[2]


def provider_of_email(email: str) -> IdentityProvider | None:
    """The provider of an address's domain, whether anybody has that address or not; of a proven one alone."""
    domain = domain_of(email)
    with border.everything("who vouches for an address"):
        proven = ProviderDomain.objects.exclude(proof=Proof.NONE).select_related("provider__organization")
        found = proven.filter(domain=domain).first()
    return found.provider if found and domain else None


def speaks_for(provider: IdentityProvider, email: str) -> bool:
    """Whether the address is of a domain that is proven to be the organization's."""
    return provider.domains.exclude(proof=Proof.NONE).filter(domain=domain_of(email)).exists()


def check_domain(*, actor: User | None, organization: Organization, domain: str, now: datetime) -> ProviderDomain:
    """Ask the DNS whether the domain has the record made for this organization, and believe it from now on.

    Raises PermissionDenied, and ValidationError with what was found instead.
    """
    with audit.refusals(organization=organization, actor=actor, action="sign_in.domain", target=domain):
        row = _found(actor, organization, domain)
        if row.proof:
            return row
        _ask(row)
        return _prove(actor, organization, row, Proof.DNS, now)


def confirm_domain(*, organization: Organization, domain: str, now: datetime) -> ProviderDomain:
    """The operator's word that the domain is the organization's. Raises ValidationError."""
    return _prove(None, organization, _found(None, organization, domain), Proof.OPERATOR, now)


def checked_domains(domains: Iterable[str]) -> list[str]:
    """The domains that were typed, each once. Raises ValidationError."""
    found = sorted({domain.strip().lower().removeprefix("@") for domain in domains} - {""})
    if not found or len(found) > _MOST:
        raise ValidationError({"domains": f"Name the domains of your people's addresses, at most {_MOST}."})
    wrong = [domain for domain in found if len(domain) > 253 or not _DOMAIN.fullmatch(domain)]
    if wrong:
        raise ValidationError({"domains": f"{wrong[0][:100]} is no domain such as company.com."})
    return found


def replace_domains(provider: IdentityProvider, wanted: Sequence[str], known: Iterable[ProviderDomain]) -> None:
    """Let the provider have these domains; `known`: those of the organization so far, which keep token and proof."""
    with border.everything("a domain belongs to one organization of the installation"):
        proven = ProviderDomain.objects.filter(domain__in=wanted).exclude(proof=Proof.NONE)
        taken = proven.exclude(provider__organization=provider.organization_id).exists()
    if taken:
        raise ValidationError({"domains": _TAKEN})
    before = {one.domain: one for one in known}
    provider.domains.exclude(domain__in=wanted).delete()
    kept = set(provider.domains.values_list("domain", flat=True))
    for domain in wanted:
        if domain not in kept:
            old = before.get(domain)
            said = {} if old is None else {"token": old.token, "proof": old.proof, "proven_at": old.proven_at}
            ProviderDomain.objects.create(provider=provider, domain=domain, **said)


def _found(actor: User | None, organization: Organization, domain: str) -> ProviderDomain:
    if not is_owner(actor, organization):
        raise PermissionDenied("Only owners decide how people sign in.")
    row = ProviderDomain.objects.filter(provider__organization=organization, domain=domain).first()
    if row is None:
        raise ValidationError("This domain is not among those of your provider.")
    return row


def _ask(row: ProviderDomain) -> None:
    try:
        found = txt_records.texts_of(row.domain, settings.DNS_SERVERS)
    except txt_records.NoAnswerError:
        raise ValidationError(
            f"The DNS of {row.domain} did not answer. Nothing was changed; try again in a while."
        ) from None
    ours = [one for one in found if one.startswith(_PREFIX)]
    if row.record in ours:
        return
    if ours:
        raise ValidationError(
            f"{row.domain} has the record {ours[0][:100]}, which is another one. It has to be {row.record}."
        )
    raise ValidationError(
        f"{row.domain} has no TXT record that begins with {_PREFIX}. A new one may take an hour to be seen."
    )


def _prove(
    actor: User | None, organization: Organization, row: ProviderDomain, proof: ProviderDomain.Proof, now: datetime
) -> ProviderDomain:
    taken = RuleBrokenError(f"Another organization of this installation has proven that {row.domain} is its own.")
    with border.everything("a domain belongs to one organization of the installation"):
        others = ProviderDomain.objects.filter(domain=row.domain).exclude(proof=Proof.NONE)
        if others.exclude(provider__organization=organization).exists():
            raise taken
    row.proof, row.proven_at = proof, now
    try:
        with transaction.atomic():
            row.save(update_fields=["proof", "proven_at"])
            audit.record(
                organization=organization, actor=actor, action="sign_in.domain", target=row.domain, proof=str(proof)
            )
    except IntegrityError:  # another organization was faster
        raise taken from None
    return row
