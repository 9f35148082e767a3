"""The whole suite, on SQLite and on PostgreSQL with Redis, and one closing summary.

python -m tests.run [--slow] [pytest arguments]
python -m tests.run --rls [pytest arguments]: on PostgreSQL alone, as the role for which row-level security holds
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.harness import chromium, postgresql, redis

RESTRICTED = "PostgreSQL behind row-level security"
EXTERNAL = (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "PORTAL_URL",
    "PORTAL_RLS",
    "PORTAL_TEST_RLS",
    "DJANGO_SETTINGS_MODULE",
)


def counts_of(report: Path) -> str:
    """Closing sentence from pytest's JUnit report: `12 passed, 0 failed, 3 skipped`."""
    if not report.exists():
        return "0 passed, 1 failed"
    numbers = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in ET.parse(report).getroot().iter("testsuite"):
        numbers = {name: total + int(suite.get(name, 0)) for name, total in numbers.items()}
    failed = numbers["failures"] + numbers["errors"]
    passed = numbers["tests"] - failed - numbers["skipped"]
    return f"{passed} passed, {failed} failed, {numbers['skipped']} skipped"


@dataclass
class Run:
    """One run of the suite in a process of its own, which writes into `folder`."""

    name: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    started: float

    def finish(self) -> tuple[int, str]:
        """Wait for its end and show what it said if that was kept; pytest's exit code and the closing line."""
        code = self.process.wait()
        if (said := self.folder / "output").exists():
            sys.stderr.write(f"\n==> {self.name}\n{said.read_text(errors='replace')}")
        sys.stderr.write(f"==> {self.name} took {time.monotonic() - self.started:.0f} s\n")
        return code, f"{self.name}: {counts_of(self.folder / 'report.xml')}"


def start(name: str, arguments: list[str], folder: Path, *, keep: bool, environment: dict[str, str]) -> Run:
    """Start a run in a clean environment plus the variables given. `keep`: its words are shown when it ends."""
    clean = {key: value for key, value in os.environ.items() if key not in EXTERNAL}
    command = [sys.executable, "-m", "pytest", f"--junitxml={folder / 'report.xml'}", *arguments]
    with (folder / "output").open("wb") if keep else nullcontext() as output:
        if not keep:
            sys.stderr.write(f"\n==> {name}\n")
        process = subprocess.Popen(
            command, env=clean | environment, stdout=output, stderr=subprocess.STDOUT if keep else None
        )
    return Run(name, process, folder, time.monotonic())


def run_all(arguments: dict[str, list[str]], *, together: bool) -> list[tuple[int, str]]:
    """The suite on the databases named, side by side or, where figures are measured, one after the other.

    `arguments`: those of pytest, by database.
    """
    runs: list[Run] = []
    results = []
    with (
        postgresql.cluster() as database_url,
        redis.server() as redis_url,
        tempfile.TemporaryDirectory(prefix="portal-tests-") as folder,
    ):
        production = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        databases: dict[str, dict[str, str]] = {"SQLite": {}, "PostgreSQL": production}
        databases[RESTRICTED] = production | {"PORTAL_TEST_RLS": "on"}
        try:
            for name, chosen in arguments.items():
                own = Path(folder, name)
                own.mkdir()
                runs.append(start(name, chosen, own, keep=together and bool(runs), environment=databases[name]))
                if not together:
                    results.append(runs[-1].finish())
            return results or [run.finish() for run in runs]
        finally:
            for run in runs:
                run.process.terminate()
                run.process.wait()


def run_restricted(given: list[str]) -> int:
    """The suite as a detector of forgotten filters; returns 1 when it found one."""
    chosen = [argument for argument in given if argument != "--rls"]
    ((code, closing),) = run_all({RESTRICTED: chosen or ["-m", "not slow and not browser"]}, together=True)
    sys.stdout.write(f"\nSummary\n{closing}\n")
    return int(bool(code))


def main(given: list[str]) -> int:
    """Run both; returns 1 when either failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    if "--rls" in given:
        return run_restricted(given)
    slow = "--slow" in given
    chosen = [argument for argument in given if argument != "--slow"]
    once = not slow and not chosen
    arguments_of = {name: [*chosen, *([] if slow else ["-m", "not slow"])] for name in ("SQLite", "PostgreSQL")}
    if once:  # a page in the browser has the same answers from both, and takes a third of the time of a run
        arguments_of["PostgreSQL"] = ["-m", "not slow and not browser"]
    browser = chromium.ensure()
    results = run_all(arguments_of, together=not slow)
    lines = ["", "Summary", *(closing for _, closing in results)]
    if not browser:
        lines.append(f"Browser tests were skipped: {chromium.WHY_NOT}.")
    if not slow:
        lines.append("Tests marked slow were left out; `make test-all` runs them.")
    if once:
        lines.append("Browser tests ran on SQLite; `make test-all` runs them on PostgreSQL as well.")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(code for code, _ in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
