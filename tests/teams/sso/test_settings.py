"""The page on which owners decide how people sign in."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from teams import oidc, services
from teams.models import AuditEntry, IdentityProvider, Organization, ProviderDomain, Team, User
from tests.teams.sso.conftest import Arrive, Connect, Provider

HERE = "/o/acme/settings/sign-in"
CANARY = "canary-client-secret"


def form(at: Provider, **changed: str) -> dict[str, str]:
    return {
        "issuer": at.url,
        "client_id": "portal",
        "secret": CANARY,
        "domains": "acme.example\nAcme.Other.example, acme.example",
        "groups_claim": "groups",
        "grants": "Portal: admins: admin\nleads: manager of Search\n",
    } | changed


def test_an_owner_connects_a_provider(
    owner: User, search: Team, at: Provider, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(owner)
    address = oidc.callback_address(services.address_of(search.organization))
    assert address in client.get(HERE).content.decode()  # before there is one: the provider wants to know it first
    page = client.post(HERE, form(at), follow=True)
    assert b"The provider answered" in page.content
    provider = IdentityProvider.objects.get()
    assert provider.sealed_secret != CANARY
    assert list(ProviderDomain.objects.values_list("domain", flat=True)) == ["acme.example", "acme.other.example"]
    assert [str(grant) for grant in provider.grants.all()] == ["Portal: admins: admin", "leads: manager of Search"]
    assert address in page.content.decode()
    everywhere = page.content.decode() + caplog.text + repr(list(AuditEntry.objects.values()))
    everywhere += repr(list(IdentityProvider.objects.values()))
    assert CANARY not in everywhere
    # An empty field keeps the secret.
    client.post(HERE, form(at, secret="", domains="acme.example"))
    provider.refresh_from_db()
    assert [one.domain for one in provider.domains.all()] == ["acme.example"]
    assert AuditEntry.objects.filter(action="sign_in.provider", details__secret="kept").count() == 1


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"issuer": "http://127.0.0.1:9"}, "issuer", "does not answer"),
        ({"issuer": "https://127.0.0.1/\0"}, "issuer", "Null characters"),
        ({"issuer": "not an address"}, "issuer", "is no address"),
        ({"secret": ""}, "secret", "client secret"),
        ({"domains": "acme"}, "domains", "no domain"),
        ({"domains": "acme.example/x"}, "domains", "no domain"),
        ({"domains": " "}, "domains", "required"),
        ({"domains": "*.example"}, "domains", "no domain"),
        ({"domains": "a" * 300 + ".example"}, "domains", "no domain"),
        ({"domains": "rival.example"}, "domains", "another organization"),
        ({"grants": "admins"}, "grants", "colon"),
        ({"grants": "admins: king"}, "grants", "colon"),
        ({"grants": "x: viewer of Rival search"}, "grants", "no team"),
        ({"groups_claim": ""}, "groups_claim", "in which claim"),
    ],
)
def test_what_does_not_hold_changes_nothing(
    owner: User,
    rival: Organization,
    connect: Connect,
    search: Team,
    at: Provider,
    client: Client,
    changed: dict[str, str],
    field: str,
    words: str,
) -> None:
    connect(rival)
    Team.objects.create(organization=rival, name="Rival search")
    client.force_login(owner)
    page = client.post(HERE, form(at, **changed))
    assert page.status_code == 400
    assert words in " ".join(page.context["form"].errors[field])
    assert CANARY not in page.content.decode()
    assert list(IdentityProvider.objects.values_list("organization__slug", flat=True)) == ["rival"]


def test_administrators_look_and_owners_decide(acme_sso: IdentityProvider, admin: User, client: Client) -> None:
    """Whoever chooses the provider could sign in as an owner."""
    client.force_login(admin)
    page = client.get(HERE)
    assert b"Owners decide" in page.content
    assert b"Check and save" not in page.content
    before = list(IdentityProvider.objects.values())
    answers: list[tuple[str, dict[str, Any]]] = [
        ("", {"issuer": acme_sso.issuer, "client_id": "x", "domains": "acme.example"}),
        ("/remove", {}),
        ("/only", {"on": "yes"}),
        ("/second-factor", {"on": "yes"}),
    ]
    for path, data in answers:
        assert client.post(HERE + path, data).status_code == 403, path
    assert list(IdentityProvider.objects.values()) == before
    assert AuditEntry.objects.filter(actor=admin, action__endswith=".refused").count() == 4


def test_another_issuer_ends_what_the_one_before_opened(
    acme_sso: IdentityProvider, owner: User, arrive: Arrive, at: Provider, client: Client
) -> None:
    arrive(acme_sso, "t-1", client, email=owner.email)
    assert client.get(HERE).status_code == 200
    other = at.url.replace("127.0.0.1", "localhost")
    assert client.post(HERE, form(at, issuer=other, secret="", grants="")).status_code == 400
    assert client.post(HERE, form(at, issuer=other, grants="")).status_code == 302
    assert client.get(HERE).status_code == 403
    assert IdentityProvider.objects.get().address == acme_sso.address  # still the one registered
    assert not IdentityProvider.objects.get().identities.exists()


def test_the_only_way_in_is_not_removed_or_led_elsewhere(
    acme_sso: IdentityProvider, owner: User, arrive: Arrive, at: Provider, client: Client
) -> None:
    arrive(acme_sso, "t-2", client, email=owner.email)
    IdentityProvider.objects.update(sso_only=True)
    before = list(IdentityProvider.objects.values())
    assert client.post(HERE + "/remove").status_code == 400
    assert client.post(HERE, form(at, grants="", client_id="other")).status_code == 400
    assert list(IdentityProvider.objects.values()) == before
    call_command("allow_passwords", "--organization", "acme")
    assert not IdentityProvider.objects.get().sso_only
    assert client.post(HERE + "/remove").status_code == 302
    assert not IdentityProvider.objects.exists()


def test_the_command_wants_an_organization_with_a_provider(acme: Organization) -> None:
    for slug in ("absent", "acme"):
        with pytest.raises(CommandError):
            call_command("allow_passwords", "--organization", slug)


def test_members_who_would_be_left_out_are_named(acme_sso: IdentityProvider, owner: User, client: Client) -> None:
    User.objects.create_user("consultant@elsewhere.example")
    services.add_member(
        actor=None, organization=acme_sso.organization, email="consultant@elsewhere.example", role="member"
    )
    client.force_login(owner)
    page = client.get(HERE).content.decode()
    assert "1 member with an address of another domain" in page
    assert "consultant@elsewhere.example" in page


def test_a_domain_says_the_same_of_everybody(acme_sso: IdentityProvider, member: User) -> None:
    """Nobody learns from the first step which addresses have accounts."""

    def typed(email: str) -> str:
        page = Client().post("/sign-in", {"username": email})
        assert page.status_code == 200
        return page.content.decode().replace(email.replace("@", "%40"), "").replace(email, "")

    strip = ("csrfmiddlewaretoken",)
    known, unknown = typed(member.email), typed("x@acme.example")
    assert known == unknown
    assert "To your organization" in known
    elsewhere = [typed(email) for email in ("someone@else.example", "nobody@else.example")]
    lines = [[line for line in page.splitlines() if strip[0] not in line] for page in elsewhere]
    assert lines[0] == lines[1]
    assert 'name="password"' in elsewhere[0]


def test_the_email_comes_first_where_there_are_providers(acme_sso: IdentityProvider, client: Client) -> None:
    assert b'name="password"' not in client.get("/sign-in").content
    assert b'name="password"' in client.get("/sign-in?password").content
    IdentityProvider.objects.all().delete()
    assert b'name="password"' in client.get("/sign-in").content
