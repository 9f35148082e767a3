"""The command that makes the first organization."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from teams import services
from teams.authentication import authenticate_key
from teams.models import ApiKey, AuditEntry, Membership, Organization, User
from teams.roles import KeyScope
from tests import make

ACME = (
    "--organization",
    "acme",
    "--name",
    "Acme Works",
    "--zone",
    "Asia/Kathmandu",
    "--admin-email",
    "Ada@Acme.example",
)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command("bootstrap", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_makes_everything_once(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(capsys, *ACME)
    assert set(made) == {"organization", "admin_email", "ingest_key", "read_key", "admin_password"}
    assert (made["organization"], made["admin_email"]) == ("acme", "ada@acme.example")
    organization, ada = Organization.objects.get(), User.objects.get()
    assert (organization.name, organization.zone) == ("Acme Works", "Asia/Kathmandu")
    assert ada.check_password(made["admin_password"])
    assert ada.is_superuser
    assert Membership.objects.values("organization", "user", "role").get() == {
        "organization": organization.pk,
        "user": ada.pk,
        "role": "owner",
    }
    for name, scope, other in (("ingest_key", "ingest", "read"), ("read_key", "export", "ingest")):
        header = f"Bearer {made[name]}"
        assert authenticate_key(header, KeyScope(scope), make.NOW) is not None
        assert authenticate_key(header, KeyScope(other), make.NOW) is None
    written = repr(list(AuditEntry.objects.values()))
    assert made["ingest_key"] not in written
    assert made["admin_password"] not in written


def test_running_it_again_changes_nothing(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, *ACME)
    services.revoke_key(actor=None, key=ApiKey.objects.filter(name__startswith="Reports").get(), now=make.NOW)
    tables = (Organization, User, Membership, ApiKey, AuditEntry)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    again = run(capsys, *ACME[:2], "--name", "Other", "--zone", "UTC", *ACME[6:], "--admin-password", "other")
    assert again == {"organization": "acme", "admin_email": "ada@acme.example"}
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_a_given_password_is_used_and_not_printed(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "admin_password" not in run(capsys, *ACME, "--admin-password", make.PASSWORD)
    assert User.objects.get().check_password(make.PASSWORD)


def test_a_second_organization_gets_no_second_operator(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, *ACME)
    run(capsys, "--organization", "rival", "--admin-email", "bob@rival.example")
    assert list(User.objects.order_by("email").values_list("email", "is_superuser")) == [
        ("ada@acme.example", True),
        ("bob@rival.example", False),
    ]
    assert Organization.objects.get(slug="rival").zone == "UTC"


def test_readable_without_json(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("bootstrap", *ACME)
    first = capsys.readouterr().out
    assert "Key for sending: mp_" in first
    assert "shown this once" in first
    call_command("bootstrap", *ACME)
    assert capsys.readouterr().out == "Organization:    acme\nAdministrator:   ada@acme.example\n"


@pytest.mark.parametrize(
    ("wrong", "value", "named"),
    [
        ("--organization", "two words", "--organization 'two words'"),
        ("--organization", "", "--organization ''"),
        ("--zone", "Mars/Olympus", "--zone 'Mars/Olympus'"),
        ("--admin-email", "nobody", "--admin-email 'nobody'"),
    ],
)
def test_a_bad_value_is_named_and_leaves_nothing(db: None, wrong: str, value: str, named: str) -> None:
    arguments = list(ACME)
    arguments[arguments.index(wrong) + 1] = value
    with pytest.raises(CommandError) as refusal:
        call_command("bootstrap", *arguments)
    assert named in str(refusal.value)
    assert not Organization.objects.exists()
    assert not User.objects.exists()
