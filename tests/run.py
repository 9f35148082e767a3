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
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.harness import chromium, postgresql, redis

SHOWN = 10
"""Modules named at the end, so that whoever finds the suite long knows where to begin."""
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


def seconds_of(report: Path) -> dict[str, float]:
    """How long each module took with its fixtures, from pytest's JUnit report."""
    answer: defaultdict[str, float] = defaultdict(float)
    for case in ET.parse(report).getroot().iter("testcase") if report.exists() else ():
        answer[case.get("classname", "?")] += float(case.get("time", 0))
    return answer


def longest(taken: Iterable[tuple[str, dict[str, float]]]) -> list[str]:
    """Lines about the modules that took longest; the shares run side by side, so that only their order says much."""
    every = sorted(((seconds, share, name) for share, found in taken for name, seconds in found.items()), reverse=True)
    return ["Longest modules:", *(f"{seconds:7.0f} s  {name} ({share})" for seconds, share, name in every[:SHOWN])]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the suite that runs in a process of its own."""

    name: str
    arguments: list[str]
    is_on_servers: bool
    """On PostgreSQL with Redis; else on SQLite."""
    more: dict[str, str] = field(default_factory=dict)
    """Variables of the environment besides."""


class Result(NamedTuple):
    """What came of a share: pytest's exit code, how many tests passed, and the seconds of each module."""

    name: str
    code: int
    counts: str
    seconds: dict[str, float]


@dataclass
class Run:
    """One run of the suite in a process of its own, which writes into `folder`."""

    name: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    started: float

    def finish(self) -> Result:
        """Wait for its end and show what it said if that was kept."""
        code = self.process.wait()
        if (said := self.folder / "output").exists():
            sys.stderr.write(f"\n==> {self.name}\n{said.read_text(errors='replace')}")
        sys.stderr.write(f"==> {self.name} took {time.monotonic() - self.started:.0f} s\n")
        report = self.folder / "report.xml"
        return Result(self.name, code, counts_of(report), seconds_of(report))


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


def shares(chosen: list[str], *, slow: bool) -> tuple[Share, ...]:
    """What runs side by side.

    Pages in a browser, what touches no database, and what tests/once.py lists have the same answers from both.
    """
    if chosen or slow:
        arguments = [*chosen, *([] if slow else ["-m", "not slow"])]
        return Share("SQLite", arguments, is_on_servers=False), Share("PostgreSQL", arguments, is_on_servers=True)
    return (
        Share("SQLite", ["-m", "not slow and not browser"], is_on_servers=False),
        Share("PostgreSQL", ["-m", "not slow and not browser and not anywhere and not once"], is_on_servers=True),
        Share("Browser", ["-m", "not slow and browser"], is_on_servers=False),
    )


def run_all(shares: Sequence[Share], *, together: bool) -> list[Result]:
    """All shares, side by side or, where figures are measured, one after the other."""
    runs: list[Run] = []
    results = []
    with (
        postgresql.cluster() as database_url,
        redis.server() as redis_url,
        tempfile.TemporaryDirectory(prefix="portal-tests-") as folder,
    ):
        production = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        try:
            for share in shares:
                own = Path(folder, share.name)
                own.mkdir()
                environment = (production if share.is_on_servers else {}) | share.more
                keep = together and bool(runs)
                runs.append(start(share.name, share.arguments, own, keep=keep, environment=environment))
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
    arguments = chosen or ["-m", "not slow and not browser and not anywhere"]
    share = Share(RESTRICTED, arguments, is_on_servers=True, more={"PORTAL_TEST_RLS": "on"})
    (result,) = run_all([share], together=True)
    sys.stdout.write(f"\nSummary\n{result.name}: {result.counts}\n")
    return int(bool(result.code))


def main(given: list[str]) -> int:
    """Run all shares; returns 1 when one failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    if "--rls" in given:
        return run_restricted(given)
    slow = "--slow" in given
    chosen = [argument for argument in given if argument != "--slow"]
    browser = chromium.ensure()
    results = run_all(shares(chosen, slow=slow), together=not slow)
    lines = ["", "Summary", *longest((one.name, one.seconds) for one in results)]
    lines += [f"{one.name}: {one.counts}" for one in results]
    if not browser:
        lines.append(f"Browser tests were skipped: {chromium.WHY_NOT}.")
    if not slow:
        lines.append("Tests marked slow were left out; `make test-all` runs them.")
    if not slow and not chosen:
        lines.append("What no database changes (tests/once.py) ran on SQLite; `make test-all` runs all on both.")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(one.code for one in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
