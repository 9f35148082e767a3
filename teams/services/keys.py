"""API keys: `mp_<prefix>_<secret>`. The text is shown once; the table keeps its prefix and SHA-256."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import InternalError, OperationalError, transaction
from django.db.models import Q

from metricsportal.lib import border
from teams.models import ApiKey, Membership, Organization, Team, User
from teams.roles import Capability, KeyScope
from teams.services import audit
from teams.services.rules import is_owner, require

_TEXT: Final = re.compile(r"mp_(?P<prefix>[0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_NO_DIGEST: Final = bytes(32)
USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its text, the only moment at which the text is known."""

    key: ApiKey
    text: str = field(repr=False)


def issue_key(
    *,
    actor: User | None,
    organization: Organization,
    owner: User,
    name: str,
    scopes: Iterable[str],
    team: Team | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> IssuedKey:
    """Create a key whose reach is bounded by what its owner may see at each use.

    Raises PermissionDenied for an actor who may not manage people, or who would act through a higher owner;
    ValidationError for what does not fit together.
    """
    prefix = secrets.token_hex(6)
    text = f"mp_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        organization=organization,
        owner=owner,
        name=name.strip(),
        prefix=prefix,
        digest=_digest(text),
        scopes=sorted(set(scopes)),
        team=team,
        expires_at=expires_at,
    )
    with (
        audit.refusals(organization=organization, actor=actor, action="key.issue", target=key.name, owner=owner.email),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        _check(key, now)
        _check_owner(actor, key)
        key.save()
        audit.record(
            organization=organization,
            actor=actor,
            action="key.issue",
            target=key,
            key=key.pk,
            owner=owner.email,
            scopes=key.scopes,
            team=team.name if team else None,
        )
    return IssuedKey(key, text)


def rotate_key(*, actor: User | None, key: ApiKey, overlap: timedelta, now: datetime) -> IssuedKey:
    """A key like this one, with as long to live; the old one works on for `overlap`, so that nobody stands still.

    Where its owner has left, the actor owns the new one. Raises as `issue_key` does, and ValidationError for a key
    that is over.
    """
    with (
        audit.refusals(organization=key.organization, actor=actor, action="key.rotate", target=key, key=key.pk),
        transaction.atomic(),
    ):
        require(actor, key.organization, Capability.MANAGE_PEOPLE)
        found = ApiKey.objects.select_for_update(of=("self",)).select_related("organization", "owner", "team")
        current = found.get(pk=key.pk)
        if current.revoked_at or (current.expires_at and current.expires_at <= now):
            raise ValidationError("This key is over. Create a new one.")
        lifetime = current.expires_at - current.created_at if current.expires_at else None
        issued = issue_key(
            actor=actor,
            organization=current.organization,
            owner=_successor(actor, current),
            name=current.name,
            scopes=current.scopes,
            team=current.team,
            expires_at=now + lifetime if lifetime else None,
            now=now,
        )
        if not overlap:
            revoke_key(actor=actor, key=current, now=now)
            return issued
        current.expires_at = min(now + overlap, current.expires_at or now + overlap)
        current.save(update_fields=["expires_at"])
        audit.record(
            organization=current.organization,
            actor=actor,
            action="key.rotate",
            target=current,
            key=current.pk,
            successor=issued.key.pk,
            expires_at=current.expires_at.isoformat(),
        )
    return issued


def revoke_key(*, actor: User | None, key: ApiKey, now: datetime) -> None:
    """End a key; from now on it opens nothing. Revoking twice changes nothing. Raises PermissionDenied."""
    with (
        audit.refusals(organization=key.organization, actor=actor, action="key.revoke", target=key, key=key.pk),
        transaction.atomic(),
    ):
        require(actor, key.organization, Capability.MANAGE_PEOPLE)
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            audit.record(organization=key.organization, actor=actor, action="key.revoke", target=key, key=key.pk)
    key.refresh_from_db(fields=["revoked_at"])


def find_key(text: str, now: datetime) -> ApiKey | None:
    """The living key of that text, or None. Unknown, forged, revoked and expired keys cost the same and look alike."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    with border.everything("whose key it is"):
        key = ApiKey.objects.select_related("organization", "owner").filter(prefix=match["prefix"]).first()
    genuine = hmac.compare_digest(_digest(text), bytes(key.digest) if key else _NO_DIGEST)
    if key is None or not genuine or key.revoked_at or (key.expires_at and key.expires_at <= now):
        return None
    return key


def note_use(key: ApiKey, now: datetime) -> None:
    """Remember that the key was used, at most once a minute: a busy key must not become a row everybody waits for."""
    before = now - USE_IS_NOTED_EVERY
    if key.last_used_at and key.last_used_at > before:
        return
    # The condition again inside the statement: of many requests in the same second one writes. A database too busy
    # to note it, or one that only reads (InternalError on PostgreSQL), must not refuse the request.
    with suppress(OperationalError, InternalError), border.within(key.organization_id), transaction.atomic():
        ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=key.pk).update(last_used_at=now)


def _digest(text: str) -> bytes:
    """SHA-256 suffices: the secret has 256 random bits, there is nothing to guess slowly."""
    return hashlib.sha256(text.encode()).digest()


def _successor(actor: User | None, key: ApiKey) -> User:
    stays = Membership.objects.filter(user=key.owner, organization=key.organization).exists()
    return key.owner if stays or actor is None else actor


def _check_owner(actor: User | None, key: ApiKey) -> None:
    if actor != key.owner and is_owner(key.owner, key.organization) and not is_owner(actor, key.organization):
        raise PermissionDenied("Only an owner may issue a key in the name of an owner.")


def _check(key: ApiKey, now: datetime) -> None:
    """Raise ValidationError, one message per field, unless the parts of a new key fit together."""
    membership = Membership.objects.filter(user=key.owner, organization=key.organization)
    wrong = {
        "name": "A key needs a name." if not key.name else "",
        "scopes": "Choose from ingest, read and export." if not key.scopes or set(key.scopes) - set(KeyScope) else "",
        "owner": "The owner of a key must belong to its organization." if not membership.exists() else "",
        "team": "Choose a team of the organization."
        if key.team and key.team.organization_id != key.organization_id
        else "",
        "expires_at": "A key must expire in the future." if key.expires_at and key.expires_at <= now else "",
    }
    if errors := {field: message for field, message in wrong.items() if message}:
        raise ValidationError(errors)
