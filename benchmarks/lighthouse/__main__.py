"""Lighthouse (desktop) on pages of a running portal, signed in; a table of scores.

PORTAL_PASSWORD=... python -m benchmarks.lighthouse http://127.0.0.1:8000 EMAIL
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from benchmarks import visitor
from benchmarks.clock import say
from benchmarks.machine import hardware
from benchmarks.markdown import table, verdict
from tests.harness import chromium

FOLDER: Final = Path(__file__).parent
BARS: Final = {"performance": 95, "accessibility": 100, "best-practices": 95}
AUDITS: Final = ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift", "total-byte-weight")
ROUNDS: Final = 5
ATTEMPTS: Final = 3


def install() -> Path:
    """The pinned version, installed beside this file when it is not there yet: by npm, without scripts of packages."""
    command = FOLDER / "node_modules" / ".bin" / "lighthouse"
    if not command.exists():
        say("installing Lighthouse")
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, stdout=2)  # noqa: S607 - found by PATH
    return command


def cookies(chosen: Namespace) -> str:
    """The header of a signed-in person."""
    with visitor.signed_in(chosen) as context:
        return "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())


def report(command: Path, address: str, cookie: str) -> dict[str, Any]:
    """One run in a browser of its own, with an empty cache."""
    with tempfile.TemporaryDirectory(prefix="portal-lighthouse-") as folder:
        headers, output = Path(folder) / "headers.json", Path(folder) / "report.json"
        headers.write_text(json.dumps({"Cookie": cookie}))
        headers.chmod(0o600)
        options = ["--preset=desktop", "--quiet", "--output=json", f"--output-path={output}"]
        options += [f"--extra-headers={headers}", f"--only-categories={','.join(BARS)}"]
        options += [f"--chrome-flags=--headless=new {' '.join(chromium.SWITCHES)}"]
        environment = os.environ | {"CHROME_PATH": chromium.find() or ""}
        for _ in range(ATTEMPTS):
            # On a busy machine the browser's trace may lack its beginning; Lighthouse then asks to be run again.
            if subprocess.run([command, address, *options], check=False, env=environment, stdout=2).returncode == 0:
                break
        found: dict[str, Any] = json.loads(output.read_text())
    return found


def row(path: str, reports: list[dict[str, Any]]) -> list[str]:
    """Medians of a page: the scores, then what they are made of."""
    scores = {
        name: round(100 * statistics.median(one["categories"][name]["score"] for one in reports)) for name in BARS
    }
    values = [statistics.median(one["audits"][name]["numericValue"] for one in reports) for name in AUDITS]
    largest, blocked, shifted, size = values
    met = all(scores[name] >= bar for name, bar in BARS.items())
    figures = [f"{largest:,.0f} ms", f"{blocked:,.0f} ms", f"{shifted:.3f}", f"{size / 1000:,.0f} kB"]
    return [path, *(str(score) for score in scores.values()), *figures, verdict(met)]


def main() -> int:
    """Measure every page, print the table."""
    parser = visitor.arguments("lighthouse", "Scores of Lighthouse, desktop.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of every page, default {ROUNDS}")
    chosen = parser.parse_args()
    machine, command, cookie = hardware(), install(), cookies(chosen)
    paths = [f"/o/{chosen.organization}/{page}" for page in ("", "requests/", "costs/", "statements/", "ingestion/")]
    rows = []
    for path in paths:
        say(path)
        rows.append(row(path, [report(command, chosen.url + path, cookie) for _ in range(chosen.rounds)]))
    heads = ["page", *(f"{name} (bar {bar})" for name, bar in BARS.items())]
    heads += ["largest paint", "blocked", "shifted", "transferred", ""]
    sys.stdout.write(table(["machine", ""], machine) + "\n\n" + table(heads, rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
