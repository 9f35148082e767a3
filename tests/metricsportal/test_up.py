"""`manage.py up`, for real: started, used, stopped, killed; nothing may be left behind."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.harness import postgresql
from tests.harness.redis import free_port

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def descendants(pid: int) -> list[int]:
    """Process ids of all children and their children."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def all_end(handles: list[int], seconds: float = 45) -> bool:
    """Whether the processes behind the handles are gone within the time."""
    waiting = set(handles)
    while waiting:
        ended, _, _ = select.select(list(waiting), [], [], seconds)
        if not ended:
            return False
        waiting -= set(ended)
    return True


class Portal:
    """A running `up`; what it prints until it is ready is in `said`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        command = [sys.executable, "-u", "manage.py", "up", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        self.output: IO[str] = self.process.stdout
        self.said = ""
        for line in self.output:
            self.said += line
            if "Ctrl-C stops" in line:
                break
        assert self.process.poll() is None, self.said
        self.pids = descendants(self.process.pid)
        self.handles = [os.pidfd_open(pid) for pid in self.pids]

    def __enter__(self) -> Self:
        """Ready."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what a failed test left."""
        self.process.kill()
        self.process.communicate()
        for handle in self.handles:
            if not all_end([handle], 0):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)

    def end(self) -> tuple[int, str]:
        """Exit code and the rest of what it said."""
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest

    def pid_of(self, words: str) -> int:
        """The direct child whose command line contains the words."""
        children = [pid for pid in self.pids if words in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")]
        return children[0]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment of an empty installation: a folder, and on PostgreSQL a server of its own."""
    folder = tmp_path_factory.mktemp("installation")
    own = {"DJANGO_SETTINGS_MODULE": "metricsportal.settings", "PORTAL_VAR_DIR": str(folder), "TZ": "Europe/Berlin"}
    if not os.environ.get("DATABASE_URL"):
        yield os.environ | own
        return
    with postgresql.server("fsync=on") as server:  # the suite's may lose what it took: the portal refuses it
        yield os.environ | own | {"DATABASE_URL": server.url}


@pytest.mark.parametrize(("commit", "starts"), [("on", True), ("off", False)])
def test_a_server_that_may_lose_commits_is_refused(environment: dict[str, str], commit: str, starts: bool) -> None:
    if "DATABASE_URL" not in environment:
        pytest.skip("of PostgreSQL")
    url = environment["DATABASE_URL"]
    url += ("&" if "?" in url else "?") + f"options=-c%20synchronous_commit%3D{commit}"
    command = [sys.executable, "-c", "from metricsportal import wsgi; print('started')"]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment | {"DATABASE_URL": url}, capture_output=True, text=True, check=False
    )
    assert (answer.returncode == 0) is starts, answer.stderr
    assert ("started" in answer.stdout) is starts
    assert ("synchronous_commit is off" in answer.stderr) is not starts


def signed_in_as(portal: Portal, email: str, password: str) -> bool:
    """Whether the sign-in page accepts them."""
    cookies = CookieJar()
    browser = build_opener(HTTPCookieProcessor(cookies))
    address = f"http://127.0.0.1:{portal.port}"
    browser.open(f"{address}/sign-in").read()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {"username": email, "password": password, "csrfmiddlewaretoken": token, "next": "/healthz"}
    browser.open(f"{address}/sign-in", urlencode(form).encode()).read()
    return any(cookie.name == "sessionid" for cookie in cookies)


def test_first_start_prints_a_sign_in_that_works_and_ends_cleanly(environment: dict[str, str]) -> None:
    with Portal(environment) as portal:
        assert f"http://127.0.0.1:{portal.port}/" in portal.said
        email = re.search(r"Sign in as +(\S+)", portal.said)
        password = re.search(r"Password +(\S+)", portal.said)
        assert email
        assert password
        assert email[1] == "admin@example.com"
        assert not signed_in_as(portal, email[1], "guessed")
        assert signed_in_as(portal, email[1], password[1])
        assert len(portal.pids) >= 5  # web with two workers, worker, beat
        portal.process.send_signal(signal.SIGTERM)
        code, rest = portal.end()
        assert (code, "Stopped." in rest) == (0, True), rest
        assert all_end(portal.handles, 0)


@pytest.mark.slow
def test_later_starts_print_no_password_and_end_on_interrupt(environment: dict[str, str]) -> None:
    with Portal(environment) as first:  # perhaps not the first one: it does not matter here
        first.process.terminate()
        first.end()
    with Portal(environment) as portal:
        assert "Password" not in portal.said
        assert f"http://127.0.0.1:{portal.port}/" in portal.said
        portal.process.send_signal(signal.SIGINT)
        assert portal.end()[0] == 0
        assert all_end(portal.handles, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gunicorn", " worker ", " beat "])
def test_a_child_that_ends_stops_everything(environment: dict[str, str], name: str) -> None:
    with Portal(environment) as portal:
        os.kill(portal.pid_of(name), signal.SIGKILL)
        code, rest = portal.end()
        assert code == 1
        assert "ended by itself (exit code -9)" in rest
        assert all_end(portal.handles)


@pytest.mark.slow
def test_children_do_not_outlive_a_killed_parent(environment: dict[str, str]) -> None:
    with Portal(environment) as portal:
        portal.process.kill()
        assert all_end(portal.handles)


@pytest.mark.slow
def test_a_second_one_on_the_same_folder_is_refused(environment: dict[str, str]) -> None:
    with Portal(environment) as portal:
        command = [sys.executable, "manage.py", "up", "--port", str(free_port())]
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 1
        assert "already runs" in answer.stderr
        assert portal.process.poll() is None


def test_a_taken_port_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        command = [sys.executable, "manage.py", "up", "--port", port]
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert f"Port {port} cannot be used (Address already in use)" in answer.stderr
