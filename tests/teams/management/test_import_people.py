"""People and teams from a file: preview, all or nothing, numbers of lines."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from teams.models import AuditEntry, Invitation, Membership, Organization, Team, TeamMembership, User
from teams.services.importing import MOST_CHARACTERS, MOST_LINES, Outcome, import_people, read
from tests.chargeback.postoffice import PostOffice
from tests.make import member as make_member

FILE = """email,role,team,team_role
new@person.example,finance,Labs,manager
member@acme.example,,Labs,
VIEWER@acme.example,admin,Search,manager
,,Empty,
owner@acme.example,,,

two@person.example,,,
"""
DONE = [
    (2, "makes the team Labs; invites new@person.example as finance, manager of Labs"),
    (3, "member@acme.example becomes viewer of Labs"),
    (4, "viewer@acme.example becomes admin; viewer@acme.example becomes manager of Search"),
    (5, "makes the team Empty"),
    (6, "changes nothing"),
    (8, "invites two@person.example as member"),
]


@pytest.fixture(autouse=True)
def people(owner: User, member: User, viewer: User) -> None:
    """An owner, somebody without a team, a viewer of Search."""


def carry_out(acme: Organization, text: str, *, apply: bool = True, actor: User | None = None) -> Outcome:
    return import_people(actor=actor, organization=acme, text=text, apply=apply, now=timezone.now())


def stored() -> list[object]:
    models = (Membership, TeamMembership, Team, Invitation, User, AuditEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


def said(outcome: Outcome) -> list[tuple[int, str]]:
    return [(one.line, one.words) for one in outcome.done]


def problems(outcome: Outcome) -> list[tuple[int, str]]:
    return [(one.line, one.words) for one in outcome.problems]


def test_a_preview_says_what_the_import_does_and_changes_nothing(acme: Organization) -> None:
    before = stored()
    preview = carry_out(acme, FILE, apply=False)
    assert (said(preview), problems(preview), preview.issued) == (DONE, [], [])
    assert stored() == before
    applied = carry_out(acme, FILE)
    assert (said(applied), problems(applied)) == (DONE, [])
    assert sorted(Team.objects.values_list("name", flat=True)) == ["Empty", "Labs", "Search"]
    assert dict(Membership.objects.values_list("user__email", "role")) == {
        "owner@acme.example": "owner",
        "member@acme.example": "member",
        "viewer@acme.example": "admin",
    }
    roles = TeamMembership.objects.order_by("pk").values_list("team__name", "user__email", "role")
    assert set(roles) == {("Search", "viewer@acme.example", "manager"), ("Labs", "member@acme.example", "viewer")}
    invited = Invitation.objects.order_by("email").values_list("email", "role", "team__name", "team_role")
    assert list(invited) == [
        ("new@person.example", "finance", "Labs", "manager"),
        ("two@person.example", "member", None, "viewer"),
    ]


def test_importing_again_changes_nothing(acme: Organization) -> None:
    carry_out(acme, FILE)
    before = stored()
    again = carry_out(acme, FILE)
    assert {words for _, words in said(again)} == {
        "changes nothing",
        "new@person.example is invited already",
        "two@person.example is invited already",
    }
    assert again.issued == []
    assert stored() == before


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("a@b.example,root,,", "Choose from owner, admin, finance, member."),
        ("no address,,,", "Enter a valid email address."),
        ("a@b.example,,Labs,owner", "Choose from manager, viewer."),
        ("a@b.example,,,viewer", "A role in a team needs a team."),
        (",admin,,", "A line needs an e-mail, a team or a virtual account."),
        ("a@b.example,,Unassigned,", "Reports use this name for requests without a team. Choose another one."),
        ("owner@acme.example,admin,,", "An organization keeps at least one owner."),
        (
            "new@person.example,,Search,",
            "This e-mail is in line 2 already: an invitation has one role and one team.",
        ),
        ('a@b.example,,"two\nlines",', "A name is one line of characters that can be seen."),
    ],
)
def test_one_bad_line_is_named_and_nothing_is_changed(acme: Organization, lines: str, found: str) -> None:
    before = stored()
    outcome = carry_out(acme, f"email,role,team,team_role\nnew@person.example,,Labs,\n{lines}\nx@y.example,,,\n")
    number = 4 if "\n" in lines else 3
    assert problems(outcome) == [(number, found)]
    assert outcome.issued == []
    assert stored() == before


def test_every_bad_line_is_told_at_once(acme: Organization) -> None:
    outcome = carry_out(acme, "email,role\nx,\na@b.example,root\n", apply=False)
    assert [line for line, _ in problems(outcome)] == [2, 3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The first line names the columns"),
        ("name,role\na,b\n", "The first line names the columns"),
        ("email,password\na,b\n", "The first line names the columns"),
        ("email,email\na,b\n", "The first line names the columns"),
        ("email\n", "nothing below it"),
        ("email,role\na@b.example\n", "Line 2 has not as many fields"),
        ("email,role\na@b.example,member,x\n", "Line 2 has not as many fields"),
        ('email\n"a@b.example\n', "Line 2: unexpected end of data"),
        ("email\na\0b\n", "NUL character"),
        ("email\n" + "a@b.example\n" * (MOST_LINES + 1), "At most 5000 lines"),
        ("email\n" + "x" * MOST_CHARACTERS, "At most 2,000,000 characters"),
    ],
)
def test_what_is_no_such_file(acme: Organization, text: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        carry_out(acme, text)
    assert not Invitation.objects.exists()


def test_files_of_spreadsheets_are_read() -> None:
    (row,) = read("\ufeffEMail ; Team\r\n A@b.example ;=1+1\r\n")
    assert (row.line, row.email, row.team, row.role) == (2, "a@b.example", "=1+1", "")


def test_an_administrator_imports_no_owner_and_a_member_nothing(acme: Organization, member: User) -> None:
    before = stored()
    admin = make_member(acme, "admin")
    outcome = carry_out(acme, "email,role\na@b.example,owner\n", actor=admin)
    assert problems(outcome) == [(2, "Only an owner may make somebody an owner.")]
    with pytest.raises(PermissionDenied):
        carry_out(acme, "email\na@b.example\n", actor=member)
    assert not Invitation.objects.exists()
    assert stored()[-1] == before[-1]


def run(path: Path, *words: str) -> str:
    out = StringIO()
    call_command("import_people", str(path), "--organization", "acme", *words, stdout=out)
    return out.getvalue()


def test_the_command_looks_first_and_mails_after_it_applied(
    acme: Organization, tmp_path: Path, office: PostOffice
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    looked = run(path)
    assert looked.splitlines()[0] == f"line 2: {DONE[0][1]}"
    assert "Nothing was changed yet" in looked
    assert (office.recipients, Invitation.objects.count()) == ([], 0)
    assert run(path, "--apply").endswith("Done.\n")
    assert office.recipients == [["new@person.example"], ["two@person.example"]]
    assert set(Invitation.objects.values_list("sent_at", flat=True)).isdisjoint({None})


def test_the_command_names_lines_and_unsent_mails(acme: Organization, tmp_path: Path, office: PostOffice) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,role\na@b.example,\nc@d.example,root\n")
    with pytest.raises(CommandError, match="Nothing was changed:\nline 3: Choose from"):
        run(path, "--apply")
    office.answer("RCPT", "550 no", to="a@b.example")
    path.write_text("email\na@b.example\nc@d.example\n")
    with pytest.raises(CommandError, match=r"did not take 1 invitations.*a@b\.example"):
        run(path, "--apply")
    assert office.recipients == [["c@d.example"]]
    path.write_bytes(b"email\n\xff\n")
    with pytest.raises(CommandError, match="cannot be read as UTF-8"):
        run(path)
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "absent.csv")
