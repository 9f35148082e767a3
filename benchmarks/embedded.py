"""The engine's questions on SQLite: `python -m benchmarks.embedded FILE TARGET OPTIONS` in a process of its own.

FILE holds the requests, TARGET gets the figures; the options are those of the benchmark, as JSON.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import django

if __name__ == "__main__":
    django.setup()

from django.core.management import call_command

from benchmarks import downloads, engine, load, rollups, tenants, web
from benchmarks.clock import say
from benchmarks.engine import Engine


def measure(chosen: argparse.Namespace, file: Path) -> Engine:
    """Start the process without the address of PostgreSQL and read what it measured."""
    say("the same on SQLite")
    folder = file.parent / "embedded"
    folder.mkdir()
    target = folder / "figures"
    options = json.dumps({name: getattr(chosen, name) for name in ("requests", "days", "seed", "rounds", "company")})
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "benchmarks.embedded", str(file), str(target), options]
    subprocess.run(command, check=True, env=environment | {"PORTAL_VAR_DIR": str(folder)})
    figures: Engine = pickle.loads(target.read_bytes())  # noqa: S301 - written by our own process
    return figures


def _main(file: Path, target: Path, chosen: argparse.Namespace) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    tenant = tenants.found("bench", chosen.requests, chosen)
    load.manage("import_requests", str(file), f"--organization={tenant.slug}", "--json")
    rebuilt = rollups.everything(tenant)
    with web.running(target.parent, web.unthrottled()) as portal:
        files = downloads.measure(portal, tenant)
    with web.running(target.parent, web.unthrottled()) as portal:
        measured = engine.measure(portal, [tenant], chosen.rounds, rebuilt=rebuilt, files=files)
    target.write_bytes(pickle.dumps(measured))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), argparse.Namespace(**json.loads(sys.argv[3])))
