"""A database that may lose what was acknowledged stops the process."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import Settings

from metricsportal import durability

ROOT = Path(__file__).resolve().parents[2]


class Said:
    """A PostgreSQL whose settings are these."""

    vendor = "postgresql"

    def __init__(self, **settings: str) -> None:
        self.settings, self.closed = settings, False

    def cursor(self) -> "Said":
        return self

    def __enter__(self) -> "Said":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, sql: str) -> None:
        assert all(name in sql for name in self.settings)

    def fetchall(self) -> list[tuple[str, str]]:
        return list(self.settings.items())

    def close(self) -> None:
        self.closed = True


GOOD = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


@pytest.mark.parametrize("name", GOOD)
def test_each_weak_setting_is_refused(settings: Settings, name: str) -> None:
    settings.REQUIRE_DURABLE_DATABASE = True
    weak = Said(**GOOD | {name: "off"})
    with pytest.raises(ImproperlyConfigured, match=f"{name} is off"):
        durability.check(None, weak)  # type: ignore[arg-type] # as much of a connection as is looked at
    assert weak.closed


@pytest.mark.parametrize("commit", ["on", "local", "remote_write", "remote_apply"])
def test_durable_ones_are_not(settings: Settings, commit: str) -> None:
    settings.REQUIRE_DURABLE_DATABASE = True
    durability.check(None, Said(**GOOD | {"synchronous_commit": commit}))  # type: ignore[arg-type] # as above


@pytest.fixture
def weak_sqlite() -> Iterator[None]:
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")


@pytest.mark.django_db(transaction=True)
def test_sqlite_below_full_is_seen(weak_sqlite: None) -> None:
    assert durability.weaknesses(connection) == ["synchronous is below FULL"]


def start(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "PORTAL_VAR_DIR": str(folder), "ALLOWED_HOSTS": "portal.example"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_web_server_does_not_start_on_a_weak_database(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "portal.sqlite3").close()
    weaken = (
        "from metricsportal import settings; "
        "settings.DATABASES['default']['OPTIONS']['init_command'] = 'PRAGMA synchronous=NORMAL;'; "
        "from metricsportal import wsgi; print('started')"
    )
    answer = start(tmp_path, weaken)
    assert answer.returncode != 0
    assert "may lose what was acknowledged (synchronous is below FULL)" in answer.stderr
    assert "started" not in answer.stdout


def test_it_starts_on_a_durable_one(tmp_path: Path) -> None:
    assert "started" in start(tmp_path, "from metricsportal import wsgi; print('started')").stdout
