"""A provider on loopback, organizations that use it, and people who come from it."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from teams import oidc, services
from teams.models import IdentityProvider, Organization, User
from teams.services import Grant

Change = Callable[[dict[str, Any]], None]


@dataclass
class Provider:
    """The provider as tests use it."""

    url: str

    def register(self, address: str) -> tuple[str, str]:
        """Id and secret of a new client that is sent back to that address."""
        made = requests.post(f"{self.url}/oauth2/clients", json={"redirect_uris": [address]}, timeout=10).json()
        return made["client_id"], made["client_secret"]

    def says(self, subject: str, **claims: Any) -> None:
        """What it tells of a person."""
        requests.put(f"{self.url}/users/{subject}", json=claims, timeout=10).raise_for_status()

    def lets_in(self, address: str, subject: str) -> str:
        """The address to which it sends the browser back after somebody signed in there."""
        answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def sign(self, claims: Mapping[str, Any], key: Any = None, algorithm: str = "RS256", **header: Any) -> str:
        """A token with its key."""
        private = requests.get(f"{self.url}/private-key", timeout=10).json()
        headers = ({"kid": private["kid"]} if "kid" in private else {}) | header
        chosen: Any = None if algorithm == "none" else key or jwt.PyJWK(private, "RS256").key
        return jwt.encode(dict(claims), chosen, algorithm=algorithm, headers=headers)


@pytest.fixture(scope="session")
def running() -> Iterator[Provider]:
    """One for all tests: its process starts in a second."""
    command = [sys.executable, "-m", "tests.teams.sso.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield Provider(f"http://127.0.0.1:{port}")
        process.terminate()


@pytest.fixture
def at(running: Provider, settings: Settings) -> Provider:
    """The provider, which the portal may reach although it is on this machine."""
    settings.SSO_PRIVATE = True
    return running


Connect = Callable[..., IdentityProvider]


@pytest.fixture
def connect(at: Provider) -> Connect:
    """Makes the provider that of an organization."""

    def connected(organization: Organization, *domains: str, grants: tuple[Grant, ...] = ()) -> IdentityProvider:
        client_id, secret = at.register(oidc.callback_address(services.address_of(organization)))
        made = services.save_provider(
            actor=None,
            organization=organization,
            issuer=at.url,
            client_id=client_id,
            secret=secret,
            domains=domains or (f"{organization.slug}.example",),
            groups_claim="groups",
            vouches=False,
            grants=grants,
        )
        for one in made.domains.all():
            services.confirm_domain(organization=organization, domain=one.domain, now=timezone.now())
        return made

    return connected


@pytest.fixture
def acme_sso(acme: Organization, connect: Connect) -> IdentityProvider:
    """The provider of acme, for acme.example."""
    return connect(acme)


Arrive = Callable[..., Any]


@pytest.fixture
def arrive(at: Provider) -> Arrive:
    """Takes the whole way of a browser; the answer of the portal to the callback."""

    def arrived(provider: IdentityProvider, subject: str, client: Client, target: str = "", **claims: object) -> Any:
        if claims:
            at.says(subject, **({"email_verified": True} | claims))
        start = client.get(f"/sign-in/sso/{provider.address}", {"next": target} if target else {})
        assert start.status_code == 302, start.content
        back = urlsplit(at.lets_in(start["Location"], subject))
        return client.get(f"{back.path}?{back.query}")

    return arrived


@pytest.fixture
def tamper(at: Provider, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes the claims on their way to the portal, signed again with the provider's own key or another."""

    def tampering(change: Change, **signing: Any) -> None:
        original = OAuth2Client.get_access_token

        def changed(self: OAuth2Client, *args: Any, **kwargs: Any) -> dict[str, Any]:
            tokens: dict[str, Any] = original(self, *args, **kwargs)
            middle = tokens["id_token"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
            change(claims)
            return tokens | {"id_token": at.sign(claims, **signing)}

        monkeypatch.setattr(OAuth2Client, "get_access_token", changed)

    return tampering


def signed_in_as(client: Client) -> User | None:
    """Whose session a client has."""
    number = client.session.get("_auth_user_id")
    return User.objects.get(pk=number) if number else None


def query_of(address: str) -> dict[str, str]:
    """The parameters of an address, each once."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
