"""One exchange with a checked address: no redirects, no proxy, a deadline for all of it, a bounded answer."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Timer
from typing import Final

import certifi

from metricsportal.lib.addresses import Address, Reach, Target, resolve

CONNECT_SECONDS: Final = 5.0
DEADLINE_SECONDS: Final = 15.0


class TooLongError(Exception):
    """The answer is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Pinned(HTTPConnection):
    """Connects to the address that was checked, whatever the name says by now; TLS is for the name."""

    def __init__(self, target: Target, address: Address) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_SECONDS)
        self._target, self._address = target, address

    def connect(self) -> None:
        """To the address, never to a proxy of the environment."""
        raw = socket.create_connection((str(self._address), self._target.port), CONNECT_SECONDS)
        raw.settimeout(DEADLINE_SECONDS)
        self.sock = raw
        if self._target.scheme == "https":
            # Known before the handshake, so that the deadline can cut it short too.
            wrapped = _trusting().wrap_socket(raw, server_hostname=self._target.host, do_handshake_on_connect=False)
            self.sock = wrapped
            wrapped.do_handshake()


def exchange(
    method: str,
    target: Target,
    reach: Reach,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    longest: int = 0,
    deadline: float = DEADLINE_SECONDS,
) -> Answer:
    """The answer, with the first `longest` bytes of its body read; 0: none.

    Raises RefusedError, TooLongError, and OSError for what a network does.
    """
    connection = _Pinned(target, resolve(target, reach))
    # A server that sends a byte now and then never runs into the time limit of a single read.
    timer = Timer(deadline, _cut, [connection])
    timer.daemon = True
    timer.start()
    try:
        connection.request(method, target.path, body, {"Host": target.authority, "Connection": "close", **headers})
        response = connection.getresponse()
        read = response.read(longest + 1) if longest else b""
        if len(read) > longest:
            raise TooLongError
        return Answer(response.status, tuple(response.getheaders()), read)
    except (HTTPException, ValueError) as error:  # ValueError: a number in the answer that is none
        raise OSError(f"This is no HTTP answer: {type(error).__name__}") from None
    finally:
        timer.cancel()
        connection.close()


def _trusting() -> ssl.SSLContext:
    """The machine's authorities (a company's own are there), and the usual ones where a machine has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _cut(connection: HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
