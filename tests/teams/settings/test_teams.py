"""Teams: who makes, names and fills them, and what is refused."""

from html import unescape

import pytest
from django.test import Client

from teams.models import AuditEntry, Membership, Organization, Team, TeamMembership, User
from tests import make
from tests.teams.settings.conftest import Enter
from tests.teams.settings.test_people import HOSTILE

TEAMS = "/o/acme/settings/teams"


def people(team: Team) -> dict[str, str]:
    return dict(TeamMembership.objects.filter(team=team).values_list("user__email", "role"))


def add(client: Client, team: Team, email: str, role: str = "viewer") -> tuple[int, str]:
    answer = client.post(f"{TEAMS}/{team.pk}/add", {"email": email, "role": role})
    return answer.status_code, unescape(answer.content.decode())


def test_a_team_is_made_renamed_and_filled(enter: Enter, acme: Organization, member: User) -> None:
    client = enter("admin")
    made = client.post(TEAMS, {"name": "  Labs "}, follow=True)
    team = Team.objects.get(organization=acme)
    assert (team.name, team.claimed, made.redirect_chain) == ("Labs", True, [(f"{TEAMS}/{team.pk}", 302)])
    client.post(f"{TEAMS}/{team.pk}/rename", {"name": "Research"})
    team.refresh_from_db()
    assert team.name == "Research"
    assert add(client, team, " MEMBER@acme.example", "manager")[0] == 302
    membership = TeamMembership.objects.get()
    client.post(f"{TEAMS}/{team.pk}/people/{membership.pk}/role", {"role": "viewer"})
    assert people(team) == {"member@acme.example": "viewer"}
    client.post(f"{TEAMS}/{team.pk}/people/{membership.pk}/remove")
    assert people(team) == {}
    entries = AuditEntry.objects.order_by("pk")
    assert list(entries.values_list("action", "target", "actor__email")) == [
        ("team.create", "Labs", "admin@acme.example"),
        ("team.rename", "Research", "admin@acme.example"),
        ("team.member", "member@acme.example", "admin@acme.example"),
        ("team.member", "member@acme.example", "admin@acme.example"),
        ("team.leave", "member@acme.example", "admin@acme.example"),
    ]
    assert entries[1].details == {"team": team.pk, "before": "Labs"}
    assert entries[3].details == {"team": team.pk, "name": "Research", "role": "viewer", "before": "manager"}


def test_a_team_from_traffic_is_claimed_by_its_first_member(enter: Enter, acme: Organization, member: User) -> None:
    team = make.team(acme, claimed=False)
    assert b"unclaimed" in enter("owner").get(TEAMS).content
    add(enter("owner"), team, member.email)
    team.refresh_from_db()
    assert team.claimed


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 257, "at most 256 characters"),
        ("Ads", "a team of this name already"),
        ("Unassigned", "Reports use this name"),
        ("(OTHER)", "Reports use this name"),
        ("two\nlines", "one line"),
        ("nul\0", "Null characters"),
        ("\u2028", "This field is required."),
        ("a\u2028b", "one line"),
    ],
)
def test_names_that_no_team_may_have(
    enter: Enter, acme: Organization, search: Team, ads: Team, name: str, says: str
) -> None:
    client = enter("admin")
    for path in (TEAMS, f"{TEAMS}/{search.pk}/rename"):
        answer = client.post(path, {"name": name})
        assert answer.status_code == 400
        assert says in unescape(answer.content.decode())
    assert sorted(Team.objects.values_list("name", flat=True)) == ["Ads", "Search"]
    assert not AuditEntry.objects.exists()


def test_the_same_name_in_another_organization_is_no_matter(
    enter: Enter, acme: Organization, rival: Organization
) -> None:
    make.team(rival, "Rival team")
    assert enter("admin").post(TEAMS, {"name": "Rival team"}).status_code == 302


def test_a_manager_sees_and_fills_the_own_team_alone(
    enter: Enter, search: Team, ads: Team, member: User, manager: User
) -> None:
    client = enter("manager")
    page = client.get(TEAMS).content.decode()
    assert "Search" in page
    assert "Ads" not in page
    assert "Create a team" not in page
    assert "Rename" not in client.get(f"{TEAMS}/{search.pk}").content.decode()
    assert add(client, search, member.email, "manager")[0] == 302
    assert people(search) == {"manager@acme.example": "manager", "member@acme.example": "manager"}


def test_a_manager_lets_nobody_into_the_organization(enter: Enter, search: Team, manager: User, outsider: User) -> None:
    client = enter("manager")
    known, unknown = add(client, search, outsider.email), add(client, search, "nobody@at.all")
    for status, page in (known, unknown):
        assert status == 400
        assert "Nobody with this e-mail belongs to the organization" in page
    assert known[1].count(outsider.email) == 1  # in the form that was sent
    assert people(search) == {"manager@acme.example": "manager"}
    assert not Membership.objects.filter(user=outsider, organization=search.organization).exists()


def test_nobody_changes_their_own_role(enter: Enter, search: Team, manager: User) -> None:
    client, own = enter("manager"), TeamMembership.objects.get(user=manager)
    changed = client.post(f"{TEAMS}/{search.pk}/people/{own.pk}/role", {"role": "viewer"})
    assert changed.status_code == 400
    assert b"Nobody changes their own role" in changed.content
    status, page = add(client, search, manager.email, "viewer")
    assert (status, "Nobody changes their own role" in page) == (400, True)
    assert people(search) == {"manager@acme.example": "manager"}
    assert list(AuditEntry.objects.values_list("action", "target")) == [
        ("team.member.refused", manager.email),
        ("team.member.refused", manager.email),
    ]


@pytest.mark.parametrize("role", ["owner", "", "\0", "VIEWER"])
def test_an_unknown_role_is_a_message(enter: Enter, search: Team, viewer: User, role: str) -> None:
    client, theirs = enter("admin"), TeamMembership.objects.get(user=viewer)
    answer = client.post(f"{TEAMS}/{search.pk}/people/{theirs.pk}/role", {"role": role})
    assert (answer.status_code, people(search)) == (400, {"viewer@acme.example": "viewer"})
    assert b"Choose from manager, viewer" in answer.content
    assert add(client, search, viewer.email, role)[0] == 400


def test_rights_end_at_the_next_request(enter: Enter, search: Team, manager: User, member: User) -> None:
    client = enter("manager")
    assert client.get(f"{TEAMS}/{search.pk}").status_code == 200
    TeamMembership.objects.filter(user=manager).update(role="viewer")
    assert client.get(f"{TEAMS}/{search.pk}").status_code == 403
    assert add(client, search, member.email)[0] == 403
    Membership.objects.filter(user=manager).delete()  # a role in a team is worth nothing without the organization
    TeamMembership.objects.filter(user=manager).update(role="manager")
    assert client.get(f"{TEAMS}/{search.pk}").status_code == 404


def test_a_manager_who_leaves_is_led_home(enter: Enter, search: Team, manager: User) -> None:
    own = TeamMembership.objects.get(user=manager)
    assert enter("manager").post(f"{TEAMS}/{search.pk}/people/{own.pk}/remove").headers["Location"] == "/"
    assert people(search) == {}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_literally(enter: Enter, acme: Organization, name: str) -> None:
    client = enter("owner")
    page = client.post(TEAMS, {"name": name}, follow=True).content.decode()
    assert Team.objects.get(organization=acme).name == name
    for body in (page, client.get(TEAMS).content.decode()):
        assert "<script>alert" not in body
        assert f"<bdi>{name}</bdi>" in unescape(body)
