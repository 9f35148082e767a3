"""Members and invitations: the pages, the mail, and what is refused."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from metricsportal.lib.wording import one_line
from teams import services
from teams.models import AuditEntry, Invitation, Membership, Organization, Team, TeamMembership, User
from tests import make
from tests.chargeback.postoffice import DROP, PostOffice
from tests.teams.settings.conftest import Enter

PEOPLE = "/o/acme/settings/people"
NEW = "new@person.example"
PHRASE = "a wholly different phrase"
HOSTILE = ("<script>alert(1)</script>", "=1+1", "\u05e9\u05dc\u05d5\u05dd", "\u202egnp.exe", "{{ 7|add:7 }}", "'\"&")


def invite(client: Client, email: str = NEW, role: str = "member", **more: object) -> int:
    return client.post(f"{PEOPLE}/invite", {"email": email, "role": role, **more}).status_code


def link(office: PostOffice) -> str:
    """The path of the newest mail's link."""
    body = office.messages[-1].get_body(("plain",))
    assert body is not None
    found = re.findall(r"https://portal\.example(/invitation/\S+)\s", body.get_content())
    assert len(found) == 1
    return str(found[0])


def passwords(phrase: str = PHRASE, **more: str) -> dict[str, str]:
    return {"new_password1": phrase, "new_password2": phrase, "name": "Nora New", **more}


def roles(organization: Organization) -> dict[str, str]:
    return dict(Membership.objects.filter(organization=organization).values_list("user__email", "role"))


def log(*actions: str) -> list[tuple[str, str, str | None]]:
    entries = AuditEntry.objects.filter(action__in=actions).order_by("pk")
    return list(entries.values_list("action", "target", "actor__email"))


def test_an_invitation_becomes_a_member_of_a_team(
    enter: Enter, office: PostOffice, acme: Organization, search: Team
) -> None:
    assert invite(enter("admin"), " New@Person.example", "finance", team=search.pk, team_role="manager") == 302
    assert office.recipients == [[NEW]]
    assert office.messages[0]["Subject"] == "Invitation: LLM metrics of Acme Works"
    guest = Client()
    assert b"finance, in the team <bdi>Search</bdi>" in guest.get(link(office)).content
    assert guest.post(link(office), passwords()).headers["Location"] == "/sign-in"
    assert "_auth_user_id" not in guest.session
    person = User.objects.get(email=NEW)
    assert (person.name, person.check_password(PHRASE), roles(acme)[NEW]) == ("Nora New", True, "finance")
    assert list(TeamMembership.objects.filter(user=person).values_list("team__name", "role")) == [("Search", "manager")]
    assert guest.post("/sign-in", {"username": NEW, "password": PHRASE}).status_code == 302
    assert guest.get("/o/acme/").status_code == 200
    assert log("invitation.send", "member.add", "team.member", "invitation.accept") == [
        ("invitation.send", NEW, "admin@acme.example"),
        ("member.add", NEW, "admin@acme.example"),
        ("team.member", NEW, "admin@acme.example"),
        ("invitation.accept", NEW, NEW),
    ]


def test_the_token_is_in_the_mail_alone(enter: Enter, office: PostOffice, acme: Organization) -> None:
    client = enter("admin")
    page = client.post(f"{PEOPLE}/invite", {"email": NEW, "role": "member"}, follow=True).content.decode()
    token = link(office).rpartition("/")[2]
    assert len(token) >= 43
    assert token not in page
    assert token not in repr(list(Invitation.objects.values())) + repr(list(AuditEntry.objects.values()))
    assert Invitation.objects.get().sent_at is not None


def test_looking_accepts_nothing_and_accepting_works_once(enter: Enter, office: PostOffice, acme: Organization) -> None:
    invite(enter("admin"))
    address, guest = link(office), Client()
    assert {guest.get(address).status_code, guest.head(address).status_code} == {200}
    assert NEW not in roles(acme)
    assert guest.post(address, passwords()).status_code == 302
    again = guest.post(address, passwords("another phrase of four"))
    assert (again.status_code, guest.get(address).status_code) == (404, 404)
    assert b"This invitation is over" in again.content
    assert User.objects.get(email=NEW).check_password(PHRASE)


Spoil = Callable[[Client, Invitation], object]


def expire(client: Client, invitation: Invitation) -> None:
    Invitation.objects.update(expires_at=timezone.now())


