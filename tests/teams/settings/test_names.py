"""Callers, accounts and models in the settings: lists, moves, names, merges; and that traffic grants nothing."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from ingestion.models import GatewayUser, LLMModel, LLMRequest, Merge, VirtualModel
from ingestion.provisioning.kinds import ACCOUNT, CALLER, Kind
from ingestion.tasks import continue_merges
from teams.access import Reach, scope_of_user
from teams.models import AuditEntry, Membership, Organization, Team, TeamMembership, User, VirtualAccount
from teams.roles import Capability
from tests import make
from tests.chargeback.scene import day, spend
from tests.ingestion.provisioning.scene import FIELDS, agree, by_name
from tests.teams.settings.conftest import Enter
from tests.teams.settings.test_people import HOSTILE

AT = "/o/acme/settings"
PLACES = {CALLER: "callers", ACCOUNT: "accounts"}
both = pytest.mark.parametrize("kind", PLACES, ids=lambda kind: kind.name.value)


def read(client: Client, path: str) -> str:
    answer = client.get(f"{AT}/{path}")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def send(client: Client, path: str, **form: Any) -> tuple[int, str]:
    answer = client.post(f"{AT}/{path}", form)
    return answer.status_code, unescape(answer.content.decode())


def stored() -> list[Any]:
    models = (Team, VirtualAccount, GatewayUser, LLMModel, VirtualModel, Merge, LLMRequest)
    return [list(model.objects.order_by("pk").values()) for model in models]


@both
def test_what_came_before_a_move_stays_and_what_comes_later_does_not(
    enter: Enter, acme: Organization, search: Team, ads: Team, kind: Kind
) -> None:
    client = enter("admin")
    for name in ("first", "second", "third"):
        spend(acme, day(11), **{FIELDS[kind]: name})
    ids = list(kind.rows(acme).filter(name__in=("first", "second")).values_list("pk", flat=True))
    assert send(client, f"{PLACES[kind]}/move", id=ids, team=search.pk)[0] == 302
    spend(acme, day(11), **{FIELDS[kind]: "first"})
    assert send(client, f"{PLACES[kind]}/move", id=ids[:1], team=ads.pk)[0] == 302
    for name in ("first", "second", "third"):
        spend(acme, day(11), **{FIELDS[kind]: name})
    facts = LLMRequest.objects.order_by("pk").values_list(f"{FIELDS[kind]}__name", "team__name")
    assert list(facts) == [
        *(("first", None), ("second", None), ("third", None)),
        ("first", "Search"),
        *(("first", "Ads"), ("second", "Search"), ("third", None)),
    ]
    assert send(client, f"{PLACES[kind]}/move", id=ids, team="0")[0] == 302
    assert not kind.rows(acme).exclude(team=None).exists()
    rows = kind.rows(acme).values_list("name", "claimed")
    assert sorted(rows) == [("first", True), ("second", True), ("third", False)]
    entries = AuditEntry.objects.filter(action=f"{kind.name.value}.move").order_by("pk")
    said = [(entry.target, entry.details["before"], entry.details["team"]) for entry in entries]
    assert said == [
        *(("first", None, "Search"), ("second", None, "Search")),
        ("first", "Search", "Ads"),
        *(("first", "Ads", None), ("second", "Search", None)),
    ]
    assert "leaves all requests up to now where they are" in read(client, PLACES[kind])
    agree(acme)


@both
def test_a_move_that_cannot_be_changes_nothing(
    enter: Enter, acme: Organization, rival: Organization, search: Team, kind: Kind
) -> None:
    for organization in (acme, rival):
        spend(organization, day(11), **{FIELDS[kind]: "ann"})
    mine, foreign = (kind.rows(one).get().pk for one in (acme, rival))
    theirs = make.team(rival, "Rival team")
    before, client = stored(), enter("owner")
    for ids, team, says in (
        ([mine, foreign], search.pk, "not there any more"),
        ([mine, 10**12], search.pk, "not there any more"),
        ([mine, "1 OR 1=1"], search.pk, "not there any more"),
        ([], search.pk, "Choose at least one"),
        ([mine], theirs.pk, "Choose a team"),
        ([mine], 10**12, "Choose a team"),
        ([mine], "", "Choose a team"),
        ([mine], "Search", "Choose a team"),
    ):
        status, page = send(client, f"{PLACES[kind]}/move", id=ids, team=team)
        assert (status, says in page) == (400, True), (ids, team)
        assert "Rival" not in page
    assert stored() == before


@both
def test_lists_are_searched_filtered_and_paged(enter: Enter, acme: Organization, search: Team, kind: Kind) -> None:
    model: Any = kind.model
    rows = [model(organization=acme, name=f"name-{number:02}", claimed=number % 2 == 0) for number in range(61)]
    model.objects.bulk_create(rows)
    spend(acme, day(11), **{FIELDS[kind]: "name-07"})
    kind.rows(acme).filter(name="name-08").update(team=search)
    client, place = enter("admin"), PLACES[kind]
    first, last = read(client, place), read(client, f"{place}?page=2")
    assert "Page 1 of 2" in first
    assert ("name-49" in first, "name-50" in first, "name-60" in last) == (True, False, True)
    assert "Unclaimed (30)" in first
    unclaimed = read(client, f"{place}?show=unclaimed")
    assert ("name-07" in unclaimed, "name-08" in unclaimed) == (True, False)
    found = read(client, f"{place}?q=NAME-08&team={search.pk}")
    assert ("name-08" in found, "name-07" in found) == (True, False)
    assert "is like that" in read(client, f"{place}?q=nobody")
    assert "name-08" not in read(client, f"{place}?team=0&q=name")


@pytest.mark.parametrize("path", ["callers", "accounts", "models", "models?show=virtual"])
def test_as_often_for_many_as_for_few(
    enter: Enter, acme: Organization, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = enter("owner")

    def fill(names: range) -> None:
        for number in names:
            name = f"n-{number}"
            make.request(acme, user=name, virtual_account=name, team=name, model=name, virtual_model=f"v-{number}")

    fill(range(2))
    with django_assert_max_num_queries(40) as few:
        assert client.get(f"{AT}/{path}").status_code == 200
    fill(range(2, 8))
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert client.get(f"{AT}/{path}").status_code == 200


@both
def test_claimed_renamed_and_merged_on_the_pages(enter: Enter, acme: Organization, kind: Kind) -> None:
    for name in ("ann", "ann", "ann@acme.example"):
        spend(acme, day(11), "1.5", **{FIELDS[kind]: name})
    client, place = enter("admin"), PLACES[kind]
    row, other = (kind.rows(acme).get(name=name) for name in ("ann", "ann@acme.example"))
    assert "unclaimed" in read(client, f"{place}/{row.pk}")
    assert send(client, f"{place}/{row.pk}/rename", name="ann")[0] == 302
    row.refresh_from_db()
    assert row.claimed
    before = stored()
    status, page = send(client, f"{place}/{row.pk}/rename", name="ann@acme.example")
    assert (status, "of this name already" in page) == (400, True)
    preview = read(client, f"{place}/{row.pk}/merge?into=ann@acme.example")
    assert "2026-11" in preview
    assert "$3.00" in preview
    assert "No month is closed yet." in preview
    for into, says in (("ann", "into itself"), ("nobody", "There is no"), ("", "There is no"), ("\0", "There is no")):
        answer = client.get(f"{AT}/{place}/{row.pk}/merge", {"into": into})
        assert (answer.status_code, says in unescape(answer.content.decode())) == (400, True), into
    for wrong in ("", "x", "-1", str(10**12)):
        assert send(client, f"{place}/{row.pk}/merge", into=wrong)[0] == 404
    assert stored() == before
    assert send(client, f"{place}/{row.pk}/merge", into=other.pk)[0] == 302
    continue_merges()
    assert by_name(kind, acme) == {"ann@acme.example": 3}
    assert "Earlier names: <bdi>ann</bdi>" in read(client, f"{place}/{other.pk}")
    assert client.get(f"{AT}/{place}/{row.pk}").status_code == 404
    assert f"{place}/{row.pk}" not in read(client, place)
    agree(acme)


def test_a_team_from_traffic_becomes_the_one_it_was_meant_to_be(enter: Enter, acme: Organization, ads: Team) -> None:
    spend(acme, day(11), team="ads (old)")
    client, typo = enter("owner"), Team.objects.get(name="ads (old)")
    assert "unclaimed" in read(client, "teams?show=unclaimed")
    assert "Ads" not in read(client, "teams?show=unclaimed").split("<section", 1)[1].split("</section>")[0]
    assert "Who is in <bdi>Ads</bdi> sees what moves" in read(client, f"teams/{typo.pk}/merge?into=Ads")
    assert send(client, f"teams/{typo.pk}/merge", into=ads.pk)[0] == 302
    continue_merges()
    assert LLMRequest.objects.get().team == ads
    assert client.get(f"{AT}/teams/{typo.pk}").status_code == 404
    status, page = send(client, "teams", name="ads (old)")
    assert (status, "an earlier name of the team Ads" in page) == (400, True)


def test_accounts_and_models_are_registered_before_traffic(enter: Enter, acme: Organization, search: Team) -> None:
    client = enter("owner")
    assert send(client, "accounts", name=" bot ", team=search.pk)[0] == 302
    assert send(client, "models", name="openai/gpt-9", provider="OpenAI")[0] == 302
    assert send(client, "models?show=virtual", name="chat")[0] == 302
    assert "no request yet" in read(client, "accounts")
    page = read(client, "models")
    assert "registered" in page
    assert "model=gpt-9" in page  # where its price is set
    fact = spend(acme, day(11), virtual_account="bot", model="gpt-9", provider="openai", virtual_model="chat")
    assert fact.team == search
    assert (VirtualAccount.objects.count(), LLMModel.objects.count(), VirtualModel.objects.count()) == (1, 1, 1)
    before = stored()
    for path, form, says in (
        ("accounts", {"name": "bot"}, "has a virtual account of this name already"),
        ("accounts", {"name": "a\nb"}, "one line"),
        ("accounts", {"name": "(other)"}, "Reports use this name"),
        ("accounts", {"name": "new", "team": "999999"}, "Select a valid choice"),
        ("models", {"name": "gpt-9", "provider": "openai"}, "knows this model already"),
        ("models", {"name": "x", "provider": "a\u2028b"}, "one line"),
        ("models", {"name": ""}, "required"),
        ("models?show=virtual", {"name": "chat"}, "knows this virtual model already"),
        ("models?show=virtual", {"name": "x" * 257}, "at most 256"),
    ):
        status, page = send(client, path, **form)
        assert (status, says in page) == (400, True), (path, form)
    assert stored() == before
    assert client.post(f"{AT}/callers", {"name": "new"}).status_code == 404
    acts = AuditEntry.objects.order_by("pk").values_list("action", "target")
    assert list(acts) == [
        ("virtual_account.register", "bot"),
        ("model.register", "gpt-9 (openai)"),
        ("virtual_model.register", "chat"),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_literally(enter: Enter, acme: Organization, name: str) -> None:
    spend(acme, day(11), user=name, virtual_account=name, team=name, model=name, virtual_model=f"{name}v")
    client = enter("owner")
    caller, team = GatewayUser.objects.get(), Team.objects.get()
    for path in ("callers", f"callers/{caller.pk}", "accounts", "models", "models?show=virtual", f"teams/{team.pk}"):
        page = client.get(f"{AT}/{path}").content.decode()
        assert "<script>alert" not in page
        assert f"<bdi>{name}" in unescape(page)


def test_nothing_in_traffic_grants_a_right(
    acme: Organization, owner: User, member: User, outsider: User, search: Team, manager: User
) -> None:
    """E-mails, roles and names of people, teams and organizations, wherever a record has a place for them."""
    before = [list(model.objects.order_by("pk").values()) for model in (Membership, TeamMembership, User)]
    people = (owner, member, outsider, manager)
    for person in people:
        claim = {
            "role": "owner",
            "is_superuser": "true",
            "organization": "acme",
            "team": "Search",
            "member": person.email,
        }
        spend(
            acme,
            day(11),
            user=person.email,
            user_email=person.email,
            virtual_account=person.email,
            team="Search",
            metadata=claim,
        )
    spend(acme, day(11), user="owner", team="owner", virtual_account="Search")
    assert [list(model.objects.order_by("pk").values()) for model in (Membership, TeamMembership, User)] == before
    assert Team.objects.filter(name="Search").count() == 1  # an existing name is that team: it sees what it is sent
    scope = scope_of_user(member, acme)
    assert scope is not None
    assert (scope.reach, scope.capabilities, scope.team_ids) == (Reach.CALLER, frozenset(), frozenset())
    assert scope_of_user(outsider, acme) is None
    new = Team.objects.get(name="owner")
    assert (new.claimed, new.memberships.count(), new.api_keys.count()) == (False, 0, 0)
    assert not scope.allows(Capability.MANAGE_PEOPLE)
