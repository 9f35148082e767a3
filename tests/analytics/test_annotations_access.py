"""Annotations: who sees, writes and deletes those of whom; keys, teams, and the other organization."""

import json
from typing import Any

import pytest
from django.test import Client

from analytics.models import Annotation
from teams.models import Membership, Organization, Team, TeamMembership, User
from teams.services import IssuedKey
from tests import make

URL = "/api/v1/annotations"
PERSONS = ("owner", "admin", "finance", "manager", "viewer", "member", "outsider", "nobody")


def note(organization: Organization, text: str, **fields: Any) -> Annotation:
    return Annotation.objects.create(
        **({"organization": organization, "kind": "deploy", "at": make.NOW, "text": text} | fields)
    )


@pytest.fixture
def persons(request: pytest.FixtureRequest) -> dict[str, Client]:
    """Everybody, signed in."""
    clients = {}
    for name in PERSONS:
        clients[name] = Client()
        clients[name].force_login(request.getfixturevalue(name))
    return clients


@pytest.fixture
def notes(acme: Organization, rival: Organization, search: Team, ads: Team) -> dict[str, Annotation]:
    """One for everybody, one of each team, one of the other organization and one of its team."""
    theirs = make.team(rival, "Search")
    return {
        "all": note(acme, "all"),
        "search": note(acme, "search", team=search),
        "ads": note(acme, "ads", team=ads),
        "rival": note(rival, "rival"),
        "rival search": note(rival, "rival search", team=theirs),
    }