def revoke(client: Client, invitation: Invitation) -> None:
    assert client.post(f"{PEOPLE}/invitations/{invitation.pk}/revoke").status_code == 302


def resend(client: Client, invitation: Invitation) -> None:
    assert client.post(f"{PEOPLE}/invitations/{invitation.pk}/resend").status_code == 302


@pytest.mark.parametrize("spoil", [expire, revoke, resend])
def test_a_spoiled_link_opens_nothing(enter: Enter, office: PostOffice, acme: Organization, spoil: Spoil) -> None:
    client = enter("admin")
    invite(client)
    before, guest = link(office), Client()
    spoil(client, Invitation.objects.get())
    answer = guest.post(before, passwords())
    assert (answer.status_code, guest.get(before).status_code) == (404, 404)
    assert answer.content == guest.get("/invitation/unknown").content
    assert not User.objects.filter(email=NEW).exists()
    if spoil is resend:
        assert guest.post(link(office), passwords()).status_code == 302
        assert NEW in roles(acme)


def test_an_invitation_lasts_a_week(enter: Enter, office: PostOffice, acme: Organization) -> None:
    with time_machine.travel(make.NOW, tick=False):
        invite(enter("admin"))
        address = link(office)
        for wait, status in ((timedelta(days=7, seconds=-1), 200), (timedelta(days=7), 404)):
            with time_machine.travel(make.NOW + wait, tick=False):
                assert Client().get(address).status_code == status


@pytest.mark.parametrize("phrase", ["short", "12345678901234", "password123", "new@person.example", ""])
def test_a_weak_password_is_refused(enter: Enter, office: PostOffice, acme: Organization, phrase: str) -> None:
    invite(enter("admin"))
    answer = Client().post(link(office), passwords(phrase))
    assert answer.status_code == 400
    assert b"errorlist" in answer.content
    assert not User.objects.filter(email=NEW).exists()
    assert Invitation.objects.get().accepted_at is None


def test_a_known_person_signs_in_to_join_and_keeps_the_password(
    enter: Enter, office: PostOffice, acme: Organization, outsider: User, member: User
) -> None:
    invite(enter("admin"), outsider.email)
    address, guest = link(office), Client()
    assert guest.post(address, passwords()).headers["Location"] == f"/sign-in?next={address}"
    guest.force_login(member)
    refused = guest.post(address)
    assert (refused.status_code, outsider.email in roles(acme)) == (403, False)
    assert b"sent to another address" in refused.content
    guest.force_login(outsider)
    assert guest.post(address, passwords()).headers["Location"] == "/profile"
    outsider.refresh_from_db()
    assert roles(acme)[outsider.email] == "member"
    assert outsider.check_password(make.PASSWORD)


def test_a_disabled_person_cannot_join(enter: Enter, office: PostOffice, acme: Organization, nobody: User) -> None:
    User.objects.filter(pk=nobody.pk).update(is_active=False)
    invite(enter("admin"), nobody.email)
    guest = Client()
    guest.force_login(nobody)
    assert guest.post(link(office), passwords()).headers["Location"].startswith("/sign-in")
    User.objects.filter(pk=nobody.pk).update(password="!unusable")
    assert guest.post(link(office), passwords()).headers["Location"].startswith("/sign-in")
    assert nobody.email not in roles(acme)


@pytest.mark.parametrize("fate", ["removed", "demoted", "disabled"])
def test_an_invitation_is_worth_what_its_author_may_do_now(
    enter: Enter, office: PostOffice, acme: Organization, admin: User, fate: str
) -> None:
    invite(enter("admin"))
    if fate == "removed":
        Membership.objects.filter(user=admin).delete()
    if fate == "demoted":
        Membership.objects.filter(user=admin).update(role="member")
    if fate == "disabled":
        User.objects.filter(pk=admin.pk).update(is_active=False)
    answer = Client().post(link(office), passwords())
    assert answer.status_code == 404
    assert b"may not do so any more" in answer.content
    assert not User.objects.filter(email=NEW).exists()
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.parametrize("answer", ["421 closing", "550 no", DROP])
def test_a_mail_that_is_not_taken_is_said_and_kept(
    enter: Enter, office: PostOffice, acme: Organization, answer: str
) -> None:
    office.answer("RCPT", answer)
    client = enter("admin")
    page = client.post(f"{PEOPLE}/invite", {"email": NEW, "role": "member"}, follow=True).content
    assert b"The mail server did not take the invitation" in page
    assert b"not sent" in page
    office.answer("RCPT", "")
    page = client.post(f"{PEOPLE}/invitations/{Invitation.objects.get().pk}/resend", follow=True).content
    assert b"on its way" in page
    assert b"not sent" not in page


