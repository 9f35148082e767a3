"""Requests to providers. Their addresses come from people of one organization: the portal must not be led elsewhere."""

import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings

SECONDS: Final = 5
_LONGEST: Final = 2**20  # bytes of an answer


class ProviderError(Exception):
    """Why a sign-in through a provider did not come about, as a sentence for people."""


class ForgedError(ProviderError):
    """What the provider signed is not for this sign-in: an attack, or a mistake in its set-up."""


def check_address(url: str, what: str) -> None:
    """Raise ProviderError for what is no HTTPS address on the public network, unless operators allow private ones."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        found = {ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in socket.getaddrinfo(host, port)}
    except (OSError, ValueError):
        raise ProviderError(f"{what}: no server is found under {parts.netloc or url}.") from None
    if parts.scheme != "https" and not (settings.SSO_PRIVATE and all(one.is_loopback for one in found)):
        raise ProviderError(f"{what} has to begin with https://.")
    if not settings.SSO_PRIVATE and not all(one.is_global for one in found):
        raise ProviderError(f"{what} is in a private network. Operators of the portal may allow that.")


class _Session(requests.Session):
    """Follows no redirect, waits seconds, reads a megabyte, and never asks a proxy or a .netrc."""

    def request(  # type: ignore[override]  # what else allauth hands on is as it is for requests
        self, method: str, url: str, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """The answer, read in full."""
        check_address(url, "The provider's address")
        self.trust_env = False
        kwargs |= {"timeout": SECONDS, "allow_redirects": False, "stream": True}
        response = super().request(method, url, *args, **kwargs)
        body = response.raw.read(_LONGEST + 1, decode_content=True)
        if len(body) > _LONGEST:
            raise ProviderError("The provider's answer is too long.")
        response._content = body  # what `json()` and `text` read
        return response


class Adapter(DefaultSocialAccountAdapter):
    """Hands allauth our session for its requests."""

    def get_requests_session(self) -> requests.Session:
        """One session per exchange."""
        return _Session()
