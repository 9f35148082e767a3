"""Whether the policies hold is looked at before the portal starts, and whatever keeps them from holding is named."""

import os
import secrets
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from metricsportal.lib.border import NOTHING
from metricsportal.row_security import database
from metricsportal.row_security.policies import Policy, Table, fingerprint, tables
from tests import restricted
from tests.harness import postgresql
from tests.row_security.conftest import Become


def as_owner(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE NONE; {statement}")


def test_they_hold_for_the_role_and_can_be_made_again(become: Become) -> None:
    as_owner("SELECT 1")
    call_command("row_security", apply=True, role=restricted.ROLE, stdout=(said := StringIO()))
    assert said.getvalue() == f"{len(tables())} tables have policies for {restricted.ROLE}.\n"
    become(NOTHING)
    call_command("row_security", check=True, stdout=(said := StringIO()))
    assert said.getvalue() == "Row-level security holds.\n"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE teams_team DISABLE ROW LEVEL SECURITY", "teams_team has no forced row-level security"),
        ("ALTER TABLE teams_team NO FORCE ROW LEVEL SECURITY", "teams_team has no forced row-level security"),
        ("DROP POLICY portal_own ON teams_team", "The policy portal_own of teams_team is missing"),
        ("ALTER POLICY portal_own ON teams_team USING (true)", "The policy portal_own of teams_team is missing or"),
        ("CREATE POLICY wide ON teams_team USING (true)", "teams_team has a policy that is not the portal's: wide"),
        (f"ALTER ROLE {restricted.ROLE} BYPASSRLS", "has BYPASSRLS"),
        (f"ALTER TABLE teams_team OWNER TO {restricted.ROLE}", "owns the tables"),
    ],
)
def test_what_keeps_them_from_holding_is_named(become: Become, statement: str, said: str) -> None:
    as_owner(statement)
    become(NOTHING)
    assert any(said in problem for problem in database.problems())
    with pytest.raises(CommandError, match=said):
        call_command("row_security", check=True)


def test_a_table_of_a_new_model_is_missed(become: Become, monkeypatch: pytest.MonkeyPatch) -> None:
    become(NOTHING)
    monkeypatch.setattr(database, "tables", lambda: [*tables(), Table("teams.New", "teams_user", "id")])
    assert database.problems() == [
        "teams_user has no forced row-level security: run row_security --apply.",
        "The policy portal_own of teams_user is missing or another one: run row_security --apply.",
    ]


def test_the_start_is_refused_only_when_it_was_asked_for(
    policies: None, db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    as_owner("SELECT 1")
    settings.ROW_SECURITY = False
    database.require()
    settings.ROW_SECURITY = True
    with pytest.raises(ImproperlyConfigured, match=r"PORTAL_RLS=on: .* is a superuser.*docs/row-level-security\.md"):
        database.require()


def test_no_policy_is_made_for_a_role_for_which_none_holds(policies: None, db: None) -> None:
    as_owner("SELECT 1")
    with pytest.raises(CommandError, match="portal is a superuser or has BYPASSRLS"):
        call_command("row_security", apply=True, role="portal")


def test_a_web_process_does_not_start_without_them(policies: None) -> None:
    environment = {"PORTAL_RLS": "on", "SECRET_KEY": secrets.token_hex(32)}
    environment |= {"ALLOWED_HOSTS": "localhost", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", "import metricsportal.wsgi"]
    root = Path(__file__).resolve().parents[2]
    with postgresql.server("fsync=on") as server:  # the suite's may lose what it took: that alone is refused
        environment["DATABASE_URL"] = server.url
        ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "PORTAL_RLS=on: The role of DATABASE_URL is a superuser: no policy holds for it." in ended.stderr


def test_the_fingerprint_tells_both_ways_apart() -> None:
    policy = Policy("portal_own", "true", None)
    assert fingerprint(policy, ("a",)) != fingerprint(policy, ("b",))
    assert fingerprint(policy, ("a",)) != fingerprint(Policy("portal_own", "false", None), ("a",))


@pytest.mark.skipif(connection.vendor == "postgresql", reason="of the database that has no policies")
def test_another_database_is_refused() -> None:
    with pytest.raises(CommandError, match="needs PostgreSQL"):
        call_command("row_security", check=True)
