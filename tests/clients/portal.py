"""The portal as a customer runs it: gunicorn on loopback over an empty SQLite, one organization and key per client."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import web
from tests.run import EXTERNAL

ROOT: Final = Path(__file__).resolve().parents[2]
_READ: Final = """
import json
from ingestion.models import LLMRequest
fields = ("request_id", "model__name", "model__provider", "virtual_model__name", "user__name", "team__name",
          "virtual_account__name", "operation", "streaming", "status_code", "error_type__name", "error_message",
          "input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens", "token_anomaly", "latency_us",
          "ttft_us", "itl_us", "reported_cost", "service_tier", "metadata", "trace_id")
print(json.dumps(list(LLMRequest.objects.filter(organization__slug=%r).order_by("started_at").values(*fields))))
"""


@dataclass(frozen=True, slots=True)
class Portal:
    """A running portal."""

    address: str
    environment: dict[str, str]

    def key_of(self, organization: str) -> str:
        """A key for sending to a new organization."""
        made = self._manage("bootstrap", "--json", f"--organization={organization}", "--admin-email=a@example.com")
        key: str = json.loads(made)["ingest_key"]
        return key

    def rows_of(self, organization: str) -> list[dict[str, Any]]:
        """What it stored, the oldest first, with names instead of the numbers of rows."""
        found: list[dict[str, Any]] = json.loads(self._manage("shell", "--no-imports", "-c", _READ % organization))
        return found

    def _manage(self, *arguments: str) -> str:
        return _manage(self.environment, *arguments)


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


@contextmanager
def running() -> Iterator[Portal]:
    """An empty one, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        clean = {key: value for key, value in os.environ.items() if key not in EXTERNAL}
        # No clock runs here that would settle calls later.
        quick = {"PORTAL_LANGFUSE_GRACE_SECONDS": "0"}
        environment = clean | quick | {"DJANGO_SETTINGS_MODULE": "metricsportal.settings", "PORTAL_VAR_DIR": folder}
        _manage(environment, "migrate", "--verbosity", "0")
        with web.running(Path(folder), environment) as server:
            yield Portal(f"http://127.0.0.1:{server.port}", environment)
