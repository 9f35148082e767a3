"""Annotations on the dashboard: in its data and its markup, and the forms that need no script."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from analytics.models import Annotation
from teams.models import AuditEntry, Organization, Team, User
from tests import make

ADD = "/o/acme/annotations/"
STATE = "?from=2026-11-20T00:00:00Z&to=2026-11-25T00:00:00Z&by=team"
FORM = {"kind": "deploy", "at": "2026-11-24T12:30", "text": "search 4.2"}
HOSTILE = "<script>alert(1)</script>{{7*7}}"


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def traffic(acme: Organization) -> None:
    """Something to draw."""
    make.request(acme, started_at=at(11), team="Search")
    make.request(acme, started_at=at(11, 30), user="member@acme.example")


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


def note(organization: Organization, text: str, **fields: Any) -> Annotation:
    given = {"organization": organization, "kind": "deploy", "at": at(10), "text": text} | fields
    return Annotation.objects.create(**given)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def shown(person: User, state: str = STATE) -> Any:
    response = signed_in(person).get(f"/o/acme/data{state}")
    assert response.status_code == 200
    return json.loads(response.content)["annotations"]


def texts(person: User, state: str = STATE) -> list[str]:
    return [one["text"] for one in shown(person, state)["notes"]]


def test_the_page_s_data_hold_what_happened_in_the_range(
    acme: Organization, search: Team, owner: User, traffic: None
) -> None:
    row = note(acme, "search 4.2", team=search, created_by=owner, link="https://ci.example/7")
    note(acme, "long", kind="incident", at=at(8), end=at(9, 15))
    note(acme, "before", at=datetime(2026, 11, 19, tzinfo=UTC))
    note(acme, "after", at=datetime(2026, 11, 25, tzinfo=UTC))
    found = shown(owner)
    assert (found["count"], found["most"]) == (2, 100)
    assert found["notes"][0] == {
        "id": row.pk,
        "kind": "deploy",
        "kind_label": "Deploy",
        "at": "2026-11-24T10:00:00.000Z",
        "end": None,
        "when": "24 Nov 2026 11:00",
        "text": "search 4.2",
        "link": "https://ci.example/7",
        "team": "Search",
        "author": "owner@acme.example",
        "may_delete": True,
    }
    assert [one["when"] for one in found["notes"]] == ["24 Nov 2026 11:00", "24 Nov 2026 09:00 – 10:15"]  # noqa: RUF001 - a range


def test_each_sees_their_own(
    acme: Organization,
    rival: Organization,
    search: Team,
    ads: Team,
    owner: User,
    finance: User,
    manager: User,
    viewer: User,
    member: User,
    traffic: None,
) -> None:
    for text, fields in (("all", {}), ("search", {"team": search}), ("ads", {"team": ads})):
        note(acme, text, **fields)
    note(rival, "rival")
    persons = {"owner": owner, "finance": finance, "manager": manager, "viewer": viewer, "member": member}
    assert {name: sorted(texts(person)) for name, person in persons.items()} == {
        "owner": ["ads", "all", "search"],
        "finance": ["ads", "all", "search"],
        "manager": ["all", "search"],
        "viewer": ["all", "search"],
        "member": ["all"],
    }
    may = {
        name: sorted(one["text"] for one in shown(person)["notes"] if one["may_delete"])
        for name, person in persons.items()
    }
    assert may == {
        "owner": ["ads", "all", "search"],
        "finance": ["ads", "all", "search"],
        "manager": ["search"],
        "viewer": [],
        "member": [],
    }
    forms = {name: 'id="annotate"' in signed_in(one).get("/o/acme/").content.decode() for name, one in persons.items()}
    assert forms == {"owner": True, "finance": True, "manager": True, "viewer": False, "member": False}


def test_more_than_fit_say_so(acme: Organization, owner: User, traffic: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.dashboards.annotations.MOST", 2)
    for number in range(3):
        note(acme, f"n{number}", at=at(number))
    make.price("gpt-4o", "input", "1", effective_from=at(9))
    found = shown(owner)
    assert ([one["text"] for one in found["notes"]], found["count"]) == (["Prices of gpt-4o", "n2"], 4)
    html = signed_in(owner).get(f"/o/acme/{STATE}").content.decode()
    assert "The newest 2 of 4." in html


def test_prices_that_changed_are_there_by_themselves(
    acme: Organization, rival: Organization, search: Team, owner: User, viewer: User, traffic: None
) -> None:
    for model in ("gpt-4o", "gpt-5"):
        for token_class in ("input", "output"):
            make.price(model, token_class, "1", effective_from=at(6))
    for number in range(4):
        make.price(f"model-{number}", "input", "1", effective_from=at(7), organization=acme)
    make.price("catalogue-model", "input", "1", effective_from=at(7), source="catalogue:test@1")
    make.price("rival-model", "input", "1", effective_from=at(7), organization=rival)
    make.price("later-model", "input", "1", effective_from=datetime(2026, 11, 25, tzinfo=UTC))
    make.price("earlier-model", "input", "1")
    found = shown(owner)["notes"]
    assert [(one["at"], one["text"]) for one in found] == [
        ("2026-11-24T07:00:00.000Z", "Prices of model-0 and 3 more models"),
        ("2026-11-24T06:00:00.000Z", "Prices of gpt-4o, gpt-5"),
    ]
    assert {(one["id"], one["kind"], one["author"], one["may_delete"]) for one in found} == {
        (None, "price_change", "price book", False)
    }
    assert texts(viewer) == []  # names of models that the team never used are not theirs to learn


def test_a_form_without_a_script_notes_and_leads_back(acme: Organization, owner: User, traffic: None) -> None:
    client = signed_in(owner)
    response = client.post(ADD + STATE, FORM | {"end": "2026-11-24T13:00", "link": "https://ci.example/7", "team": ""})
    assert (response.status_code, response["Location"]) == (302, f"/o/acme/{STATE}")
    row = Annotation.objects.get()
    assert (row.at, row.end, row.created_by, row.key) == (at(11, 30), at(12), owner, None)  # Berlin
    html = client.get(f"/o/acme/{STATE}").content.decode()
    assert "24 Nov 2026 12:30 – 13:00" in html  # noqa: RUF001 - a range
    assert 'href="https://ci.example/7" rel="noopener noreferrer nofollow"' in html
    gone = client.post(f"/o/acme/annotations/{row.pk}/delete{STATE}")
    assert (gone.status_code, gone["Location"]) == (302, f"/o/acme/{STATE}")
    assert not Annotation.objects.exists()
    acts = AuditEntry.objects.filter(action__startswith="annotation").order_by("pk")
    assert [one.action for one in acts] == ["annotation.add", "annotation.delete"]


def test_what_is_wrong_in_the_form_is_told_with_what_was_typed(acme: Organization, owner: User, traffic: None) -> None:
    client = signed_in(owner)
    response = client.post(ADD + STATE, FORM | {"link": "javascript:alert(1)", "at": "soon", "text": HOSTILE})
    html = response.content.decode()
    assert response.status_code == 400
    assert "link is an address that begins with https:// or http://." in html
    assert "&#x27;soon&#x27; is not an instant." in html
    assert 'value="&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}"' in html
    assert "<script>alert(1)" not in html
    assert not Annotation.objects.exists()
    again = client.get(ADD + STATE)
    assert (again.status_code, again["Location"]) == (302, f"/o/acme/{STATE}")


@pytest.mark.parametrize("person", ["viewer", "member"])
def test_who_may_not_write_is_refused(
    acme: Organization, search: Team, request: pytest.FixtureRequest, person: str
) -> None:
    client = signed_in(request.getfixturevalue(person))
    row = note(acme, "all")
    assert client.post(ADD, FORM).status_code == 403
    assert client.post(f"{ADD}{row.pk}/delete").status_code == 403
    assert Annotation.objects.count() == 1


def test_a_manager_writes_for_the_team_alone(acme: Organization, search: Team, ads: Team, manager: User) -> None:
    client = signed_in(manager)
    assert client.post(ADD, FORM).status_code == 403
    assert client.post(ADD, FORM | {"team": "Search"}).status_code == 302
    assert client.post(ADD, FORM | {"team": "Ads"}).status_code == 400  # the same as a team that is not there
    assert [one.team for one in Annotation.objects.all()] == [search]
    theirs = note(acme, "ads", team=ads)
    assert client.post(f"{ADD}{theirs.pk}/delete").status_code == 404
    assert client.post(f"{ADD}{Annotation.objects.get(team=search).pk}/delete").status_code == 302


def test_outsiders_find_nothing(acme: Organization, rival: Organization, outsider: User, owner: User) -> None:
    row, theirs = note(acme, "all"), note(rival, "theirs")
    assert signed_in(outsider).post(ADD, FORM).status_code == 404
    assert signed_in(outsider).post(f"{ADD}{row.pk}/delete").status_code == 404
    assert signed_in(owner).post(f"{ADD}{theirs.pk}/delete").status_code == 404
    assert signed_in(owner).post(f"{ADD}{'9' * 40}/delete").status_code == 404
    assert Client().post(ADD, FORM)["Location"].startswith("/sign-in")
    assert Annotation.objects.count() == 2


def test_forms_need_their_token(acme: Organization, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(ADD, FORM).status_code == 403
    assert client.post(f"{ADD}{note(acme, 'x').pk}/delete").status_code == 403


def test_markup_is_text(acme: Organization, search: Team, owner: User, traffic: None) -> None:
    search.name = HOSTILE
    search.save()
    note(acme, HOSTILE, team=search, link="https://x.example/?a='\"><script>", external_id=HOSTILE)
    html = signed_in(owner).get(f"/o/acme/{STATE}").content.decode()
    assert "<script>alert(1)" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}") >= 3
    assert '"><script>' not in html


def test_lines_are_hidden_by_the_address(acme: Organization, owner: User, traffic: None) -> None:
    client = signed_in(owner)
    states = {
        text: json.loads(client.get(f"/o/acme/data{STATE}{text}").content)["state"]["notes"]
        for text in ("", "&notes=off", "&notes=on", "&notes=maybe")
    }
    assert states == {"": "on", "&notes=off": "off", "&notes=on": "on", "&notes=maybe": "on"}
    document = json.loads(client.get(f"/o/acme/data{STATE}&notes=maybe").content)
    assert document["messages"] == ["“notes” was 'maybe'; it can be on, off. on is used."]
    html = client.get(f"/o/acme/{STATE}&notes=off").content.decode()
    assert 'aria-current="true">Hidden</a>' in html


def test_few_statements_however_many_there_are(
    acme: Organization, search: Team, manager: User, traffic: None, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(manager)
    client.get(f"/o/acme/data{STATE}")
    with django_assert_max_num_queries(200) as few:
        client.get(f"/o/acme/data{STATE}")
    for number in range(20):
        note(acme, str(number), team=search, created_by=manager)
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(f"/o/acme/data{STATE}")
