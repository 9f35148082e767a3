"""One POST to a checked address: no redirects, a deadline for the whole of it, a short look at the answer."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Timer
from typing import Final

from analytics.budgets.webhooks.addresses import Address, Target, resolve

CONNECT_SECONDS: Final = 5.0
DEADLINE_SECONDS: Final = 15.0
_PORTS: Final = {"https": 443, "http": 80}


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
            wrapped = ssl.create_default_context().wrap_socket(
                raw, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.sock = wrapped
            wrapped.do_handshake()


def post(target: Target, body: bytes, headers: Mapping[str, str], *, deadline: float = DEADLINE_SECONDS) -> int:
    """The status of the answer. Raises WebhookRefusedError, and OSError for what a network does."""
    connection = _Pinned(target, resolve(target))
    # A server that sends a byte now and then never runs into the time limit of a single read.
    timer = Timer(deadline, _cut, [connection])
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", target.path, body, {"Host": _host(target), "Connection": "close", **headers})
        return connection.getresponse().status
    except HTTPException as error:
        raise OSError(f"This is no HTTP answer: {type(error).__name__}") from None
    finally:
        timer.cancel()
        connection.close()


def _cut(connection: HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _host(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == _PORTS[target.scheme] else f"{host}:{target.port}"
