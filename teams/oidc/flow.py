"""The authorization code flow: to the provider with state, nonce and PKCE, and back with claims that are checked.

State and exchange are allauth's. It asks for no nonce and believes an ID token that came straight from the provider
without looking at the signature; both are checked here.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import jwt
import requests
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from teams import sealing
from teams.models import IdentityProvider
from teams.oidc.discovery import ALGORITHMS, Document, discover, fetch
from teams.oidc.transport import ForgedError, ProviderError

_SCOPES: Final = ("openid", "email", "profile")
_NEEDED: Final = ("iss", "sub", "aud", "exp", "iat")
_LEEWAY: Final = 60  # seconds by which the clocks of provider and portal may differ
_FORGED: Final = "The provider's answer does not hold: {}. Nothing was changed; try again."


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider says of a person, after its signature was checked, and where the person wanted to go."""

    claims: Mapping[str, Any] = field(repr=False)
    next: str


def callback_address(address: UUID) -> str:
    """Where the provider sends people back: of the settings, never of the request's Host header."""
    return str(settings.PORTAL_URL + reverse("sso-callback", args=[address]))


def begin(request: HttpRequest, provider: IdentityProvider, next_url: str, email: str = "") -> str:
    """The address at the provider to which the browser goes. Raises ProviderError."""
    document = discover(provider.issuer)
    challenge = generate_code_challenge()
    nonce = secrets.token_urlsafe(32)
    client = _client(request, provider, document)
    kept = {"next": next_url, "nonce": nonce, "verifier": challenge["code_verifier"]}
    client.state = statekit.stash_state(
        request, provider_id=str(provider.pk), state=kept, state_id=secrets.token_urlsafe(32)
    )
    extra = {
        "nonce": nonce,
        "code_challenge": challenge["code_challenge"].decode(),
        "code_challenge_method": challenge["code_challenge_method"],
    }
    address: str = client.get_redirect_url(
        document.authorization_endpoint, list(_SCOPES), extra | ({"login_hint": email} if email else {})
    )
    return address


def finish(request: HttpRequest, provider: IdentityProvider) -> Answer:
    """What the answer in the browser's address is worth. Raises ProviderError; a state is good once."""
    state_id = request.GET.get("state", "")
    kept = statekit.unstash_state(request, provider_id=str(provider.pk), state_id=state_id) if state_id else None
    if kept is None:
        raise ProviderError("This sign-in was not begun in this browser, or more than ten minutes ago. Try again.")
    if "error" in request.GET or "code" not in request.GET:
        raise ProviderError("The provider let nobody in. Try again, or ask whoever manages it.")
    try:
        return Answer(_exchanged(request, provider, kept), kept["next"])
    except (OAuth2Error, requests.RequestException, OSError, KeyError, TypeError, ValueError, AttributeError):
        raise ProviderError(_FORGED.format("it could not be exchanged for a person")) from None


def _exchanged(request: HttpRequest, provider: IdentityProvider, kept: dict[str, Any]) -> dict[str, Any]:
    document = discover(provider.issuer)
    if request.GET.get("iss", document.issuer) != document.issuer or (
        document.names_issuer and "iss" not in request.GET
    ):
        raise ForgedError(_FORGED.format("it comes from another issuer"))
    client = _client(request, provider, document)
    tokens = client.get_access_token(request.GET["code"], pkce_code_verifier=kept["verifier"])
    claims = _verified(document, provider, str(tokens["id_token"]), kept["nonce"])
    return _completed(claims, document, provider, str(tokens["access_token"]))


def _verified(document: Document, provider: IdentityProvider, token: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token: of this issuer, for this client, of this sign-in, signed and not expired."""
    try:
        header = jwt.get_unverified_header(token)
        key = _key(document, header.get("alg"), header.get("kid"))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            issuer=document.issuer,
            audience=provider.client_id,
            leeway=_LEEWAY,
            options={"require": list(_NEEDED)},
        )
    except (jwt.PyJWTError, TypeError, ValueError):
        raise ForgedError(_FORGED.format("its signature, issuer, audience or time is wrong")) from None
    if not claims["sub"]:
        raise ForgedError(_FORGED.format("it names nobody"))
    if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise ForgedError(_FORGED.format("it belongs to another sign-in"))
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise ForgedError(_FORGED.format("it was made for another application"))
    return claims


def _key(document: Document, algorithm: object, kid: object) -> jwt.PyJWK:
    """The provider's public key of that id; without an id the only one."""
    shown = [
        key for key in fetch(document.jwks_uri, "The provider's jwks_uri").get("keys") or [] if isinstance(key, dict)
    ]
    fitting = [key for key in shown if key.get("kid") == kid] if kid else shown
    if algorithm not in ALGORITHMS or len(fitting) != 1:
        raise ForgedError(_FORGED.format("it is not signed by the provider"))
    return jwt.PyJWK(fitting[0], str(algorithm))


def _completed(
    claims: dict[str, Any], document: Document, provider: IdentityProvider, access_token: str
) -> dict[str, Any]:
    """With what the provider tells at its second endpoint alone: many keep groups, some the e-mail, out of tokens."""
    wanted = {"email", *([provider.groups_claim] if provider.groups_claim else [])}
    if wanted <= set(claims) or not document.userinfo_endpoint:
        return claims
    more = fetch(document.userinfo_endpoint, "The provider's userinfo_endpoint", Authorization=f"Bearer {access_token}")
    if more.get("sub") != claims["sub"]:
        raise ForgedError(_FORGED.format("its two parts name different people"))
    return more | claims


def _client(request: HttpRequest, provider: IdentityProvider, document: Document) -> OAuth2Client:
    try:
        secret = sealing.unseal(provider.sealed_secret)
    except sealing.SealBrokenError:
        raise ProviderError("The client secret cannot be read any more. An owner has to enter it again.") from None
    return OAuth2Client(
        request,
        provider.client_id,
        secret,
        "POST",
        document.token_endpoint,
        callback_address(provider.address),
        basic_auth=document.basic_auth,
    )
