"""The commands of people and keys: the same rules as on the pages, a sentence for what is refused."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from teams import services
from teams.models import ApiKey, AuditEntry, Invitation, Membership, Organization, Team, User
from tests import make
from tests.chargeback.postoffice import PostOffice


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_invite_sends_the_mail_and_prints_no_link(acme: Organization, search: Team, office: PostOffice) -> None:
    words = ("--organization", "acme", "--role", "finance", "--team", "Search", "--team-role", "manager")
    said = run("invite", "New@person.example", *words)
    assert said == "An invitation is on its way to new@person.example.\n"
    made = Invitation.objects.get()
    assert (made.role, made.team, made.team_role, made.invited_by) == ("finance", search, "manager", None)
    assert office.recipients == [["new@person.example"]]
    assert "You are invited to the LLM metrics of Acme Works, as finance" in office.messages[0].as_string()


def test_set_role_and_the_log(acme: Organization, owner: User, member: User) -> None:
    assert run("set_role", "MEMBER@acme.example", "owner", "--organization", "acme").startswith(
        "member@acme.example is"
    )
    assert Membership.objects.get(user=member).role == "owner"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.details) == ("member.role", None, {"role": "owner", "before": "member"})


def test_create_and_revoke_key(acme: Organization, search: Team, owner: User) -> None:
    words = ("--organization", "acme", "--owner", owner.email, "--scope", "read", "--scope", "ingest")
    text = run("create_key", "Gateway", *words, "--team", "Search", "--days", "3").strip()
    key = services.find_key(text, timezone.now())
    assert key is not None
    assert (key.name, key.scopes, key.team, key.owner) == ("Gateway", ["ingest", "read"], search, owner)
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in (2, 3)
    assert "opens nothing any more" in run("revoke_key", text[:15], "--organization", "acme")
    assert services.find_key(text, timezone.now()) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["invite", "x@y.example", "--organization", "absent"], "There is no organization 'absent'."),
        (["invite", "x@y.example", "--organization", "acme", "--team", "Rival"], "There is no team 'Rival' in acme."),
        (["invite", "no address", "--organization", "acme"], "Enter a valid email address."),
        (["invite", "owner@acme.example", "--organization", "acme"], "belongs to the organization already"),
        (["set_role", "owner@acme.example", "admin", "--organization", "acme"], "keeps at least one owner"),
        (
            ["set_role", "x@rival.example", "admin", "--organization", "acme"],
            "x@rival.example does not belong to acme.",
        ),
        (["set_role", "owner@acme.example", "root", "--organization", "acme"], "invalid choice"),
        (["create_key", "K", "--organization", "acme", "--owner", "owner@acme.example"], "--scope"),
        (
            ["create_key", " ", "--organization", "acme", "--owner", "owner@acme.example", "--scope", "read"],
            "A key needs a name.",
        ),
        (
            ["create_key", "K", "--organization", "acme", "--owner", "x@rival.example", "--scope", "read"],
            "x@rival.example does not belong to acme.",
        ),
        (
            [
                "create_key",
                "K",
                "--organization",
                "acme",
                "--owner",
                "owner@acme.example",
                "--scope",
                "read",
                "--days",
                "0",
            ],
            "--days is a number from 1",
        ),
        (["revoke_key", "RIVAL", "--organization", "acme"], "There is no key"),
    ],
)
def test_what_is_refused_is_a_sentence_and_changes_nothing(
    acme: Organization, owner: User, rival: Organization, words: list[str], says: str
) -> None:
    make.team(rival, "Rival")
    make.member(rival, email="x@rival.example")
    theirs = make.key(rival)
    before = list(Membership.objects.order_by("pk").values_list("pk", "role"))
    with pytest.raises(CommandError, match=says):
        run(*[theirs.key.prefix if word == "RIVAL" else word for word in words])
    assert list(Membership.objects.order_by("pk").values_list("pk", "role")) == before
    assert not Invitation.objects.exists()
    assert list(ApiKey.objects.values_list("pk", "revoked_at")) == [(theirs.key.pk, None)]


def test_a_mail_that_is_not_taken_is_said(acme: Organization, office: PostOffice) -> None:
    office.answer("RCPT", "550 no")
    with pytest.raises(CommandError, match="The invitation is kept"):
        run("invite", "new@person.example", "--organization", "acme")
    assert Invitation.objects.get().sent_at is None
