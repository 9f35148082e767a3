"""Second factors: codes of an app, passkeys, recovery codes. Kept and checked by allauth, in acts of our own."""

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from metricsportal.lib import border
from teams import sealing
from teams.models import Membership, Organization, User
from teams.roles import Capability, OrganizationRole
from teams.services import audit
from teams.services.rules import RuleBrokenError, is_owner, require

_Type = Authenticator.Type
_MOST_PASSKEYS: Final = 20
_WRONG: Final = "The code is not right, or it was used already. Enter the newest one."


class Adapter(DefaultMFAAdapter):
    """Of allauth: secrets are sealed, and passkeys belong to the host of PORTAL_URL."""

    def encrypt(self, text: str) -> str:
        """Ciphertext for the database."""
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What was sealed."""
        return sealing.unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """To whom passkeys are given: a host of the settings, never of the request."""
        return {"id": urlsplit(settings.PORTAL_URL).hostname or "", "name": "Metrics portal"}


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person has beside the password."""

    app: Authenticator | None
    passkeys: list[Authenticator]
    codes_left: int

    def __bool__(self) -> bool:
        return self.app is not None or bool(self.passkeys)


def factors_of(user: User) -> Factors:
    """The person's second factors."""
    found = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    kept = {one.type: one for one in found}
    codes = kept.get(_Type.RECOVERY_CODES)
    left = len(RecoveryCodes(codes).get_unused_codes()) if codes else 0
    return Factors(kept.get(_Type.TOTP), [one for one in found if one.type == _Type.WEBAUTHN], left)


def has_factor(user: User) -> bool:
    """Whether a password alone does not sign the person in."""
    return bool(Authenticator.objects.filter(user=user, type__in=[_Type.TOTP, _Type.WEBAUTHN]).exists())


def must_have_factor(user: User) -> bool:
    """Whether some organization of the person asks for a second factor."""
    asking = Organization.objects.filter(memberships__user=user, second_factor=True)
    with border.everything("where somebody belongs"):
        return not user.is_superuser and asking.exists()


def passkeys_work() -> bool:
    """Whether browsers allow passkeys here: with TLS under a name, or on localhost."""
    parts = urlsplit(settings.PORTAL_URL)
    host = parts.hostname or ""
    named = not host.replace(".", "").isdigit() and ":" not in host
    return host == "localhost" or (parts.scheme == "https" and named)


def new_app_secret() -> str:
    """A secret for an app, stored by `add_app` once a code proves that the app has it."""
    secret: str = generate_totp_secret()
    return secret


def app_picture(user: User, secret: str) -> str:
    """The secret as a QR code, as the address of a picture."""
    adapter = Adapter()
    svg = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def add_app(*, user: User, secret: str, code: str) -> list[str]:
    """Store the app whose code is right. The recovery codes if they are new, else nothing. Raises ValidationError."""
    with transaction.atomic():
        _lock(user)
        if Authenticator.objects.filter(user=user, type=_Type.TOTP).exists():
            raise ValidationError("There is an app already. Remove it first.")
        instance = TOTP.activate(user, secret).instance
        if not _code_of_app(instance, code):
            raise ValidationError({"code": _WRONG})
        _audit(user, "second_factor.add", kind="app")
        return _first_codes(user)


def begin_passkey(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey; what it answers goes to `add_passkey`."""
    options: dict[str, Any] = webauthn.begin_registration(user, passwordless=False)
    return options


def add_passkey(*, user: User, name: str, credential: str) -> list[str]:
    """Store a passkey that the browser made. Returns and raises as `add_app` does."""
    with transaction.atomic():
        _lock(user)
        if Authenticator.objects.filter(user=user, type=_Type.WEBAUTHN).count() >= _MOST_PASSKEYS:
            raise ValidationError(f"At most {_MOST_PASSKEYS} passkeys.")
        made = _read(credential)
        try:
            webauthn.complete_registration(made)
        except (ValueError, TypeError, KeyError, AttributeError, ValidationError):
            raise ValidationError("The browser's answer does not hold. Try again.") from None
        webauthn.WebAuthn.add(user, name.strip()[:100] or "Passkey", made)
        _audit(user, "second_factor.add", kind="passkey")
        return _first_codes(user)


def begin_passkey_check(user: User) -> dict[str, Any] | None:
    """What the browser needs to use a passkey of the person; None when there is none."""
    if not Authenticator.objects.filter(user=user, type=_Type.WEBAUTHN).exists():
        return None
    options: dict[str, Any] = webauthn.begin_authentication(user)
    return options


def check_passkey(*, user: User, credential: str) -> bool:
    """Whether the browser's answer comes from a passkey of the person."""
    try:
        webauthn.complete_authentication(user, _read(credential)).record_usage()
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError):
        return False
    return True


