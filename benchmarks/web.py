"""The portal as its users reach it: gunicorn over HTTP, a signed-in browser and a key."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from metricsportal import children, processes
from tests.harness.redis import free_port

_READ: Final = 64 * 1024
_MEBIBYTE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: seconds to the last byte, bytes, lines, and the body unless it was only counted."""

    seconds: float
    size: int
    lines: int
    body: bytes


@dataclass(slots=True)
class Portal:
    """A running web server and the headers that let us in."""

    port: int
    process: "subprocess.Popen[bytes]"
    browser: dict[str, str] = field(default_factory=dict)
    """Headers of a signed-in person, for pages."""
    viewer: dict[str, str] = field(default_factory=dict)
    """Headers of somebody who sees one team."""

    def get(self, path: str, headers: Mapping[str, str], *, keep: bool = True) -> Answer:
        """One GET on a connection of its own, read to the last byte. Raises RuntimeError unless it is 200."""
        connection = http.client.HTTPConnection(children.HOST, self.port, timeout=600)
        try:
            started = time.perf_counter()
            connection.request("GET", path, headers=dict(headers))
            response = connection.getresponse()
            size, lines, kept = 0, 0, []
            while piece := response.read(_READ):
                size += len(piece)
                lines += piece.count(b"\n")
                if keep or response.status != 200:
                    kept.append(piece)
            seconds = time.perf_counter() - started
        finally:
            connection.close()
        body = b"".join(kept)
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {body[:500].decode(errors='replace')}")
        return Answer(seconds, size, lines, body)

    def workers(self) -> list[int]:
        """Process ids of the web workers; none where /proc does not tell."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def forget_peaks(self) -> int:
        """Let the kernel measure peak memory anew; returns the bytes of the largest worker now."""
        for pid in self.workers():
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        return self.peak()

    def peak(self) -> int:
        """Peak resident bytes of the largest worker."""
        return max((_peak_of(pid) for pid in self.workers()), default=0)


def _peak_of(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def unthrottled() -> dict[str, str]:
    """Our environment, in which one caller may ask as often as it likes: we are everybody who asks."""
    return os.environ | {"PORTAL_QUERIES_PER_MINUTE": "1000000", "PORTAL_SUGGESTIONS_PER_MINUTE": "1000000"}


@contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[Portal]:
    """The web server of `manage.py up` on a free port."""
    port = free_port()
    command = children.commands(port)["web"]
    with (folder / "web.log").open("wb") as log:
        process = processes.start(command, environment=environment, output=log, folder=Path.cwd())
        try:
            _wait(port, process, folder / "web.log")
            yield Portal(port, process)
        finally:
            processes.stop(process)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(children.HOST, port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    sys.stderr.write(log.read_text())
    raise RuntimeError("the web server did not start")
