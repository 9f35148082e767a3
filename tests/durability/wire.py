"""What a test says to a web server: whole requests, and requests that are cut, slow or too large."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Final

HOST: Final = "127.0.0.1"
NATIVE: Final = "/api/v1/requests"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and the seconds until its last byte."""

    status: int
    headers: Message
    body: bytes
    seconds: float


def post(port: int, key: str, body: bytes, path: str = NATIVE, **headers: str) -> Reply:
    """One POST on a connection of its own. Header names are given with `_` for `-`."""
    return send(port, "POST", path, body, head_of(key, headers))


def get(port: int, path: str) -> Reply:
    """One GET on a connection of its own."""
    return send(port, "GET", path, b"", {})


def send(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    started = time.monotonic()
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        content = response.read()
        return Reply(response.status, response.headers, content, time.monotonic() - started)
    finally:
        connection.close()


def head_of(key: str, headers: dict[str, str]) -> dict[str, str]:
    """The headers of a sender."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | named


@contextmanager
def dialled(port: int) -> Iterator[socket.socket]:
    """A connection to say anything on."""
    with socket.create_connection((HOST, port), timeout=120) as connection:
        yield connection


def request_head(key: str, path: str = NATIVE, **headers: str) -> bytes:
    """The head of a POST, without a length unless the headers give one."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in head_of(key, headers).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    """A piece of a chunked body; the last one is empty."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def answer_on(connection: socket.socket) -> Reply:
    """The next answer on a connection. Raises http.client.HTTPException when it was closed without one."""
    response = http.client.HTTPResponse(connection)
    started = time.monotonic()
    try:
        response.begin()
        return Reply(response.status, response.headers, response.read(), time.monotonic() - started)
    finally:
        response.close()
