"""`saved-views`: who sees, changes and runs them; that nobody sees more through them than by asking."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client

from analytics import saved
from analytics.models import SavedView
from ingestion.models import MetadataKey
from teams.models import AuditEntry, Membership, Organization, Team, User
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import END, START, World

pytestmark = pytest.mark.usefixtures("kept_world")

URL = "/api/v1/saved-views"
QUESTION = {
    "startTs": START,
    "endTs": END,
    "type": "distribution",
    "groupBy": ["team"],
    "aggregations": [{"type": "count", "column": "requests"}],
}
REPORT = {"start_date": "2026-11-20", "end_date": "2026-11-20", "group_by": "team", "measures": "requests"}
STATE = {"from": "now-7d", "by": "team", "f": ["model:eq:gpt-5"], "p": "90", "notes": "off"}
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def view(**fields: Any) -> Json:
    return {"name": "Teams", "kind": "metrics_query", "content": QUESTION} | fields


def add(client: Client, **fields: Any) -> Any:
    return client.post(URL, json.dumps(view(**fields)), content_type="application/json")


def put(client: Client, pk: int, **fields: Any) -> Any:
    return client.put(f"{URL}/{pk}", json.dumps(view(**fields)), content_type="application/json")


def names(client: Client, **headers: Any) -> list[str]:
    response = client.get(URL, headers=headers)
    assert response.status_code == 200
    return [one["name"] for one in response.json()["results"]]


def audit() -> list[tuple[str, str]]:
    return list(
        AuditEntry.objects.filter(action__startswith="saved_view").order_by("pk").values_list("action", "target")
    )


def test_a_view_from_its_first_to_its_last_day(world: World, owner: User) -> None:
    client = signed_in(owner)
    made = add(client)
    assert made.status_code == 201
    document = made.json()
    assert document == {
        "id": document["id"],
        "name": "Teams",
        "kind": "metrics_query",
        "team": None,
        "default_for": [],
        "created_at": "2026-11-24T12:00:00.000000Z",
        "updated_at": "2026-11-24T12:00:00.000000Z",
        "content": QUESTION,
    }
    assert made["Location"] == f"{URL}/{document['id']}"
    assert client.get(made["Location"]).json() == document
    assert put(client, document["id"], name="By team", kind="report", content=REPORT).status_code == 200
    assert client.get(made["Location"]).json()["content"] == REPORT
    assert client.get(URL).json()["results"] == [
        {name: value for name, value in client.get(made["Location"]).json().items() if name != "content"}
    ]
    assert client.delete(made["Location"]).status_code == 204
    assert client.delete(made["Location"]).status_code == 404
    assert audit() == [("saved_view.add", "Teams"), ("saved_view.replace", "By team"), ("saved_view.delete", "By team")]


def test_the_same_again_is_the_same_view(world: World, owner: User) -> None:
    client = signed_in(owner)
    first, again = add(client), add(client)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = add(client, content=QUESTION | {"groupBy": []})
    assert other.status_code == 409
    assert other["Content-Type"] == "application/problem+json"
    second = add(client, name="Other").json()["id"]
    assert put(client, second).status_code == 409  # the name of the first
    assert put(client, second, name="Other").status_code == 200
    assert SavedView.objects.count() == 2
    assert len(audit()) == 2  # what changes nothing is no act


def test_who_sees_and_changes_the_view_of_a_team(
    world: World, owner: User, admin: User, finance: User, manager: User, viewer: User, member: User, outsider: User
) -> None:
    made = add(signed_in(manager), name="Ours", team="Search")
    assert made.status_code == 201
    pk = made.json()["id"]
    seen = {
        person.email.partition("@")[0]: person for person in (owner, admin, finance, manager, viewer, member, outsider)
    }
    reads = {who: signed_in(person).get(f"{URL}/{pk}").status_code for who, person in seen.items()}
    assert reads == dict.fromkeys(("owner", "admin", "finance", "manager", "viewer"), 200) | {
        "member": 404,
        "outsider": 404,
    }
    writes = {
        who: put(signed_in(person), pk, name="Ours", content=QUESTION).status_code for who, person in seen.items()
    }
    changers = dict.fromkeys(("owner", "admin", "manager"), 200)
    assert writes == changers | {"finance": 403, "viewer": 403, "member": 404, "outsider": 404}
    deletes = {who: signed_in(seen[who]).delete(f"{URL}/{pk}").status_code for who in ("viewer", "finance", "member")}
    assert deletes == {"viewer": 403, "finance": 403, "member": 404}
    assert SavedView.objects.filter(pk=pk).exists()
    tries = {who: add(signed_in(person), name=f"by {who}", team="Search").status_code for who, person in seen.items()}
    assert tries == {
        "owner": 201,
        "admin": 201,
        "finance": 403,
        "manager": 201,
        "viewer": 403,
        "member": 400,
        "outsider": 400,
    }


def test_a_team_that_one_does_not_see_is_no_team(world: World, manager: User) -> None:
    answers = [add(signed_in(manager), team=name).json()["errors"] for name in ("Ads", "rival-team", "absent")]
    assert answers[0] == answers[1] == answers[2]


def test_private_views_are_private(world: World, owner: User, admin: User, viewer: User) -> None:
    pk = add(signed_in(viewer), name="Mine").json()["id"]
    for person in (owner, admin):
        assert signed_in(person).get(f"{URL}/{pk}").status_code == 404
        assert signed_in(person).get(f"{URL}/{pk}/result").status_code == 404
        assert put(signed_in(person), pk).status_code == 404
        assert names(signed_in(person)) == []
    assert names(signed_in(viewer)) == ["Mine"]
    assert add(signed_in(owner), name="Mine").status_code == 201  # a name is one per owner


def test_a_person_of_two_organizations_keeps_them_apart(world: World, owner: User) -> None:
    add(signed_in(owner))
    Membership.objects.create(organization=world.rival, user=owner, role="owner")
    client = signed_in(owner)
    assert client.get(URL, {"organization": "rival"}).json()["results"] == []
    assert len(client.get(URL, {"organization": "acme"}).json()["results"]) == 1
    pk = SavedView.objects.get().pk
    assert client.get(f"{URL}/{pk}/result", {"organization": "rival"}).status_code == 404


def test_keys_read_and_never_write(
    world: World, owner: User, read_key: IssuedKey, team_key: IssuedKey, ads: Team
) -> None:
    client = signed_in(owner)
    private, ours = add(client, name="Private").json()["id"], add(client, name="Ours", team="Search").json()["id"]
    add(client, name="Theirs", team="Ads")
    bare, whole, part = Client(), make.bearer(read_key), make.bearer(team_key)
    assert names(bare, **whole) == ["Ours", "Private", "Theirs"]
    assert names(bare, **part) == ["Ours"]
    assert bare.get(f"{URL}/{private}", headers=part).status_code == 404
    body = json.dumps(view(name="New"))
    for send, place in ((bare.post, URL), (bare.put, f"{URL}/{ours}")):
        assert send(place, body, content_type="application/json", headers=whole).status_code == 403
    assert bare.delete(f"{URL}/{ours}", headers=whole).status_code == 403
    assert bare.get(URL).status_code == 401
    assert SavedView.objects.count() == 3


def test_a_result_is_what_the_reader_sees(
    world: World, owner: User, viewer: User, read_key: IssuedKey, team_key: IssuedKey
) -> None:
    pk = add(signed_in(owner), team="Search").json()["id"]
    place = f"{URL}/{pk}/result"
    totals = {
        "owner": signed_in(owner).get(place).json(),
        "viewer": signed_in(viewer).get(place).json(),
        "key": Client().get(place, headers=make.bearer(read_key)).json(),
        "key of the team": Client().get(place, headers=make.bearer(team_key)).json(),
    }
    found = {who: one["data"]["summary"]["total"] for who, one in totals.items()}
    assert found == {"owner": 6, "viewer": 3, "key": 6, "key of the team": 3}
    direct = signed_in(owner).post("/api/v1/metrics/query", json.dumps(QUESTION), content_type="application/json")
    assert totals["owner"]["data"] == direct.json()["data"]


def test_a_saved_report_is_written_in_the_form_that_is_asked_for(
    world: World, owner: User, read_key: IssuedKey
) -> None:
    client = signed_in(owner)
    place = f"{URL}/{add(client, kind='report', content=REPORT).json()['id']}/result"
    written: Any = client.get(place, {"format": "csv"})
    assert b"".join(written.streaming_content) == b"team,requests\r\nSearch,3\r\nAds,2\r\nUnassigned,1\r\n"
    assert "attachment" in written["Content-Disposition"]
    as_json: Any = client.get(place)
    assert json.loads(b"".join(as_json.streaming_content))["totals"] == {"requests": 6}
    only_reading = make.bearer(make.key(world.acme, "read", owner=owner))
    assert Client().get(place, {"format": "csv"}, headers=only_reading).status_code == 403
    question = f"{URL}/{add(client, name='other').json()['id']}/result"
    assert client.get(question, {"format": "csv"}).status_code == 415


def test_a_view_of_the_dashboard_has_no_result(world: World, owner: User) -> None:
    client = signed_in(owner)
    made = add(client, kind="dashboard", content=STATE)
    assert made.json()["content"] == STATE
    assert client.get(f"{made['Location']}/result").status_code == 409


def test_a_question_that_is_no_question_any_more_is_refused_when_it_is_run(world: World, owner: User) -> None:
    client = signed_in(owner)
    place = add(client, content=QUESTION | {"groupBy": ["metadata.environment"]})["Location"]
    assert client.get(f"{place}/result").status_code == 200
    MetadataKey.objects.filter(name="environment").delete()
    refused = client.get(f"{place}/result")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["loc"] == ["content", "groupBy", 0]


@pytest.mark.parametrize(
    ("fields", "loc", "code"),
    [
        ({"content": QUESTION | {"typo": 1}}, ["content", "typo"], "unknown_field"),
        ({"content": QUESTION | {"groupBy": ["nothing"]}}, ["content", "groupBy", 0], "unknown_dimension"),
        ({"content": {}}, ["content", "type"], "unknown_value"),
        ({"content": None}, ["content"], "required"),
        ({"content": [QUESTION]}, ["content"], "invalid_type"),
        ({"kind": "report", "content": REPORT | {"format": "csv"}}, ["content", "format"], "unknown_field"),
        (
            {"kind": "report", "content": REPORT | {"organization": "rival"}},
            ["content", "organization"],
            "unknown_field",
        ),
        ({"kind": "report", "content": REPORT | {"measures": 7}}, ["content", "measures"], "invalid_type"),
        ({"kind": "report", "content": REPORT | {"filter": "x:eq:y"}}, ["content", "filter", 0], "unknown_dimension"),
        ({"kind": "dashboard", "content": STATE | {"by": "nothing"}}, ["content"], "invalid_value"),
        ({"kind": "dashboard", "content": STATE | {"utm": "x"}}, ["content", "utm"], "unknown_field"),
        ({"kind": "page"}, ["kind"], "unknown_value"),
        ({"name": ""}, ["name"], "invalid_value"),
        ({"name": "a" * 121}, ["name"], "invalid_value"),
        ({"name": "a\nb"}, ["name"], "invalid_value"),
        ({"name": 7}, ["name"], "invalid_value"),
        ({"team": 7}, ["team"], "invalid_type"),
        ({"owner": 1}, ["owner"], "unknown_field"),
        (
            {"content": QUESTION | {"filters": [{"fieldName": "team", "operator": "IN", "value": ["é" * 256] * 80}]}},
            ["content"],
            "out_of_range",
        ),
    ],
)
def test_what_is_wrong_is_named(world: World, owner: User, fields: Json, loc: list[Any], code: str) -> None:
    response = add(signed_in(owner), **fields)
    assert response.status_code == 400, response.content
    assert (loc, code) in [(one["loc"], one["code"]) for one in response.json()["errors"]]
    assert not SavedView.objects.exists()


def test_there_are_limits(world: World, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST_PER_PERSON", 2)
    monkeypatch.setattr(saved, "MOST_PER_TEAM", 1)
    client = signed_in(owner)
    assert [add(client, name=name).status_code for name in "abc"] == [201, 201, 409]
    assert add(client, name="a").status_code == 200  # the same again needs no room
    assert [add(client, name=name, team="Ads").status_code for name in "ab"] == [201, 409]


def test_pages(world: World, owner: User, admin: User) -> None:
    client = signed_in(owner)
    for name in "cabed":
        add(client, name=name)
    add(client, name="report", kind="report", content=REPORT)
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        document = client.get(URL, {"limit": "2", "kind": "metrics_query"} | cursor).json()
        found += [one["name"] for one in document["results"]]
        if document["next_cursor"] is None:
            break
        add(client, name=f"0 {len(found)}")  # arrives before: hides nobody, repeats nobody
        cursor = {"cursor": document["next_cursor"]}
    assert found == [*"abcde"]
    assert client.get(URL, cursor).status_code == 400  # of another question
    assert signed_in(admin).get(URL, {"kind": "metrics_query"} | cursor).status_code == 400
    assert client.get(URL, {"kind": "page"}).status_code == 400


@pytest.mark.parametrize("view_id", ["0", "-1", "x", "9" * 30, "9" * 5000, "1.0", "%00", "1%0A"])
def test_ids_that_are_none(world: World, owner: User, view_id: str) -> None:
    client = signed_in(owner)
    same = "".join(chr(0x660 + int(digit)) for digit in str(add(client).json()["id"]))  # the real id in Arabic digits
    for path in (f"{URL}/{view_id}", f"{URL}/{view_id}/result", f"{URL}/{same}"):
        assert client.get(path).status_code == 404


def test_a_browser_needs_csrf(world: World, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert add(client).status_code == 403
    assert not SavedView.objects.exists()


def test_who_leaves_takes_private_views_along_and_leaves_those_of_the_team(world: World, manager: User) -> None:
    client = signed_in(manager)
    add(client, name="Mine")
    add(client, name="Ours", team="Search")
    get_user_model().objects.get(pk=manager.pk).delete()
    assert [one.name for one in SavedView.objects.all()] == ["Ours"]
    assert Organization.objects.filter(slug="acme").exists()
