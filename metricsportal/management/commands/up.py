"""`manage.py up`: the whole portal in one process group, for one machine."""

import fcntl
import io
import json
import os
import secrets
import signal
import socket
import threading
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zoneinfo import available_timezones

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from analytics.annotations.demo import annotate
from analytics.budgets.demo import budget
from analytics.chargeback.closing import close_due
from ingestion.models import LLMRequest
from ingestion.traffic import plan
from metricsportal import assets
from metricsportal.children import HOST, ChildEndedError, Children
from metricsportal.lib.localtime import zone
from teams.models import Organization

ADMIN_EMAIL = "admin@example.com"
REQUESTS, DAYS, SEED = 90_000, 61, 1  # of the demo: two months, so that there is a period to compare with


def machine_zone() -> str:
    """IANA name of this machine's time zone, UTC when it does not say."""
    link = Path("/etc/localtime")
    linked = str(link.resolve()).partition("/zoneinfo/")[2] if link.is_symlink() else ""
    candidates = (os.environ.get("TZ", ""), linked)
    return next((name for name in candidates if name in available_timezones()), "UTC")


def require_free_port(port: int) -> None:
    """Raise CommandError when somebody else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Choose another one: manage.py up --port N, "
                "or make run PORT=N."
            ) from error


def lock_folder() -> IO[str]:
    """Hold the files' folder as long as the returned file is open: two workers on one file broker lose messages."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    lock = (settings.VAR_DIR / "up.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise CommandError(f"`manage.py up` already runs on the files in {settings.VAR_DIR}.") from error
    return lock


def generate_demo(end: datetime) -> None:
    """Traffic until that minute with what happened in it, its aggregates, budgets, the statements of its months."""
    call_command("generate_traffic", requests=REQUESTS, days=DAYS, seed=SEED, end=end.isoformat())
    organization = Organization.objects.get()
    calendar = plan(requests=REQUESTS, days=DAYS, seed=SEED, end=end, zone=zone(organization.zone))
    annotate(organization, calendar)
    call_command("rollup", drain=True)
    budget(organization, calendar.period.start, end)
    close_due(datetime.now(UTC))


class Command(BaseCommand):
    """Sets up what is missing, then runs web, worker and beat until told to stop."""

    help = "Migrate, bootstrap when empty, and run web, worker and beat in one process group."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--demo", action="store_true", help="fill an empty database with demo traffic")
        parser.add_argument("--port", type=int, default=8000, help="port on the loopback address, default 8000")

    def handle(self, *args: object, port: int, demo: bool, **options: object) -> None:
        """Run until SIGINT or SIGTERM; a process that ends by itself stops everything, exit code 1."""
        require_free_port(port)
        with lock_folder():
            try:
                first_sign_in = self.set_up(demo=demo)
            except KeyboardInterrupt:
                raise CommandError("Interrupted before the start.", returncode=130) from None
            connections.close_all()
            self.serve(port, first_sign_in)

    def set_up(self, *, demo: bool) -> dict[str, str]:
        """Bring files and database up to date. Returns what to tell at the first start, empty later."""
        if assets.is_stale():
            self.say("Collecting static files ...")
            assets.collect()
        self.say("Migrating the database ...")
        call_command("migrate", interactive=False, verbosity=0)
        first_sign_in = {} if Organization.objects.exists() else self.bootstrap()
        if demo and not LLMRequest.objects.exists():
            self.say(f"Generating {REQUESTS:,} demo requests of {DAYS} days ...")
            generate_demo(datetime.now(UTC).replace(second=0, microsecond=0))
        return first_sign_in

    def bootstrap(self) -> dict[str, str]:
        """Create the first organization and its administrator; returns what is shown only once."""
        password, answer = secrets.token_urlsafe(12), io.StringIO()
        call_command(
            "bootstrap",
            organization="demo",
            name="Demo",
            zone=machine_zone(),
            admin_email=ADMIN_EMAIL,
            admin_password=password,
            json=True,
            stdout=answer,
        )
        created = json.loads(answer.getvalue())
        return {
            "Sign in as": created["admin_email"],
            "Password": password,
            "Ingest key": created.get("ingest_key", ""),
            "Read key": created.get("read_key", ""),
        }

    def serve(self, port: int, first_sign_in: dict[str, str]) -> None:
        """Run the processes and wait for the end."""
        url = os.environ.get("PORTAL_URL", f"http://{HOST}:{port}")
        stopping = threading.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda *_: stopping.set())
        try:
            with Children(port, {"PORTAL_URL": url}) as children:
                if children.wait_for_web(stopping):
                    self.announce(f"http://{HOST}:{port}/", first_sign_in)
                    children.watch(stopping)
        except ChildEndedError as error:
            raise CommandError(f"Stopped everything: {error}. The lines above say why.") from error
        self.say("Stopped.")

    def announce(self, url: str, first_sign_in: dict[str, str]) -> None:
        """Say where the portal is and how to get in."""
        if first_sign_in:
            rows = {"Metrics portal": url, **first_sign_in}
            note = "Password and keys are shown only now; note them."
        else:
            rows = {"Metrics portal": url}
            note = "Forgot the password? `manage.py changepassword E-MAIL` sets a new one."
        lines = [f"  {name:<16}{value}" for name, value in rows.items() if value]
        self.say("\n".join(["", *lines, "", f"  {note} Ctrl-C stops the portal.", ""]))

    def say(self, text: str) -> None:
        """Print at once, also into a pipe."""
        self.stdout.write(text)
        self.stdout.flush()