def check_code(*, user: User, code: str) -> bool:
    """Whether it is the app's newest code or a recovery code; either is good once."""
    with transaction.atomic():
        _lock(user)
        for instance in Authenticator.objects.filter(user=user, type__in=[_Type.TOTP, _Type.RECOVERY_CODES]):
            right = _code_of_app(instance, code) if instance.type == _Type.TOTP else instance.wrap().validate_code(code)
            if right:
                instance.refresh_from_db()
                instance.record_usage()
                return True
    return False


def new_recovery_codes(*, user: User) -> list[str]:
    """Other recovery codes; those of before open nothing. Raises ValidationError without a factor."""
    with transaction.atomic():
        _lock(user)
        if not has_factor(user):
            raise ValidationError("Recovery codes need an app or a passkey.")
        Authenticator.objects.filter(user=user, type=_Type.RECOVERY_CODES).delete()
        _audit(user, "second_factor.codes")
        return _first_codes(user)


def remove_own_factor(*, user: User, number: int) -> None:
    """End an app or a passkey of oneself; the last one takes the recovery codes with it. Raises ValidationError."""
    with transaction.atomic():
        _lock(user)
        mine = Authenticator.objects.filter(user=user, type__in=[_Type.TOTP, _Type.WEBAUTHN])
        found = mine.filter(pk=number).first()
        if found is None:
            raise ValidationError("This one was removed already.")
        if must_have_factor(user) and mine.count() == 1:
            raise RuleBrokenError("Your organization asks for a second factor. Add another one first.")
        found.delete()
        _audit(user, "second_factor.remove", kind="app" if found.type == _Type.TOTP else "passkey")
        if not has_factor(user):
            Authenticator.objects.filter(user=user).delete()


def remove_factors(*, actor: User | None, membership: Membership) -> None:
    """End all second factors of a member who lost them. Raises PermissionDenied, ValidationError.

    Only where the person belongs to no other organization: it would open that one too. Operators may always.
    """
    organization, user = membership.organization, membership.user
    with (
        audit.refusals(organization=organization, actor=actor, action="second_factor.reset", target=user),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        if actor is not None and actor == user:
            raise RuleBrokenError("Your own second factors are on your profile page.")
        _may_reset(actor, membership)
        if not Authenticator.objects.filter(user=user).delete()[0]:
            raise ValidationError(f"{user.email} has no second factor.")
        audit.record(organization=organization, actor=actor, action="second_factor.reset", target=user)


def _may_reset(actor: User | None, membership: Membership) -> None:
    if actor is None or actor.is_superuser:
        return
    user = membership.user
    if membership.role == OrganizationRole.OWNER and not is_owner(actor, membership.organization):
        raise PermissionDenied("Only an owner may do this for an owner.")
    with border.everything("where somebody belongs"):
        elsewhere = user.memberships.exclude(organization=membership.organization).exists()
    if user.is_superuser or elsewhere:
        raise PermissionDenied("This person may enter more than your organization. Ask an operator of the portal.")


def _lock(user: User) -> None:
    """One act on a person's factors at a time: a code must not count twice."""
    User.objects.select_for_update().get(pk=user.pk)


def _code_of_app(instance: Authenticator, code: str) -> bool:
    """Whether the code is right, and newer than the last one that was: whoever looks on cannot use it again."""
    secret, typed = sealing.unseal(instance.data["secret"]), normalize_user_code(code).encode()
    for counter in yield_hotp_counters_from_time():
        expected = format_hotp_value(hotp_value(secret, counter)).encode()
        if hmac.compare_digest(typed, expected) and counter > instance.data.get("last", -1):
            instance.data["last"] = counter
            instance.save(update_fields=["data"])
            return True
    return False


def _first_codes(user: User) -> list[str]:
    """Recovery codes made now; none when the person has some."""
    if Authenticator.objects.filter(user=user, type=_Type.RECOVERY_CODES).exists():
        return []
    return list(RecoveryCodes.activate(user).generate_codes())


def _read(credential: str) -> dict[str, Any]:
    try:
        found = json.loads(credential)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _audit(user: User, action: str, **details: object) -> None:
    for organization in _organizations(user):
        audit.record(organization=organization, actor=user, action=action, target=user, **details)


def _organizations(user: User) -> Iterable[Organization]:
    with border.everything("where somebody belongs"):
        return list(Organization.objects.filter(memberships__user=user).order_by("pk"))
