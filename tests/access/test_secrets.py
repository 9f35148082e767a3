"""Keys, passwords and tokens leave no trace but their fingerprints: logs, tables, tasks, mails, pages (S8)."""

import inspect
import logging
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from teams.services import keys as keys_module
from tests import make
from tests.access import places
from tests.access.visitors import Visitors

pytestmark = pytest.mark.django_db
PASSWORD = "canary-password-8f2c"
FORM = "application/x-www-form-urlencoded"


def everything_stored() -> str:
    """Every value of every table, the bytes of the binary ones included."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            found += [bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v)
                      for row in cursor.fetchall() for v in row]  # fmt: skip
    return "\n".join(found)


def secrets_of(visitors: Visitors) -> dict[str, str]:
    """What must be nowhere: the part of each key behind its first characters."""
    return {name: key.text.removeprefix(key.key.prefix).lstrip("_") for name, key in visitors.world.keys.items()}


def test_keys_and_passwords_are_in_no_table(visitors: Visitors) -> None:
    stored = everything_stored()
    assert visitors.world.keys["read_key"].key.prefix in stored
    assert [name for name, secret in secrets_of(visitors).items() if secret in stored] == []
    assert make.PASSWORD not in stored


def test_logs_and_answers_tell_no_secret_even_when_everything_fails(
    visitors: Visitors, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At DEBUG, with every query failing in the middle of the work."""

    def broken(*arguments: object, **more: object) -> None:
        raise RuntimeError("forced")

    monkeypatch.setattr("analytics.api.report.report_response", broken)
    monkeypatch.setattr("ingestion.views.endpoints.services.ingest", broken)
    monkeypatch.setattr("analytics.views.dashboard.build", broken)
    monkeypatch.setattr("teams.views.people.services.invite", broken)
    said = []
    with caplog.at_level(logging.DEBUG):
        for name in visitors.world.keys:
            for method, path in (
                ("GET", f"/api/v1/report?{places.ASKED['api/v1/report'][0]}"),
                ("POST", "/api/v1/requests"),
            ):
                said.append(visitors.ask(name, method, path, body=b"[]", content_type="application/json").said)
        login = {"username": "owner@acme.example", "password": PASSWORD}
        said.append(visitors.ask("anonymous", "POST", "/sign-in", **places.form(login)).said)
        said += [visitors.ask("owner", "GET", "/o/acme/").said]
        sent = places.form({"email": "x@acme.example", "role": "member", "password": PASSWORD})
        said.append(visitors.ask("owner", "POST", "/o/acme/settings/people/invite", **sent).said)
    text = "\n".join([caplog.text, *said])
    assert caplog.text.count("forced") >= 3
    assert PASSWORD not in text
    assert [name for name, secret in secrets_of(visitors).items() if secret in text] == []
    assert [
        cookie["cookie"] for cookie in visitors.credentials.values() if cookie.get("cookie", "\0") in caplog.text
    ] == []


def test_task_queue_and_files_hold_no_secret(visitors: Visitors) -> None:
    secrets = [*secrets_of(visitors).values(), make.PASSWORD]
    for path in Path(settings.VAR_DIR).rglob("*"):
        if path.is_file() and "sqlite3" not in path.name:
            content = path.read_bytes().decode("latin-1")
            assert not any(secret in content for secret in secrets), path


def test_digests_are_compared_in_constant_time() -> None:
    source = inspect.getsource(keys_module.find_key)
    assert "compare_digest" in source
    assert re.search(r"digest\)? ?==|== ?.*digest", source) is None
