"""Signing in through a provider: the whole way, who is let in as what, and what groups grant."""

from typing import Any

import pytest
from django.test import Client

from teams import services
from teams.models import (
    AuditEntry,
    Identity,
    IdentityProvider,
    Invitation,
    Membership,
    Organization,
    Team,
    TeamMembership,
    User,
)
from teams.services import Grant
from tests import make
from tests.teams.sso.conftest import Arrive, Connect, Provider, query_of, signed_in_as

EMAIL = "new@acme.example"


def test_the_whole_way_of_somebody_new(acme_sso: IdentityProvider, at: Provider, client: Client) -> None:
    at.says("s-1", email="New@ACME.example", email_verified=True, name="New Person")
    typed = client.post("/sign-in", {"username": EMAIL, "next": "/o/acme/statements/"})
    assert typed.status_code == 200
    address = typed.context["address"]
    assert f'content="0;url={address.replace("&", "&amp;")}"' in typed.content.decode()
    led = client.get(address)
    sent = query_of(led["Location"])
    assert led["Location"].startswith(at.url)
    assert (sent["response_type"], sent["code_challenge_method"]) == ("code", "S256")
    assert sent["redirect_uri"] == f"http://127.0.0.1:8000/sign-in/sso/{acme_sso.address}/callback"
    assert len(sent["nonce"]) > 40
    assert len(sent["state"]) > 40
    assert sent["login_hint"] == EMAIL
    before = client.session.session_key
    back = at.lets_in(led["Location"], "s-1").partition("8000")[2]
    answer = client.get(back)
    assert answer["Location"] == "/o/acme/statements/"
    person = signed_in_as(client)
    assert person is not None
    assert (person.email, person.name, person.has_usable_password()) == (EMAIL, "New Person", False)
    assert client.session.session_key != before
    assert list(Membership.objects.values_list("user", "organization__slug", "role")) == [(person.pk, "acme", "member")]
    assert client.get("/o/acme/").status_code == 200
    # The same answer opens nothing a second time, in no browser.
    for other in (client, Client()):
        assert other.get(back).status_code == 403
    assert AuditEntry.objects.filter(action="member.add", details__by="provider").count() == 1


def test_a_member_is_linked_and_known_by_the_subject_from_then_on(
    acme_sso: IdentityProvider, member: User, arrive: Arrive, client: Client
) -> None:
    assert arrive(acme_sso, "s-2", client, email=member.email).status_code == 302
    assert signed_in_as(client) == member
    renamed = Client()
    assert arrive(acme_sso, "s-2", renamed, email="married@acme.example").status_code == 302
    assert signed_in_as(renamed) == member
    assert not User.objects.filter(email="married@acme.example").exists()
    # Somebody else who has got the address is somebody else.
    other = Client()
    refused = arrive(acme_sso, "s-3", other, email=member.email)
    assert refused.status_code == 403
    assert b"somebody else" in refused.content
    assert signed_in_as(other) is None


def test_a_session_of_a_provider_opens_its_organization_alone(
    acme: Organization, rival: Organization, acme_sso: IdentityProvider, member: User, arrive: Arrive, client: Client
) -> None:
    Membership.objects.create(organization=rival, user=member, role="owner")
    arrive(acme_sso, "s-4", client, email=member.email)
    assert client.get("/o/acme/").status_code == 200
    closed = client.get("/o/rival/")
    assert closed.status_code == 403
    assert b"the provider of another organization" in closed.content
    assert client.get("/api/v1/metrics/meta?organization=rival").status_code == 404
    assert client.get("/api/v1/metrics/meta?organization=acme").status_code == 200
    assert client.get("/o/rival/settings/people").status_code == 403
    assert client.get("/admin/").status_code in (302, 403)
    # nor does it manage the second factors that guard the other one
    assert client.get("/profile/second-factor").status_code == 403
    assert client.post("/profile/second-factor/remove", {"number": 1, "password": make.PASSWORD}).status_code == 403


