"""Settings refuse an environment that would run unsafely; each case is a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DATABASE_URL": "postgresql://portal@db.example/portal",
    "SECRET_KEY": "a-secret-that-only-these-tests-know-0123456789",
    "ALLOWED_HOSTS": "portal.example",
    "PORTAL_URL": "https://portal.example",
}


def load(expression: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Print an expression over the settings in a process with just this environment."""
    base = {"PATH": os.environ["PATH"], "PORTAL_VAR_DIR": str(folder), "PYTHONWARNINGS": "error"}
    code = f"from metricsportal import settings; print({expression})"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=base | environment, capture_output=True, text=True, check=False)


def test_nothing_set_is_the_embedded_mode(tmp_path: Path) -> None:
    answer = load("settings.EMBEDDED, settings.DEBUG, settings.CELERY_BROKER_URL", tmp_path)
    assert answer.stdout.strip() == "True False filesystem://localhost//", answer.stderr
    secret = tmp_path / "secret-key"
    assert len(secret.read_text()) >= 64
    assert secret.stat().st_mode & 0o077 == 0


def test_the_generated_secret_key_stays(tmp_path: Path) -> None:
    first, second = load("settings.SECRET_KEY", tmp_path), load("settings.SECRET_KEY", tmp_path)
    assert first.stdout == second.stdout != "\n"


def test_sqlite_commits_are_durable(tmp_path: Path) -> None:
    answer = load("settings.DATABASES['default']['OPTIONS']", tmp_path)
    assert "synchronous=FULL" in answer.stdout
    assert "'transaction_mode': 'IMMEDIATE'" in answer.stdout


def test_production_starts_when_everything_is_there(tmp_path: Path) -> None:
    shown = "settings.SESSION_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS > 0, settings.DATABASES['default']['HOST']"
    answer = load(shown, tmp_path, **PRODUCTION)
    assert answer.stdout.strip() == "True True db.example", answer.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be set"),
        ({"SECRET_KEY": "k" * 50}, "SECRET_KEY is a placeholder"),
        ({"SECRET_KEY": "django-insecure-" + "0123456789abcdef" * 3}, "SECRET_KEY is a placeholder"),
        ({"DEBUG": "true"}, "DEBUG shows settings"),
        ({"DEBUG": "true", "ALLOWED_HOSTS": "*"}, "DEBUG shows settings"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS must name the hosts"),
        ({"ALLOWED_HOSTS": "*"}, "accepts forged Host headers"),
        ({"DATABASE_URL": "mysql://portal@db.example/portal"}, "must name a PostgreSQL database"),
        ({"PORTAL_INGEST_PAST_DAYS": "many"}, "PORTAL_INGEST_PAST_DAYS"),
        ({"PORTAL_KEEP_REQUESTS_DAYS": "38"}, "must be above PORTAL_INGEST_PAST_DAYS + PORTAL_CLOSE_GRACE_DAYS = 38"),
        ({"PORTAL_INGEST_PAST_DAYS": "100"}, "PORTAL_KEEP_REQUESTS_DAYS is 90, but must be above"),
        ({"PORTAL_KEEP_HOURS_DAYS": "60"}, "PORTAL_KEEP_HOURS_DAYS is 60"),
        ({"PORTAL_KEEP_REQUESTS_DAYS": "soon"}, "are days or never, not “soon”"),
        ({"PORTAL_RLS": "on", "DATABASE_URL": ""}, "PORTAL_RLS=on needs PostgreSQL"),
        ({"PORTAL_KEEP_USAGE": "sometimes"}, "PORTAL_KEEP_USAGE must be flagged, all or never"),
    ],
)
def test_a_bad_environment_stops_the_start(tmp_path: Path, change: dict[str, str], said: str) -> None:
    answer = load("'started'", tmp_path, **(PRODUCTION | change))
    assert answer.returncode != 0
    assert "started" not in answer.stdout
    assert said in answer.stderr
