"""Requests to providers. Their addresses come from people of one organization: the portal must not be led elsewhere."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Final, cast

import requests
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from requests.adapters import BaseAdapter

from metricsportal.lib import addresses
from metricsportal.lib.addresses import Reach, RefusedError, Target, Why
from metricsportal.lib.outbound import TooLongError, exchange

_WHAT: Final = "The provider's address"
_LONGEST: Final = 2**20  # bytes of an answer
_LOOPBACK: Final = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))
# Not the link-local ones: there the metadata of cloud machines is, with their secrets.
_PRIVATE: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
_WORDS: Final = {
    Why.NO_ADDRESS: "is no address such as https://id.example.com.",
    Why.NOT_HTTPS: "has to begin with https://.",
    Why.CREDENTIALS: "may hold neither a user name, a password nor a fragment.",
    Why.UNENCRYPTED: "has to begin with https://.",
    Why.INSIDE: "is in a private network. Operators of the portal may allow that.",
}


class ProviderError(Exception):
    """Why a sign-in through a provider did not come about, as a sentence for people."""


class ForgedError(ProviderError):
    """What the provider signed is not for this sign-in: an attack, or a mistake in its set-up."""


def check_address(url: str, what: str) -> None:
    """Raise ProviderError for what is no HTTPS address on the public network, unless operators allow private ones."""
    target = _target(url, what)
    try:
        addresses.resolve(target, _reach())
    except RefusedError as error:
        raise _refused(error, what) from None
    except OSError:
        raise ProviderError(f"{what}: no server is found under {target.authority}.") from None


def _target(url: str, what: str) -> Target:
    try:
        return addresses.parse(url, _reach())
    except RefusedError as error:
        raise _refused(error, what) from None


def _reach() -> Reach:
    return Reach(encrypted=_LOOPBACK + _PRIVATE, plain=_LOOPBACK) if settings.SSO_PRIVATE else Reach()


def _refused(error: RefusedError, what: str) -> ProviderError:
    return ProviderError(f"{what} {_WORDS[error.why]}")


class _Adapter(BaseAdapter):
    """Answers for requests by way of the portal's own exchange: pinned, bounded, with a deadline."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """The answer, read in full. Raises ProviderError, and requests' ConnectionError."""
        url = request.url or ""
        sent = request.body
        body = sent.encode() if isinstance(sent, str) else cast("bytes | None", sent)  # allauth sends forms
        headers = {name: str(value) for name, value in request.headers.items()} | {"Accept-Encoding": "identity"}
        try:
            answer = exchange(request.method or "", _target(url, _WHAT), _reach(), body, headers, longest=_LONGEST)
        except RefusedError as error:
            raise _refused(error, _WHAT) from None
        except TooLongError:
            raise ProviderError("The provider's answer is too long.") from None
        except OSError as error:
            raise requests.ConnectionError(str(error), request=request) from error
        return _response(request, answer.status, dict(answer.headers), answer.body)

    def close(self) -> None:
        """Each exchange has its own connection."""


def _response(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = status, request.url or "", request
    response.headers.update(headers)
    response._content = body  # what `json()` and `text` read
    return response


class _Session(requests.Session):
    """Follows no redirect, and never asks a proxy or a .netrc."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter())

    def request(  # type: ignore[override]  # what else allauth hands on is as it is for requests
        self, method: str, url: str, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """The answer of that very address."""
        _target(url, _WHAT)  # before requests makes an address of what is none
        return super().request(method, url, *args, **(kwargs | {"allow_redirects": False}))


class Adapter(DefaultSocialAccountAdapter):
    """Hands allauth our session for its requests."""

    def get_requests_session(self) -> requests.Session:
        """One session per exchange."""
        return _Session()
