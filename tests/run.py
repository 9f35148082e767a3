"""The whole suite, on SQLite and then on PostgreSQL with Redis, and one closing summary.

python -m tests.run [--slow] [pytest arguments]
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.harness import chromium, postgresql, redis

EXTERNAL = (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "PORTAL_URL",
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


def run_pytest(name: str, arguments: list[str], **environment: str) -> tuple[int, str]:
    """One run in a clean environment plus the variables given; returns pytest's exit code and the closing line."""
    sys.stderr.write(f"\n==> {name}\n")
    clean = {key: value for key, value in os.environ.items() if key not in EXTERNAL}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments]
        code = subprocess.run(command, env=clean | environment, check=False).returncode
        closing = counts_of(report)
    sys.stderr.write(f"==> {name} took {time.monotonic() - started:.0f} s\n")
    return code, f"{name}: {closing}"


def main(arguments: list[str]) -> int:
    """Run both; returns 1 when either failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    slow = "--slow" in arguments
    chosen = [argument for argument in arguments if argument != "--slow"]
    if not slow:
        chosen += ["-m", "not slow"]
    browser = chromium.ensure()
    results = [run_pytest("SQLite", chosen)]
    with postgresql.cluster() as database_url, redis.server() as redis_url:
        results.append(run_pytest("PostgreSQL", chosen, DATABASE_URL=database_url, REDIS_URL=redis_url))
    lines = ["", "Summary", *(closing for _, closing in results)]
    if not browser:
        lines.append(f"Browser tests were skipped: {chromium.WHY_NOT}.")
    if not slow:
        lines.append("Tests marked slow were left out; `make test-all` runs them.")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(code for code, _ in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
