"""`python -m benchmarks`: measure everything on DATABASE_URL (or a private PostgreSQL) and write docs/benchmarks.md."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def arguments() -> argparse.Namespace:
    """Options of the benchmark."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000, help="generated requests, default 1000000")
    parser.add_argument("--large", type=int, default=10_000_000, help="of a second organization, default 10000000")
    parser.add_argument("--company", default="large", help="whose traffic: small or large, default large")
    parser.add_argument("--days", type=int, default=30, help="days they are spread over, default 30")
    parser.add_argument("--rounds", type=int, default=20, help="warm runs of every page, default 20")
    parser.add_argument("--seed", type=int, default=1, help="seed of the traffic, default 1")
    parser.add_argument("--output", type=Path, help="page to write; default: docs/benchmarks.md, none for quick runs")
    return parser.parse_args()


def main() -> int:
    """Run on the database given, or start one and run there; files go to a folder that is removed."""
    chosen = arguments()
    if not os.environ.get("DATABASE_URL"):
        return subprocess.run([sys.executable, "-m", "tests.harness", *sys.orig_argv], check=False).returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        os.environ["PORTAL_VAR_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "metricsportal.settings"
        from benchmarks import run  # noqa: PLC0415 - reads settings, which read the environment

        page = run.everything(chosen, Path(folder))
    sys.stdout.write(page)
    target = chosen.output
    if target is None and chosen.requests >= 1_000_000:
        target = ROOT / "docs" / "benchmarks.md"
    if target:
        target.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