@pytest.mark.parametrize("who", ["superuser", "outsider", "nobody", "disabled"])
def test_accounts_that_are_not_the_providers_to_open(
    who: str, acme: Organization, connect: Connect, arrive: Arrive, client: Client, request: pytest.FixtureRequest
) -> None:
    if who == "disabled":
        person = make.member(acme, email="disabled@acme.example")
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        person = request.getfixturevalue(who)
        if who == "superuser":
            Membership.objects.create(organization=acme, user=person, role="owner")
    provider = connect(acme, "acme.example", "example.com", "rival.example")
    before = list(Membership.objects.order_by("pk").values())
    refused = arrive(provider, f"s-{who}", client, email=person.email, groups=["admins"])
    assert refused.status_code == 403
    assert b"cannot open" in refused.content
    assert signed_in_as(client) is None
    assert list(Membership.objects.order_by("pk").values()) == before
    assert not Identity.objects.exists()
    entry = AuditEntry.objects.get(action="sign_in.refused")
    assert (entry.organization, entry.target) == (acme, person.email)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": EMAIL, "email_verified": False}, "has not verified"),
        ({"email": EMAIL, "email_verified": None}, "has not verified"),
        ({"email": EMAIL, "email_verified": "false"}, "has not verified"),
        ({"email": ""}, "does not tell your e-mail"),
        ({"email": 7}, "does not tell your e-mail"),
        ({}, "does not tell your e-mail"),
        ({"email": "x@evil.example"}, "of a domain"),
        ({"email": "x@sub.acme.example"}, "of a domain"),
        ({"email": "x@acme.example@evil.example"}, "that is none"),
        ({"email": "a\0@acme.example"}, "that is none"),
    ],
)
def test_an_email_that_does_not_count(
    acme_sso: IdentityProvider, at: Provider, arrive: Arrive, client: Client, claims: dict[str, Any], words: str
) -> None:
    at.says("s-5", **({"email_verified": True} | claims))
    refused = arrive(acme_sso, "s-5", client)
    assert refused.status_code == 403
    assert words in refused.content.decode()
    assert signed_in_as(client) is None
    assert not User.objects.exists()
    assert AuditEntry.objects.filter(action="sign_in.refused").count() == 1


def test_a_provider_that_never_verifies_may_be_believed_but_not_against_its_word(
    acme_sso: IdentityProvider, at: Provider, arrive: Arrive
) -> None:
    IdentityProvider.objects.update(vouches=True)
    at.says("s-6", email=EMAIL)
    assert arrive(acme_sso, "s-6", Client()).status_code == 302
    at.says("s-6", email=EMAIL, email_verified=False)
    assert arrive(acme_sso, "s-6", Client()).status_code == 403


def standing(email: str) -> tuple[str | None, dict[str, str]]:
    """Role and teams of somebody."""
    role = Membership.objects.filter(user__email=email).values_list("role", flat=True).first()
    return role, dict(TeamMembership.objects.filter(user__email=email).values_list("team__name", "role"))


def test_groups_give_and_take_at_each_sign_in(
    acme: Organization, search: Team, ads: Team, connect: Connect, arrive: Arrive
) -> None:
    grants = (
        Grant("bosses", "admin"),
        Grant("money", "finance"),
        Grant("search", "viewer", search),
        Grant("search leads", "manager", search),
    )
    provider = connect(acme, grants=grants)

    def come(*groups: object) -> tuple[str | None, dict[str, str]]:
        assert arrive(provider, "s-7", Client(), email=EMAIL, groups=list(groups)).status_code == 302
        return standing(EMAIL)

    assert come() == ("member", {})
    assert come("money", "bosses", "search", "unknown") == ("admin", {"Search": "viewer"})
    assert come("money", "search", "search leads") == ("finance", {"Search": "manager"})
    TeamMembership.objects.create(team=ads, user=User.objects.get(email=EMAIL), role="viewer")
    assert come({"a": 1}, 7, None) == ("member", {"Ads": "viewer"})  # teams that no group names stay as they are
    assert AuditEntry.objects.filter(details__by="groups").count() == 6