def test_links_do_not_follow_the_host_of_the_request(enter: Enter, office: PostOffice, acme: Organization) -> None:
    client = enter("admin")
    client.post(f"{PEOPLE}/invite", {"email": NEW, "role": "member"}, headers={"host": "127.0.0.1"})
    assert "127.0.0.1" not in str(office.messages[0])
    assert link(office)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"email": "no address"}, "valid email address"),
        ({"email": "a\r\nBcc: evil@x.example"}, "valid email address"),
        ({"email": "a\0@x.example"}, "Null characters"),
        ({"email": "member@acme.example"}, "belongs to the organization already"),
        ({"email": "twice@x.example"}, "invited already"),
        ({"role": "root"}, "not one of the available choices"),
        ({"role": "owner"}, "not one of the available choices"),
        ({"team": "RIVAL"}, "not one of the available choices"),
        ({"team": "x"}, "not one of the available choices"),
        ({"team_role": "owner"}, "not one of the available choices"),
        ({"role": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_invited(
    enter: Enter,
    office: PostOffice,
    acme: Organization,
    rival: Organization,
    member: User,
    form: dict[str, str],
    says: str,
) -> None:
    client, foreign = enter("admin"), make.team(rival)
    invite(client, "twice@x.example")
    form = {key: str(foreign.pk) if value == "RIVAL" else value for key, value in form.items()}
    answer = client.post(f"{PEOPLE}/invite", {"email": NEW, "role": "member"} | form)
    assert answer.status_code == 400
    assert says in unescape(answer.content.decode())
    assert (Invitation.objects.count(), len(office.messages)) == (1, 1)


def test_an_owner_invites_owners(enter: Enter, office: PostOffice, acme: Organization) -> None:
    assert invite(enter("owner"), role="owner") == 302
    assert Client().post(link(office), passwords()).status_code == 302
    assert roles(acme)[NEW] == "owner"


def test_roles_change_and_the_log_says_so(enter: Enter, acme: Organization, member: User) -> None:
    page = enter("admin").post(
        f"{PEOPLE}/{Membership.objects.get(user=member).pk}/role", {"role": "finance"}, follow=True
    )
    assert b"member@acme.example is finance now" in page.content
    assert roles(acme)["member@acme.example"] == "finance"
    assert log("member.role") == [("member.role", "member@acme.example", "admin@acme.example")]


@pytest.mark.parametrize(
    ("who", "whose", "act", "status", "says"),
    [
        ("admin", "owner", {"role": "member"}, 403, "Only an owner may change or remove an owner."),
        ("admin", "owner", None, 403, "Only an owner may change or remove an owner."),
        ("admin", "member", {"role": "owner"}, 403, "Only an owner may make somebody an owner."),
        ("admin", "admin", {"role": "owner"}, 403, "Only an owner may make somebody an owner."),
        ("admin", "admin", {"role": "member"}, 400, "Nobody changes their own role."),
        ("owner", "owner", {"role": "admin"}, 400, "An organization keeps at least one owner."),
        ("owner", "owner", None, 400, "An organization keeps at least one owner."),
    ],
)
def test_what_is_refused_changes_nothing_and_is_kept(
    enter: Enter,
    acme: Organization,
    owner: User,
    admin: User,
    member: User,
    request: pytest.FixtureRequest,
    who: str,
    whose: str,
    act: dict[str, str] | None,
    status: int,
    says: str,
) -> None:
    before, target = roles(acme), request.getfixturevalue(whose)
    number = Membership.objects.get(user=target).pk
    path = f"{PEOPLE}/{number}/remove" if act is None else f"{PEOPLE}/{number}/role"
    answer = enter(who).post(path, act or {})
    assert (answer.status_code, roles(acme)) == (status, before)
    assert says in answer.content.decode()
    action = "member.remove.refused" if act is None else "member.role.refused"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.actor) == (action, target.email, request.getfixturevalue(who))
    assert says in entry.details["reason"]


@pytest.mark.parametrize("role", ["root", "", "OWNER", "\0"])
def test_an_unknown_role_is_a_message(enter: Enter, acme: Organization, member: User, role: str) -> None:
    path = f"{PEOPLE}/{Membership.objects.get(user=member).pk}/role"
    answer = enter("owner").post(path, {"role": role})
    assert (answer.status_code, roles(acme)["member@acme.example"]) == (400, "member")
    assert b"Choose from owner, admin, finance, member" in answer.content


def test_one_of_two_owners_does_not_demote_themselves_but_the_other(
    enter: Enter, acme: Organization, owner: User
) -> None:
    other = make.member(acme, "owner")
    own, second = (Membership.objects.get(user=user) for user in (owner, other))
    client = enter("owner")
    assert client.post(f"{PEOPLE}/{own.pk}/role", {"role": "member"}).status_code == 400
    assert client.post(f"{PEOPLE}/{second.pk}/role", {"role": "member"}).status_code == 302
    assert set(roles(acme).values()) == {"owner", "member"}
    assert roles(acme)[owner.email] == "owner"


def test_who_is_removed_is_out_at_once(enter: Enter, acme: Organization, viewer: User) -> None:
    key = make.key(acme, owner=viewer)
    theirs = Client()
    theirs.force_login(viewer)
    assert theirs.get("/o/acme/").status_code == 200
    assert enter("admin").post(f"{PEOPLE}/{Membership.objects.get(user=viewer).pk}/remove").status_code == 302
    assert theirs.get("/o/acme/").status_code == 404
    assert Client().get("/api/v1/metrics/meta", headers=make.bearer(key)).status_code == 401
    assert not TeamMembership.objects.filter(user=viewer).exists()


def test_who_leaves_is_led_home(enter: Enter, acme: Organization, admin: User) -> None:
    answer = enter("admin").post(f"{PEOPLE}/{Membership.objects.get(user=admin).pk}/remove")
    assert answer.headers["Location"] == "/"


def test_people_are_found_and_paged(enter: Enter, acme: Organization, owner: User) -> None:
    for number in range(60):
        make.member(acme, email=f"p{number:02}@acme.example")
    client = enter("owner")
    assert b"p59@acme.example" not in client.get(PEOPLE).content
    assert b"p59@acme.example" in client.get(PEOPLE, {"page": 2}).content
    assert client.get(PEOPLE, {"page": "9" * 5000}).status_code == 200
    found = client.get(PEOPLE, {"q": "P59"}).content
    assert b"p59@acme.example" in found
    assert b"p58@acme.example" not in found
    assert client.get(PEOPLE, {"q": "a\0b%_'"}).status_code == 200


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_literally(
    enter: Enter, office: PostOffice, acme: Organization, search: Team, name: str
) -> None:
    User.objects.filter(pk=make.team_member(search).pk).update(name=name)
    Team.objects.filter(pk=search.pk).update(name=name)
    Organization.objects.filter(pk=acme.pk).update(name=name + "\r\nBcc: evil@x.example")
    client = enter("owner")
    assert invite(client, team=search.pk, team_role="viewer") == 302
    pages = [client.get(PEOPLE).content.decode(), Client().get(link(office)).content.decode()]
    html = office.messages[0].get_body(("html",))
    assert html is not None
    for page in (*pages, html.get_content()):
        assert "<script>alert" not in page
    assert all(f"<bdi>{name}" in unescape(page) for page in pages)
    assert f"<bdi>{one_line(name)}" in unescape(html.get_content())
    assert (office.messages[0]["Bcc"], office.recipients) == (None, [[NEW]])


def test_pages_name_nobody_of_elsewhere(enter: Enter, acme: Organization, rival: Organization, outsider: User) -> None:
    make.team_member(make.team(rival, "Rival search"), email="canary@rival.example")
    services.invite(actor=None, organization=rival, email="invited@rival.example", role="member", now=timezone.now())
    both = make.member(rival, email="both@rival.example")  # a member of both; of rival only the address is known
    TeamMembership.objects.create(team=make.team(rival, "Rival ads"), user=both)
    Membership.objects.create(organization=acme, user=both)
    page = enter("owner").get(PEOPLE).content.decode()
    assert "both@rival.example" in page
    assert not re.search(r"Rival|canary@|invited@|outsider@", page)