def send(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    body = json.dumps({"kind": "deploy", "text": "sent"} | fields)
    return client.post(URL, body, content_type="application/json", headers=headers or {})


def listed(client: Client, headers: dict[str, str] | None = None) -> list[str]:
    response = client.get(URL, headers=headers or {})
    assert response.status_code == 200, response.content
    return sorted(one["text"] for one in response.json()["results"])


WHOLE = ["ads", "all", "search"]
SEEN = {
    "owner": WHOLE,
    "admin": WHOLE,
    "finance": WHOLE,
    "manager": ["all", "search"],
    "viewer": ["all", "search"],
    "member": ["all"],
    "outsider": ["rival", "rival search"],
}


def test_who_sees_what(persons: dict[str, Client], notes: dict[str, Annotation]) -> None:
    assert {name: listed(persons[name]) for name in SEEN} == SEEN
    assert persons["nobody"].get(URL).status_code == 403
    assert Client().get(URL).status_code == 401
    for name, texts in SEEN.items():
        found = {one: persons[name].get(f"{URL}/{row.pk}").status_code for one, row in notes.items()}
        assert found == {one: 200 if row.text in texts else 404 for one, row in notes.items()}, name


def test_an_unknown_role_sees_nothing(acme: Organization, member: User, notes: dict[str, Annotation]) -> None:
    Membership.objects.filter(user=member).update(role="guest")
    client = Client()
    client.force_login(member)
    assert listed(client) == []


def test_who_writes_for_whom(persons: dict[str, Client], search: Team, ads: Team) -> None:
    tries = {
        name: tuple(send(client, team=team).status_code for team in (None, "Search", "Ads"))
        for name, client in persons.items()
    }
    assert tries == {
        "owner": (201, 201, 201),
        "admin": (201, 201, 201),
        "finance": (201, 201, 201),
        "manager": (403, 201, 400),
        "viewer": (403, 403, 400),
        "member": (403, 400, 400),
        "outsider": (201, 400, 400),
        "nobody": (403, 403, 403),
    }
    assert set(Annotation.objects.filter(organization__slug="rival").values_list("team", flat=True)) == {None}


def test_who_deletes_what(persons: dict[str, Client], notes: dict[str, Annotation]) -> None:
    expected = {
        "viewer": (403, 403, 404, 404),
        "member": (403, 404, 404, 404),
        "outsider": (404, 404, 404, 204),
        "nobody": (403, 403, 403, 403),
        "manager": (403, 204, 404, 404),
        "finance": (204, 404, 204, 404),
    }
    order = ("all", "search", "ads", "rival")
    tries = {
        name: tuple(persons[name].delete(f"{URL}/{notes[one].pk}").status_code for one in order) for name in expected
    }
    assert tries == expected
    assert [one.text for one in Annotation.objects.all()] == ["rival search"]


def test_keys_that_read_read(
    notes: dict[str, Annotation], read_key: IssuedKey, team_key: IssuedKey, search: Team
) -> None:
    whole, part = make.bearer(read_key), make.bearer(team_key)
    assert listed(Client(), whole) == WHOLE
    assert listed(Client(), part) == ["all", "search"]
    for headers in (whole, part):
        assert send(Client(), headers, team="Search").status_code == 403
        assert Client().delete(f"{URL}/{notes['search'].pk}", headers=headers).status_code == 403
    assert Client().get(f"{URL}/{notes['ads'].pk}", headers=part).status_code == 404
    assert Annotation.objects.count() == len(notes)


def test_keys_that_send_write_and_see_nothing(
    notes: dict[str, Annotation], acme: Organization, owner: User, ingest_key: IssuedKey
) -> None:
    headers = make.bearer(ingest_key)
    made = send(Client(), headers, team="Ads").json()
    assert (made["team"], made["author"]) == ("Ads", f"key {ingest_key.key.name}")
    assert Client().get(URL, headers=headers).status_code == 403
    assert Client().get(f"{URL}/{made['id']}", headers=headers).status_code == 403
    make.team(notes["rival"].organization, "Rivals")
    answers = [send(Client(), headers, team=team) for team in ("Rivals", "absent")]
    assert [one.status_code for one in answers] == [400, 400]
    assert answers[0].json()["errors"] == answers[1].json()["errors"]
    other = make.bearer(make.key(acme, "ingest", owner=owner))
    assert Client().delete(f"{URL}/{made['id']}", headers=other).status_code == 404  # another key sent it
    for row in notes.values():
        assert Client().delete(f"{URL}/{row.pk}", headers=headers).status_code == 404
    assert Client().delete(f"{URL}/{made['id']}", headers=headers).status_code == 204


def test_a_key_that_sends_outlives_its_owner_and_not_its_end(acme: Organization, owner: User) -> None:
    key = make.key(acme, "ingest", owner=owner)
    Membership.objects.filter(user=owner).delete()
    assert send(Client(), make.bearer(key)).status_code == 201
    key.key.revoked_at = make.NOW
    key.key.save()
    assert send(Client(), make.bearer(key)).status_code == 401


def test_a_key_of_a_team_sends_for_its_team(acme: Organization, search: Team, ads: Team, owner: User) -> None:
    headers = make.bearer(make.key(acme, "ingest", owner=owner, team=search))
    answers = [send(Client(), headers, team=team) for team in (None, "Search", "Ads", "absent")]
    assert [one.status_code for one in answers] == [201, 201, 400, 400]
    assert answers[0].json()["team"] == "Search"
    assert answers[2].json()["errors"] == answers[3].json()["errors"]


def test_a_key_for_both_does_both(acme: Organization, owner: User, notes: dict[str, Annotation]) -> None:
    headers = make.bearer(make.key(acme, "ingest", "read", owner=owner))
    made = send(Client(), headers).json()
    assert listed(Client(), headers) == sorted([*WHOLE, "sent"])
    assert Client().get(f"{URL}/{made['id']}", headers=headers).status_code == 200
    assert Client().delete(f"{URL}/{notes['all'].pk}", headers=headers).status_code == 404


def test_an_id_of_another_team_is_taken_and_nothing_more_is_told(
    persons: dict[str, Client], acme: Organization, ads: Team
) -> None:
    note(acme, "secret of ads", team=ads, external_id="d-1")
    refused = send(persons["manager"], team="Search", external_id="d-1")
    assert refused.status_code == 409
    assert b"secret" not in refused.content
    assert refused.json()["detail"] == "external_id belongs to another annotation of the organization."


def test_a_person_of_two_organizations_keeps_them_apart(
    notes: dict[str, Annotation], rival: Organization, owner: User
) -> None:
    Membership.objects.create(organization=rival, user=owner, role="owner")
    client = Client()
    client.force_login(owner)
    found = {slug: client.get(URL, {"organization": slug}).json()["results"] for slug in ("acme", "rival")}
    assert {slug: len(rows) for slug, rows in found.items()} == {"acme": 3, "rival": 2}
    place = f"{URL}/{notes['all'].pk}"
    assert client.get(place, {"organization": "rival"}).status_code == 404
    assert client.delete(place + "?organization=rival").status_code == 404


def test_a_manager_who_is_none_any_more_writes_no_more(manager: User, search: Team) -> None:
    client = Client()
    client.force_login(manager)
    assert send(client, team="Search").status_code == 201
    TeamMembership.objects.filter(user=manager).update(role="viewer")
    assert send(client, team="Search").status_code == 403


def test_a_browser_needs_csrf(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert send(client).status_code == 403
    assert not Annotation.objects.exists()


def test_notes_go_with_their_team_and_stay_without_their_author(
    acme: Organization, search: Team, manager: User, ingest_key: IssuedKey
) -> None:
    note(acme, "of the team", team=search, created_by=manager)
    note(acme, "of all", created_by=manager)
    note(acme, "of a key", key=ingest_key.key)
    manager.delete()
    ingest_key.key.delete()
    search.delete()
    assert {one.text for one in Annotation.objects.all()} == {"of a key", "of all"}
    assert not Annotation.objects.exclude(created_by=None, key=None).exists()


def test_texts_that_look_like_sql_are_texts(acme: Organization, ads: Team, ingest_key: IssuedKey, owner: User) -> None:
    hostile = "x'); DROP TABLE analytics_annotation; --%s%(a)s$1"
    headers = make.bearer(ingest_key)
    assert send(Client(), headers, text=hostile, external_id=hostile).status_code == 201
    assert send(Client(), headers, team=hostile).status_code == 400
    client = Client()
    client.force_login(owner)
    assert listed(client) == [hostile]