def test_groups_touch_no_last_owner_and_grant_nothing_without_lines(
    acme: Organization, owner: User, connect: Connect, arrive: Arrive
) -> None:
    provider = connect(acme)
    arrive(provider, "s-8", Client(), email=owner.email, groups=["bosses"])
    assert standing(owner.email)[0] == "owner"
    provider = connect(acme, grants=(Grant("bosses", "admin"),))
    arrive(provider, "s-8", Client(), email=owner.email, groups=[])
    assert standing(owner.email)[0] == "owner"
    make.member(acme, "owner")
    arrive(provider, "s-8", Client(), email=owner.email, groups=[])
    assert standing(owner.email)[0] == "member"


def test_one_text_is_one_group(acme: Organization, connect: Connect, arrive: Arrive) -> None:
    provider = connect(acme, grants=(Grant("bosses", "admin"),))
    arrive(provider, "s-9", Client(), email=EMAIL, groups="bosses")
    assert standing(EMAIL)[0] == "admin"


def test_two_organizations_have_two_providers(
    acme: Organization, rival: Organization, connect: Connect, arrive: Arrive
) -> None:
    first, second = connect(acme, grants=(Grant("bosses", "admin"),)), connect(rival)
    arrive(first, "s-10", Client(), email=EMAIL, groups=["bosses"])
    arrive(second, "s-11", Client(), email="new@rival.example", groups=["bosses"])
    assert standing(EMAIL) == ("admin", {})
    assert standing("new@rival.example") == ("member", {})
    # The answer to one is no answer to the other, and an e-mail of one comes through no other.
    assert arrive(second, "s-12", Client(), email="other@acme.example").status_code == 403


def test_an_invitation_is_accepted_on_the_way(
    acme: Organization, search: Team, connect: Connect, arrive: Arrive
) -> None:
    provider = connect(acme)
    services.invite(
        actor=None, organization=acme, email=EMAIL, role="finance", team=search, team_role="manager", now=make.NOW
    )
    Invitation.objects.update(expires_at="2099-01-01T00:00Z")
    arrive(provider, "s-13", Client(), email=EMAIL)
    assert standing(EMAIL) == ("finance", {"Search": "manager"})
    assert Invitation.objects.get().accepted_at is not None


def test_who_was_removed_stays_out_until_invited_again(acme_sso: IdentityProvider, arrive: Arrive, owner: User) -> None:
    arrive(acme_sso, "s-14", Client(), email=EMAIL)
    services.remove_member(actor=owner, membership=Membership.objects.get(user__email=EMAIL))
    assert not Identity.objects.exists()
    assert arrive(acme_sso, "s-14", Client(), email=EMAIL).status_code == 403
    assert not Membership.objects.filter(user__email=EMAIL).exists()


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/o/acme/?by=team", "/o/acme/?by=team"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/sign-in", "/"),
    ],
)
def test_next_stays_here(
    acme_sso: IdentityProvider, arrive: Arrive, client: Client, target: str, leads_to: str
) -> None:
    assert arrive(acme_sso, "s-15", client, target=target, email=EMAIL)["Location"] == leads_to


def test_another_person_in_the_same_browser_leaves_no_trace(
    acme_sso: IdentityProvider, owner: User, arrive: Arrive, client: Client
) -> None:
    client.force_login(owner)
    session = client.session
    session["entrance_second_factor"], session["mark"] = True, "of the owner"
    session.save()
    arrive(acme_sso, "s-16", client, email=EMAIL)
    assert getattr(signed_in_as(client), "email", "") == EMAIL
    assert not {"mark", "entrance_second_factor"} & set(client.session.keys())
