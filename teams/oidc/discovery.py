"""The document in which a provider says where its endpoints are, checked before anything in it is used."""

from dataclasses import dataclass
from typing import Any, Final

import requests
from allauth.socialaccount.adapter import get_adapter

from teams.oidc.transport import ProviderError, check_address

_PATH: Final = "/.well-known/openid-configuration"
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# Signatures that only the provider can make. Never HS*: its key would be the client secret; never "none".
ALGORITHMS: Final = frozenset(f"{kind}{bits}" for kind in ("RS", "ES", "PS") for bits in (256, 384, 512)) | {"EdDSA"}


@dataclass(frozen=True, slots=True)
class Document:
    """What the portal needs of a provider's discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    basic_auth: bool  # how the client secret is sent
    names_issuer: bool  # each answer to the browser says who gives it


def discover(issuer: str) -> Document:
    """The checked document of an issuer. Raises ProviderError with what is wrong."""
    found = fetch(issuer.rstrip("/") + _PATH, "The issuer")
    if found.get("issuer") != issuer:
        raise ProviderError(
            f"The provider calls itself {str(found.get('issuer'))[:200]!r}, not {issuer!r}. Copy its issuer exactly."
        )
    for name in _ENDPOINTS:
        if not isinstance(found.get(name), str):
            raise ProviderError(f"The provider's discovery document names no {name}.")
        check_address(found[name], f"The provider's {name}")
    if "code" not in found.get("response_types_supported", ["code"]):
        raise ProviderError("The provider does not offer the authorization code flow.")
    methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Document(
        issuer=issuer,
        **{name: found[name] for name in _ENDPOINTS},
        userinfo_endpoint=str(found.get("userinfo_endpoint") or ""),
        basic_auth="client_secret_post" not in methods,
        names_issuer=found.get("authorization_response_iss_parameter_supported") is True,
    )


def check_keys(document: Document) -> None:
    """Raise ProviderError when the provider shows no key with which its answers could be checked."""
    keys = fetch(document.jwks_uri, "The provider's jwks_uri").get("keys")
    if not isinstance(keys, list) or not any(isinstance(key, dict) and key.get("kty") for key in keys):
        raise ProviderError("The provider shows no keys with which its answers could be checked.")


def fetch(url: str, what: str, **headers: str) -> dict[str, Any]:
    """The JSON object at an address. Raises ProviderError."""
    check_address(url, what)
    try:
        with get_adapter().get_requests_session() as session:
            response = session.get(url, headers=headers)
        found = response.json() if response.status_code == requests.codes.ok else None
    except requests.JSONDecodeError:
        found = None
    except (requests.RequestException, OSError):
        raise ProviderError(f"{what} does not answer at {url}.") from None
    if not isinstance(found, dict):
        raise ProviderError(f"{what} does not answer with a JSON document at {url} (status {response.status_code}).")
    return found
