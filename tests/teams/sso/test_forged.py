"""Answers that a provider did not give, gave to somebody else, or gave too long ago."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from pytest_django import Settings

from teams.models import AuditEntry, IdentityProvider, Membership, User
from teams.oidc import ProviderError, discover
from teams.oidc.discovery import fetch
from teams.oidc.transport import Adapter
from tests.teams.sso.conftest import Arrive, Change, Provider, query_of, signed_in_as

Tamper = Callable[..., None]
EMAIL = "new@acme.example"
MINE = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def setting(**changed: Any) -> Change:
    return lambda claims: claims.update(changed)


def without(name: str) -> Change:
    return lambda claims: claims.pop(name)


def nothing(claims: dict[str, Any]) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "signing"),
    [
        (setting(iss="https://evil.example"), {}),
        (without("iss"), {}),
        (setting(aud="another client"), {}),
        (setting(aud=[]), {}),
        (without("aud"), {}),
        (setting(azp="another client"), {}),
        (setting(nonce="of another sign-in"), {}),
        (without("nonce"), {}),
        (lambda claims: claims.update(exp=time.time() - 120), {}),
        (without("exp"), {}),
        (lambda claims: claims.update(iat=time.time() + 3600), {}),
        (without("sub"), {}),
        (setting(sub=""), {}),
        (setting(sub=7), {}),
        (nothing, {"key": MINE}),
        (nothing, {"key": MINE, "kid": "unknown"}),
        (nothing, {"algorithm": "none"}),
        (nothing, {"key": "a client secret that the forger knows", "algorithm": "HS256"}),
    ],
)
def test_a_changed_answer_lets_nobody_in(
    acme_sso: IdentityProvider, arrive: Arrive, tamper: Tamper, client: Client, change: Change, signing: dict[str, Any]
) -> None:
    tamper(change, **signing)
    refused = arrive(acme_sso, "f-1", client, email=EMAIL)
    assert refused.status_code == 403
    assert b"Nothing was changed" in refused.content
    assert signed_in_as(client) is None
    assert not User.objects.exists()
    assert list(AuditEntry.objects.filter(action="sign_in.refused").values_list("target", flat=True)) == ["nobody"]


def test_the_unchanged_answer_does_through_the_same_hands(
    acme_sso: IdentityProvider, arrive: Arrive, tamper: Tamper, client: Client
) -> None:
    tamper(nothing)
    assert arrive(acme_sso, "f-2", client, email=EMAIL).status_code == 302


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=x", "code=x&state=x", "state=%00&code=%00", "error=access_denied"]
)
def test_an_answer_that_nobody_asked_for(acme_sso: IdentityProvider, client: Client, query: str) -> None:
    refused = client.get(f"/sign-in/sso/{acme_sso.address}/callback?{query}")
    assert refused.status_code == 403
    assert b"not begun in this browser" in refused.content
    assert signed_in_as(client) is None


def back_of(client: Client, at: Provider, provider: IdentityProvider) -> str:
    led = client.get(f"/sign-in/sso/{provider.address}")["Location"]
    return at.lets_in(led, "f-3").partition("8000")[2]


def test_an_answer_is_good_in_its_own_browser_alone(acme_sso: IdentityProvider, at: Provider, client: Client) -> None:
    at.says("f-3", email=EMAIL, email_verified=True)
    back = back_of(client, at, acme_sso)
    assert Client().get(back).status_code == 403
    assert client.get(back.replace("code=", "code=x")).status_code == 403  # and the state is used up with it
    assert client.get(back).status_code == 403
    assert not User.objects.exists()


def test_an_answer_that_is_too_late(acme_sso: IdentityProvider, at: Provider, client: Client) -> None:
    at.says("f-3", email=EMAIL, email_verified=True)
    back = back_of(client, at, acme_sso)
    session = client.session
    (state,) = session["socialaccount_states"]
    session["socialaccount_states"][state][1] -= 601
    session.save()
    assert client.get(back).status_code == 403


def test_whoever_says_no_at_the_provider(acme_sso: IdentityProvider, at: Provider, client: Client) -> None:
    led = client.get(f"/sign-in/sso/{acme_sso.address}")["Location"]
    state = query_of(led)["state"]
    refused = client.get(f"/sign-in/sso/{acme_sso.address}/callback?error=access_denied&state={state}")
    assert refused.status_code == 403
    assert b"let nobody in" in refused.content


def test_a_mix_up_with_another_issuer(acme_sso: IdentityProvider, at: Provider, client: Client) -> None:
    at.says("f-3", email=EMAIL, email_verified=True)
    refused = client.get(back_of(client, at, acme_sso) + "&iss=https://evil.example")
    assert refused.status_code == 403
    assert b"another issuer" in refused.content
    assert not Membership.objects.exists()


def test_a_provider_that_is_gone(acme_sso: IdentityProvider, client: Client) -> None:
    IdentityProvider.objects.update(issuer="http://127.0.0.1:9")
    refused = client.get(f"/sign-in/sso/{acme_sso.address}")
    assert refused.status_code == 502
    assert b"does not answer" in refused.content


def test_a_secret_under_another_key_is_said(acme_sso: IdentityProvider, settings: Settings, client: Client) -> None:
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another one that is long enough for everybody"
    refused = client.get(f"/sign-in/sso/{acme_sso.address}")
    assert b"cannot be read any more" in refused.content
    settings.SECRET_KEY_FALLBACKS = [before]
    assert client.get(f"/sign-in/sso/{acme_sso.address}").status_code == 302


def test_an_absent_provider_is_not_there(client: Client, db: None) -> None:
    for path in ("", "/callback"):
        assert client.get(f"/sign-in/sso/00000000-0000-4000-8000-000000000000{path}").status_code == 404


class Answering:
    """A session that answers with one document."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.response = requests.Response()
        self.response._content, self.response.status_code = body, status

    def __enter__(self) -> "Answering":
        return self

    def __exit__(self, *args: object) -> None:
        pass

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        return self.response


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"<html>", 200, "JSON document"),
        (b"[]", 200, "JSON document"),
        (b"{}", 404, "status 404"),
        (b"{}", 302, "status 302"),
        (b'{"issuer": "https://evil.example"}', 200, "calls itself"),
        (b'{"issuer": "http://127.0.0.1:1"}', 200, "names no authorization_endpoint"),
        (
            b'{"issuer": "http://127.0.0.1:1", "authorization_endpoint": "http://192.0.2.1/"}',
            200,
            "has to begin with https://",
        ),
        (
            b'{"issuer": "http://127.0.0.1:1", "authorization_endpoint": "javascript:alert(1)"}',
            200,
            "authorization_endpoint",
        ),
    ],
)
def test_a_document_that_does_not_hold(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, body: bytes, status: int, words: str
) -> None:
    settings.SSO_PRIVATE = True
    monkeypatch.setattr(Adapter, "get_requests_session", lambda self: Answering(body, status))
    with pytest.raises(ProviderError, match=words):
        discover("http://127.0.0.1:1")


def test_nobody_is_led_on(at: Provider) -> None:
    """Where an answer leads was not looked at: it may be inside the portal's network."""
    assert fetch(f"{at.url}/.well-known/openid-configuration", "It")
    with pytest.raises(ProviderError, match="status 302"):
        fetch(f"{at.url}/moved", "It")


def test_an_endless_answer_is_cut(at: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teams.oidc.transport._LONGEST", 100)
    with pytest.raises(ProviderError, match="too long"):
        discover(at.url)


def test_the_forger_of_these_tests_can_sign(at: Provider) -> None:
    token = at.sign({"a": 1})
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
