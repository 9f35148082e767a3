"""Sign-in, sign-out, the way home, pages of an organization, error pages."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from teams.models import Membership, Organization, User
from tests import make

pytestmark = pytest.mark.urls("tests.teams.urls")
HERE = "/sign-in"


def sign_in(client: Client, email: str, password: str = make.PASSWORD, target: str = HERE) -> str:
    """Where a sign-in leads; "" when it was refused."""
    response = client.post(target, {"username": email, "password": password})
    return response["Location"] if response.status_code == 302 else ""


def test_sign_in_leads_home_and_home_to_the_organization(owner: User, client: Client) -> None:
    assert sign_in(client, "OWNER@acme.example") == "/"
    assert client.get("/")["Location"] == "/o/acme/"


def test_sign_in_changes_the_session(owner: User, client: Client) -> None:
    session = client.session
    session["mark"] = "planted"
    session.save()
    planted = session.session_key
    assert client.cookies["sessionid"].value == planted
    sign_in(client, owner.email)
    assert client.cookies["sessionid"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("owner@acme.example", "wrong"),
        ("unknown@acme.example", make.PASSWORD),
        ("disabled@acme.example", make.PASSWORD),
        ("' OR 1=1 --", make.PASSWORD),
    ],
)
def test_every_refusal_reads_the_same(
    email: str, password: str, acme: Organization, owner: User, client: Client
) -> None:
    make.member(acme, email="disabled@acme.example")
    User.objects.filter(email="disabled@acme.example").update(is_active=False)
    response = client.post(HERE, {"username": email, "password": password})
    assert response.status_code == 200
    assert response.context["form"].non_field_errors() == [
        "E-mail and password do not match. Check both and try again."
    ]
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("email", ["\0", "a\0@acme.example", "x" * 5000, "\ud800".encode("utf-8", "surrogatepass"), ""])
def test_a_hostile_name_is_refused_politely(email: str, owner: User, client: Client) -> None:
    assert client.post(HERE, {"username": email, "password": "x"}).status_code == 200


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/o/acme/?by=team", "/o/acme/?by=team"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("https:evil.example", "/"),
        ("/sign-in", "/"),
        ("/sign-in?next=/sign-in", "/"),
    ],
)
def test_next_stays_here(target: str, leads_to: str, owner: User, client: Client) -> None:
    response = client.post(HERE, {"username": owner.email, "password": make.PASSWORD, "next": target})
    assert response["Location"] == leads_to
    # and who is signed in already goes there at once
    assert client.get(HERE, {"next": target})["Location"] == leads_to


def test_a_page_leads_to_sign_in_and_back(owner: User, client: Client) -> None:
    location = client.get("/o/acme/?by=team&top=5")["Location"]
    assert location == "/sign-in?next=/o/acme/%3Fby%3Dteam%26top%3D5"
    assert sign_in(client, owner.email, target=location) == "/o/acme/?by=team&top=5"


def test_sign_in_wants_its_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(HERE, {"username": owner.email, "password": make.PASSWORD})
    assert response.status_code == 403
    assert b"This form has expired" in response.content


def test_sign_out_is_a_post_and_ends_the_session(owner: User, client: Client) -> None:
    client.force_login(owner)
    assert client.get("/sign-out").status_code == 405
    key = client.session.session_key
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert not Session.objects.filter(session_key=key).exists()
    assert client.get("/o/acme/").status_code == 302


def test_a_person_without_organization_reads_what_to_do(nobody: User, client: Client) -> None:
    client.force_login(nobody)
    page = client.get("/").content.decode()
    assert "You belong to no organization yet" in page
    assert nobody.email in page
    assert client.get("/profile").status_code == 200


def test_home_is_the_organization_looked_at_last(acme: Organization, rival: Organization, client: Client) -> None:
    person = make.member(rival)
    Membership.objects.create(organization=acme, user=person)
    client.force_login(person)
    assert client.get("/")["Location"] == "/o/acme/"
    client.get("/o/rival/")
    assert client.get("/")["Location"] == "/o/rival/"
    Membership.objects.filter(organization=rival).delete()
    assert client.get("/")["Location"] == "/o/acme/"


@pytest.mark.parametrize(
    ("persona", "dashboard", "prices"),
    [
        ("owner", 200, 200),
        ("admin", 200, 200),
        ("finance", 200, 200),
        ("manager", 200, 403),
        ("viewer", 200, 403),
        ("member", 200, 403),
        ("outsider", 404, 404),
        ("nobody", 404, 404),
        ("superuser", 404, 404),
    ],
)
def test_who_may_open_a_page(
    persona: str, dashboard: int, prices: int, acme: Organization, client: Client, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert client.get("/o/acme/").status_code == dashboard
    assert client.get("/o/acme/prices").status_code == prices


def test_not_yours_looks_like_not_there(acme: Organization, outsider: User, client: Client) -> None:
    client.force_login(outsider)
    foreign, absent, wrong = (client.get(path) for path in ("/o/acme/", "/o/absent/", "/no/such/page"))
    assert {response.status_code for response in (foreign, absent, wrong)} == {404}
    assert foreign.content == absent.content == wrong.content
    assert b"There is nothing here" in foreign.content


def test_rights_end_while_signed_in(acme: Organization, member: User, client: Client) -> None:
    client.force_login(member)
    assert client.get("/o/acme/").content == b"acme caller"
    Membership.objects.all().delete()
    assert client.get("/o/acme/").status_code == 404
    member.is_active = False
    member.save()
    assert client.get("/o/acme/")["Location"].startswith("/sign-in")


def test_a_new_password_ends_the_other_sessions(owner: User, client: Client) -> None:
    other = Client()
    other.force_login(owner)
    client.force_login(owner)
    fresh = "a wholly different phrase"
    answers = {"old_password": make.PASSWORD, "new_password1": fresh, "new_password2": fresh}
    page = client.post("/profile", answers, follow=True)
    assert b"Your password was changed" in page.content
    assert client.get("/o/acme/").status_code == 200
    assert other.get("/o/acme/").status_code == 302


def test_pages_carry_no_inline_script_or_style(owner: User, client: Client) -> None:
    for path in ("/sign-in", "/no/such/page"):
        page = client.get(path).content.decode()
        assert re.findall(r"<style|<script>|\sstyle=|\son\w+=|javascript:", page) == []
