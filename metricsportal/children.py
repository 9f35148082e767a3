"""The processes of one node: web, worker and beat, started and stopped together."""

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Final
from urllib.error import HTTPError, URLError

from django.conf import settings

from metricsportal import processes

HOST: Final = "127.0.0.1"
WEB_SECONDS: Final = 180  # a machine that does much else has taken more than 60
# Beat can hang when it gets two signals at once, Ctrl-C's and ours; it has nothing to finish, so it is not waited for.
STOP_SECONDS: Final = {"web": 30, "worker": 30, "beat": 3}
POLL_SECONDS: Final = 0.25


class ChildEndedError(Exception):
    """A process ended that nobody asked to end."""


def commands(port: int) -> dict[str, list[str]]:
    """Command lines by name."""
    celery = [sys.executable, "-m", "celery", "--app", "metricsportal", "--quiet"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    # One worker with threads on the filesystem broker: kombu's transport locks nothing between workers.
    pool = "prefork" if settings.REDIS_URL else "threads"
    gunicorn = [sys.executable, "-m", "gunicorn", "metricsportal.wsgi", "--bind", f"{HOST}:{port}"]
    gunicorn += [
        "--worker-class",
        "metricsportal.webworker.Worker",
        "--workers",
        "2",
        "--threads",
        "4",
        "--timeout",
        "120",
    ]
    return {
        "web": [*gunicorn, "--graceful-timeout", "15", "--no-control-socket", "--log-level", "warning"],
        "worker": [*celery, "worker", "--pool", pool, "--concurrency", "2", *quiet],
        "beat": [*celery, "beat", "--schedule", str(settings.VAR_DIR / "beat-schedule"), "--loglevel", "WARNING"],
    }


class Children:
    """Context manager: everything started in it is stopped at its end, whatever happens inside."""

    def __init__(self, port: int, environment: Mapping[str, str]) -> None:
        self.port = port
        self.environment = os.environ | environment
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Children":
        """Start all of them."""
        try:
            for name, command in commands(self.port).items():
                self.running[name] = processes.start(command, environment=self.environment, folder=settings.BASE_DIR)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all of them."""
        self.stop()

    def check(self) -> None:
        """Raise ChildEndedError, with its name and exit code, when one is gone."""
        for name, child in self.running.items():
            code = child.poll()
            if code is not None:
                raise ChildEndedError(f"{name} ended by itself (exit code {code})")

    def wait_for_web(self, stopping: threading.Event) -> bool:
        """Whether the web server answers; raises ChildEndedError when it never will."""
        deadline = time.monotonic() + WEB_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if stopping.wait(POLL_SECONDS):
                return False
            try:
                with urllib.request.urlopen(f"http://{HOST}:{self.port}/healthz", timeout=5):
                    return True
            except HTTPError:
                return True  # it answers: whether it likes the name we call it by is another matter
            except (URLError, ConnectionError, TimeoutError):
                continue
        raise ChildEndedError(f"web did not answer within {WEB_SECONDS} s")

    def watch(self, stopping: threading.Event) -> None:
        """Return when asked to stop; raise ChildEndedError when a process ends before."""
        while not stopping.wait(POLL_SECONDS):
            self.check()

    def stop(self) -> None:
        """Ask all main processes at once, then wait for each; what does not end in time is killed."""
        # Only the main processes: a worker whose whole group is signalled may hang on the filesystem broker.
        for child in self.running.values():
            if child.poll() is None:
                child.terminate()
        for name, child in self.running.items():
            processes.wait(child, seconds=STOP_SECONDS[name])
