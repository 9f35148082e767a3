"""Keys in headers and browsers with sessions, as the API meets them."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from teams import services
from teams.authentication import CHALLENGE, authenticate_key
from teams.models import ApiKey, Membership, Organization, Team, User
from teams.roles import KeyScope
from teams.services import IssuedKey
from tests import make

pytestmark = pytest.mark.urls("tests.teams.urls")

HOSTILE = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer ' OR 1=1 --",
    "Bearer mp_'; DROP TABLE teams_apikey; --_x",
    "Bearer mp_%s_%s",
    "Bearer mp_000000000000_" + "A" * 43,
    "Bearer mp_\x00_\x00",
    "Bearer " + "\x00" * 20,
    "Bearer " + "x" * 10_000,
    "Bearer mp_" + "0" * 10_000,
    "Bearer \xff\xfe\xfd",
    "Bearer prefix__startswith=0",
    "Basic",
    "Basic !!!!",
    "Basic =",
    "Basic YQ",
    "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b":").decode(),
    "Basic " + base64.b64encode(b"key:\xff\xfe").decode(),
    "Basic " + base64.b64encode(b"key:' OR ''='").decode(),
    "Basic \xe9",
    "Digest username=x",
    "Bearer\tmp_000000000000_" + "A" * 43,
]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("header", HOSTILE)
def test_a_hostile_header_opens_nothing_and_changes_nothing(header: str, ingest_key: IssuedKey, client: Client) -> None:
    before = list(ApiKey.objects.values())
    assert authenticate_key(header, KeyScope.INGEST, make.NOW) is None
    response = client.get("/read", headers={"Authorization": header})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, CHALLENGE)
    assert list(ApiKey.objects.values()) == before


def test_a_key_comes_as_bearer_or_as_password(acme: Organization, ingest_key: IssuedKey) -> None:
    for header in (
        f"Bearer {ingest_key.text}",
        f"bearer   {ingest_key.text} ",
        basic("anything", ingest_key.text),
        basic("", ingest_key.text),
    ):
        found = authenticate_key(header, KeyScope.INGEST, make.NOW)
        assert found is not None
        assert (found[0], found[1].organization_id) == (ingest_key.key, acme.pk)


@pytest.mark.parametrize("header", [None, "Basic {0}", "Bearer x{0}", "Token {0}", "{0}"])
def test_a_key_elsewhere_is_no_key(header: str | None, ingest_key: IssuedKey) -> None:
    text = header.format(ingest_key.text) if header else None
    assert authenticate_key(text, KeyScope.INGEST, make.NOW) is None


def test_a_key_opens_only_what_it_was_made_for(ingest_key: IssuedKey, read_key: IssuedKey) -> None:
    assert authenticate_key(f"Bearer {ingest_key.text}", KeyScope.READ, make.NOW) is None
    assert authenticate_key(f"Bearer {read_key.text}", KeyScope.INGEST, make.NOW) is None
    assert authenticate_key(f"Bearer {read_key.text}", KeyScope.EXPORT, make.NOW) is not None


def test_sending_costs_one_query_and_one_a_minute(
    ingest_key: IssuedKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    header = f"Bearer {ingest_key.text}"
    with django_assert_num_queries(4):  # two, and the borders of the transaction in which the use is noted
        authenticate_key(header, KeyScope.INGEST, make.NOW)
    with django_assert_num_queries(1):
        authenticate_key(header, KeyScope.INGEST, make.NOW + timedelta(seconds=30))


def test_no_credentials_is_401_with_the_challenge(client: Client, db: None) -> None:
    response = client.get("/read")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, CHALLENGE)


def test_a_key_reads_with_its_scope(acme: Organization, search: Team, team_key: IssuedKey, client: Client) -> None:
    response = client.get("/read", headers=make.bearer(team_key))
    assert response.json() == {"organization": acme.pk, "reach": "teams", "teams": [search.pk]}


def test_the_wrong_scope_is_403_and_a_dead_key_401(
    acme: Organization, owner: User, ingest_key: IssuedKey, client: Client
) -> None:
    assert client.get("/read", headers=make.bearer(ingest_key)).status_code == 403
    read_only = make.key(acme, "read", owner=owner)
    assert client.get("/export", headers=make.bearer(read_only)).status_code == 403
    assert client.get("/manage", headers=make.bearer(read_only)).status_code == 403
    services.revoke_key(actor=None, key=read_only.key, now=timezone.now())
    assert client.get("/read", headers=make.bearer(read_only)).status_code == 401


def test_a_key_dies_with_its_owners_rights(owner: User, read_key: IssuedKey, client: Client) -> None:
    assert client.get("/read", headers=make.bearer(read_key)).status_code == 200
    owner.is_active = False
    owner.save()
    assert client.get("/read", headers=make.bearer(read_key)).status_code == 401


def test_a_bad_key_is_refused_although_a_session_is_there(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get("/read", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_key_belongs_to_one_organization(rival: Organization, read_key: IssuedKey, client: Client) -> None:
    assert client.get("/read?organization=acme", headers=make.bearer(read_key)).status_code == 200
    assert client.get("/read?organization=rival", headers=make.bearer(read_key)).status_code == 404


@pytest.fixture
def two_homes(acme: Organization, rival: Organization) -> User:
    """Viewer of all of rival, member of acme."""
    person = make.member(rival, "finance")
    Membership.objects.create(organization=acme, user=person)
    return person


def organization_seen(client: Client, query: str = "") -> Any:
    return client.get(f"/read{query}").json()["organization"]


def test_a_browser_reads_the_organization_it_looks_at(
    acme: Organization, rival: Organization, two_homes: User, client: Client
) -> None:
    client.force_login(two_homes)
    assert organization_seen(client) == acme.pk
    assert organization_seen(client, "?organization=rival") == rival.pk
    client.get("/o/rival/")
    assert organization_seen(client) == rival.pk
    Membership.objects.filter(organization=rival).delete()
    assert organization_seen(client) == acme.pk


@pytest.mark.parametrize("slug", ["rival", "absent", "", "%00", "rival'--", "RIVAL", "x" * 5000])
def test_another_organization_does_not_exist_for_a_browser(
    slug: str, rival: Organization, owner: User, client: Client
) -> None:
    client.force_login(owner)
    response = client.get(f"/read?organization={slug}")
    absent = client.get("/read?organization=never-there")
    assert response.status_code == 404
    assert response.json() | {"request_id": ""} == absent.json() | {"request_id": ""}


def test_a_person_without_organization_is_403(nobody: User, client: Client) -> None:
    client.force_login(nobody)
    assert client.get("/read").status_code == 403


def test_a_browser_writes_with_its_token_only(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post("/read", {}, "application/json").status_code == 403
    client.get("/sign-in")
    client.get("/profile")
    token = client.cookies["csrftoken"].value
    assert client.post("/read", {}, "application/json", headers={"X-CSRFToken": token}).json() == {"stored": True}


def test_a_key_needs_no_token(read_key: IssuedKey) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/read", {}, "application/json", headers=make.bearer(read_key)).json() == {"stored": True}


def test_the_api_description_names_both_ways(client: Client, db: None) -> None:
    schema = client.get("/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    assert schema["components"]["securitySchemes"] == {
        "apiKey": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }
