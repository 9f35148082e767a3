"""With which view the dashboard opens: whose choice it is, and that nobody gets a view that is not for them."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client

from analytics.models import DefaultView, SavedView
from teams.models import AuditEntry, Membership, Organization, Team, TeamMembership, User
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import World

pytestmark = pytest.mark.usefixtures("kept_world")

URL = "/api/v1/saved-views"
PAGE = "/o/acme/"
SECRET = "Secret name"
Json = dict[str, Any]
NO_VIEW = "There is no saved view {!r} for you. The page is shown without it."


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def add(person: User, name: str = "Mine", team: str | None = None, content: Json | None = None) -> int:
    body = {"name": name, "kind": "dashboard", "team": team, "content": content or {"by": "user"}}
    made = signed_in(person).post(URL, json.dumps(body), content_type="application/json")
    assert made.status_code == 201, made.content
    pk: int = made.json()["id"]
    return pk


def choose(person: User, pk: int, whom: str = "me") -> int:
    return signed_in(person).put(f"{URL}/{pk}/default/{whom}").status_code


def forget(person: User, pk: int, whom: str = "me") -> int:
    return signed_in(person).delete(f"{URL}/{pk}/default/{whom}").status_code


def opened(person: User, query: str = "", page: str = PAGE) -> dict[str, list[str]] | None:
    """Parameters that the page is redirected to; None when it is shown as it is."""
    response = signed_in(person).get(page + query)
    if response.status_code == 200:
        return None
    assert response.status_code == 302
    assert urlsplit(response["Location"]).path == page
    return parse_qs(urlsplit(response["Location"]).query)


def messages(person: User, query: str) -> list[str]:
    found: list[str] = signed_in(person).get(f"{PAGE}data{query}").json()["messages"]
    assert all(one in signed_in(person).get(PAGE + query).context["data"]["messages"] for one in found)
    return found


def test_a_person_s_own_default_opens_the_page_without_parameters(world: World, owner: User, admin: User) -> None:
    pk = add(owner, content={"by": "user", "f": ["model:eq:gpt-5", "user:nin:a,b"], "from": "now-7d", "p": "99"})
    assert opened(owner) is None
    assert choose(owner, pk) == 204
    expected = {
        "by": ["user"],
        "f": ["model:eq:gpt-5", "user:nin:a,b"],
        "from": ["now-7d"],
        "p": ["99"],
        "view": ["none"],
    }
    assert opened(owner) == expected
    assert opened(owner, "?utm=mail") == expected | {"utm": ["mail"]}  # an unknown parameter says nothing
    for query in ("?by=team", "?view=none", "?iso=gpt-5", "?f=model:eq:x", "?page=2", "?tz=viewer"):
        assert opened(owner, query) is None
    assert opened(admin) is None  # it is the owner's alone
    document = signed_in(owner).get(f"{URL}/{pk}").json()
    assert document["default_for"] == ["me"]
    assert [one["default_for"] for one in signed_in(owner).get(URL).json()["results"]] == [["me"]]

    other = add(owner, "Other", content={"by": "team"})
    assert choose(owner, other) == choose(owner, other) == 204  # the same again changes nothing
    assert opened(owner) == {"by": ["team"], "view": ["none"]}
    assert forget(owner, pk) == 204  # of another view: nothing changes
    assert opened(owner) == {"by": ["team"], "view": ["none"]}
    assert forget(owner, other) == forget(owner, other) == 204
    assert opened(owner) is None
    acts = AuditEntry.objects.filter(action__contains="default").order_by("pk")
    assert [(one.action, one.target, one.details) for one in acts] == [
        ("saved_view.default", "Mine", {"whom": "me"}),
        ("saved_view.default", "Other", {"whom": "me"}),
        ("saved_view.no_default", "Other", {"whom": "me"}),
    ]


def test_the_organization_s_default_is_for_who_has_none(
    world: World, owner: User, admin: User, finance: User, manager: User, viewer: User, member: User
) -> None:
    common, own = add(admin, SECRET, content={"by": "team"}), add(viewer, content={"by": "user"})
    people = {"finance": finance, "manager": manager, "viewer": viewer, "member": member}
    assert {who: choose(person, own, "organization") for who, person in people.items()} == {
        "finance": 404,
        "manager": 404,
        "viewer": 403,
        "member": 404,
    }
    assert choose(admin, common, "organization") == 204
    assert choose(viewer, own) == 204
    given = {"by": ["team"], "view": ["none"]}
    for person in (owner, admin, finance, manager, member):
        assert opened(person) == given
    assert opened(viewer) == {"by": ["user"], "view": ["none"]}
    # It is the state that everybody gets: the private view stays private.
    assert signed_in(owner).get(f"{URL}/{common}").status_code == 404
    assert SECRET not in signed_in(owner).get(PAGE, follow=True).content.decode()
    assert messages(owner, f"?view={common}") == [NO_VIEW.format(str(common))]
    assert forget(admin, common, "organization") == 204
    assert opened(owner) is None


def test_who_manages_nobody_any_more_decides_for_nobody(world: World, owner: User, admin: User) -> None:
    pk = add(admin, content={"by": "team"})
    assert choose(admin, pk, "organization") == 204
    assert opened(owner) is not None
    Membership.objects.filter(user=admin).update(role="finance")
    assert opened(owner) is None
    assert opened(admin) is not None  # the view is the admin's own
    Membership.objects.filter(user=admin).delete()
    assert opened(owner) is None


def test_a_team_s_view_opens_the_page_of_who_sees_the_team(
    world: World, owner: User, manager: User, viewer: User, member: User, ads: Team
) -> None:
    ours, theirs = (
        add(manager, SECRET, team="Search", content={"by": "user"}),
        add(owner, "Theirs", team="Ads", content={"by": "team"}),
    )
    assert choose(viewer, ours) == 204
    assert opened(viewer) == {"by": ["user"], "view": ["none"]}
    assert choose(viewer, theirs) == choose(member, ours) == 404
    assert choose(viewer, ours, "organization") == 403
    assert choose(owner, theirs, "organization") == 204
    assert opened(owner) == {"by": ["team"], "view": ["none"]}
    assert opened(manager) is None  # sees Search alone
    assert opened(member) is None

    TeamMembership.objects.filter(user=viewer).delete()
    assert opened(viewer) is None  # who left a team does not get its view any more
    assert DefaultView.objects.filter(person=viewer).exists()
    TeamMembership.objects.create(team=ads, user=viewer, role="viewer")
    assert opened(viewer) == {"by": ["team"], "view": ["none"]}


def test_a_view_is_named_in_the_address_and_other_parameters_are_over_it(world: World, owner: User) -> None:
    pk = add(owner, content={"by": "user", "f": ["model:eq:gpt-5"], "from": "now-7d"})
    assert opened(owner, f"?view={pk}") == {
        "by": ["user"],
        "f": ["model:eq:gpt-5"],
        "from": ["now-7d"],
        "view": ["none"],
    }
    assert opened(owner, f"?view={pk}&by=team&f=team:eq:Ads&f=user:eq:x&iso=Ads") == {
        "by": ["team"],
        "f": ["team:eq:Ads", "user:eq:x"],
        "from": ["now-7d"],
        "iso": ["Ads"],
        "view": ["none"],
    }
    data = signed_in(owner).get(f"{PAGE}data?view={pk}&by=team").json()["state"]
    assert (data["by"], data["from"], len(data["filters"])) == ("team", "now-7d", 1)


def test_what_is_not_for_one_is_named_like_what_does_not_exist(
    world: World, owner: User, admin: User, viewer: User, outsider: User
) -> None:
    private, team = add(admin, SECRET), add(owner, SECRET, team="Ads")
    report = SavedView.objects.create(
        organization=world.acme, owner=viewer, name="Report", kind="report", content={}, created_by=viewer
    )
    rival = SavedView.objects.create(
        organization=world.rival, owner=outsider, name=SECRET, kind="dashboard", content={"by": "user"}
    )
    own = SavedView.objects.create(
        organization=world.rival, owner=viewer, name=SECRET, kind="dashboard", content={"by": "user"}
    )
    for pk in (private, team, report.pk, rival.pk, own.pk, 999_999, "x", "", "-1", "9" * 40, "\u0661"):
        assert messages(viewer, f"?view={pk}&by=team") == [NO_VIEW.format(str(pk)[:40])]
        html = signed_in(viewer).get(f"{PAGE}?view={pk}").content.decode()
        assert SECRET not in html
        assert signed_in(viewer).get(f"{PAGE}data?view={pk}&by=team").json()["state"]["by"] == "team"


def test_a_person_of_two_organizations_has_a_default_in_each(world: World, owner: User) -> None:
    pk = add(owner)
    assert choose(owner, pk) == choose(owner, pk, "organization") == 204
    Membership.objects.create(organization=world.rival, user=owner, role="owner")
    assert opened(owner, page="/o/rival/") is None
    client = signed_in(owner)
    assert client.put(f"{URL}/{pk}/default/me?organization=rival").status_code == 404
    # Even rows that point across the border open nothing.
    for person in (owner, None):
        DefaultView.objects.create(organization=world.rival, person=person, view_id=pk)
        assert opened(owner, page="/o/rival/") is None


def test_keys_and_nobody_choose_nothing(world: World, owner: User, read_key: IssuedKey) -> None:
    pk = add(owner, team="Search")
    assert Client().put(f"{URL}/{pk}/default/me", headers=make.bearer(read_key)).status_code == 403
    assert Client().delete(f"{URL}/{pk}/default/me", headers=make.bearer(read_key)).status_code == 403
    assert Client().put(f"{URL}/{pk}/default/me").status_code == 401
    assert choose(owner, pk, "everybody") == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.put(f"{URL}/{pk}/default/me").status_code == 403
    assert not DefaultView.objects.exists()


def test_only_a_view_of_the_dashboard_opens_it(world: World, owner: User) -> None:
    pk = add(owner)
    assert choose(owner, pk) == choose(owner, pk, "organization") == 204
    report = {"start_date": "2026-11-20", "end_date": "2026-11-20", "group_by": "team", "measures": "requests"}
    body = json.dumps({"name": "Mine", "kind": "report", "content": report})
    assert signed_in(owner).put(f"{URL}/{pk}", body, content_type="application/json").status_code == 200
    assert opened(owner) is None
    assert forget(owner, pk) == 204
    assert choose(owner, pk) == 409


def test_a_deleted_view_opens_nothing(world: World, owner: User) -> None:
    pk = add(owner)
    assert choose(owner, pk) == 204
    assert signed_in(owner).delete(f"{URL}/{pk}").status_code == 204
    assert opened(owner) is None
    assert not DefaultView.objects.exists()


def test_what_is_wrong_in_a_view_is_named(world: World, acme: Organization, owner: User) -> None:
    pk = add(owner)
    SavedView.objects.filter(pk=pk).update(content={"by": "metadata", "key": "gone"})
    assert choose(owner, pk) == 204
    response = signed_in(owner).get(PAGE, follow=True)
    assert response.context["data"]["messages"] == ["There is no metadata key 'gone' to view by. Models are shown."]
    assert len(response.redirect_chain) == 1


def test_links_without_scripts_lead_to_the_plain_page(world: World, owner: User) -> None:
    pk = add(owner, content={"f": ["model:eq:gpt-5"]})
    clear = 'id="filters-clear" data-go href="{}"'
    assert clear.format("?") in signed_in(owner).get(f"{PAGE}?f=model:eq:gpt-5").content.decode()
    assert choose(owner, pk) == 204
    assert clear.format("?view=none") in signed_in(owner).get(PAGE, follow=True).content.decode()
    assert clear.format("?view=none") in signed_in(owner).get(f"{PAGE}?f=model:eq:gpt-5").content.decode()
