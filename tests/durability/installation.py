"""Whole portals that are thrown away: environment, database, key, web server."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.harness import postgresql

ROOT: Final = Path(__file__).resolve().parents[2]
STORED: Final = "from ingestion.models import LLMRequest as R; print(*R.objects.values_list('request_id', flat=True))"


@dataclass(frozen=True, slots=True)
class Installation:
    """A portal with its own database, and what a gateway needs to send to it. `server`: its PostgreSQL, if any."""

    environment: Mapping[str, str]
    key: str
    server: postgresql.Server | None = None

    def manage(self, *words: str) -> str:
        """The output of a command; its failure fails the test."""
        command = [sys.executable, "manage.py", *words]
        answer = subprocess.run(
            command, cwd=ROOT, env={**self.environment}, check=False, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def stored(self) -> list[str]:
        """The ids of all stored requests."""
        return self.manage("shell", "-v0", "-c", STORED).split()


def install(environment: Mapping[str, str], server: postgresql.Server | None = None) -> Installation:
    """A migrated portal with one organization and its key."""
    made = Installation(environment, "")
    made.manage("migrate", "-v0")
    made.manage("collectstatic", "--noinput", "-v0")
    names = ("--organization", "acme", "--name", "Acme", "--zone", "Asia/Kolkata", "--admin-email", "a@acme.example")
    said: dict[str, Any] = json.loads(made.manage("bootstrap", *names, "--json").splitlines()[-1])
    return Installation(environment, said["ingest_key"], server)


def plain(folder: Path) -> dict[str, str]:
    """The environment of an embedded installation."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return kept | {
        "PORTAL_VAR_DIR": str(folder),
        "SECRET_KEY": "only-for-a-portal-that-is-thrown-away",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "metricsportal.settings",
    }
