"""Gunicorn's worker with threads, in which a slow client costs a thread that waits, never one that works.

Many threads receive whole requests; few answer them, each with its connection to the database. A request that does
not arrive in time, finds no room or waits too long for a thread that answers is refused and may be sent again.
"""

import io
import json
import socket
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

from django.conf import settings
from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from metricsportal.lib import problems
from metricsportal.lib.budget import Budget, ExhaustedError, Share

RECEIVERS: Final = 64
QUEUE_SECONDS: Final = 10
# The longest that a client may leave one piece of an answer in its socket.
SEND_SECONDS: Final = 30
LINGER_SECONDS: Final = 2
# What is counted at once: the server below keeps up to a mebibyte and copies the rest of it at every read.
_PIECE: Final = 2**18
_RETRY: Final = {"Retry-After": "5"}


class LateError(NoMoreData):  # an untyped library, which closes the connection quietly on it
    """The request did not arrive in time."""


class Arriving:
    """The receiving side of a connection, whose client has until `deadline` to send its request.

    `patient`: each piece of the request may take as long as one of an answer instead.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.deadline, self.patient = sock, 0.0, False

    def recv(self, size: int) -> bytes:
        """As of a socket. Raises LateError."""
        left = SEND_SECONDS if self.patient else self.deadline - time.monotonic()
        try:
            if left <= 0:
                raise LateError
            self.sock.settimeout(left)
            return self.sock.recv(size)
        except TimeoutError as error:
            raise LateError from error


class _Pieces(io.RawIOBase):
    """A received body; what was read is let go."""

    def __init__(self, pieces: deque[memoryview]) -> None:
        self.pieces = pieces

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what BufferedReader hands over
        """As of a file: 0 at the end."""
        if not self.pieces:
            return 0
        piece = self.pieces.popleft()
        fits = piece[: len(buffer)]
        buffer[: len(fits)] = fits
        if len(fits) < len(piece):
            self.pieces.appendleft(piece[len(fits) :])
        return len(fits)


class Worker(ThreadWorker):
    """`--threads` answer; RECEIVERS more wait for clients."""

    def init_process(self) -> None:
        """Start both pools, then serve."""
        self.answering = ThreadPoolExecutor(self.cfg.threads)
        self.arrived = Budget()
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """The threads that wait for clients."""
        return ThreadPoolExecutor(RECEIVERS)

    def handle(self, conn: TConn) -> object:
        """One request of a connection, in a receiving thread."""
        if conn.parser is None and not self.cfg.is_ssl:
            conn.parser = get_parser(self.cfg, Arriving(conn.sock), conn.client)
        if conn.parser is not None and isinstance(conn.parser.unreader.sock, Arriving):
            conn.parser.unreader.sock.deadline = time.monotonic() + settings.REQUEST_SECONDS
            conn.parser.unreader.sock.patient = False
        kept = super().handle(conn)
        if kept is False:
            _linger(conn.sock)
        return kept

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Receive the body, then let it be answered; whether the connection may be used again."""
        if settings.STREAMED_PATH.fullmatch(req.path):
            conn.parser.unreader.sock.patient = True
            return self._answer(req, conn)
        with Share(self.arrived) as share:
            try:
                req.body = io.BufferedReader(_Pieces(_receive(req, conn, share)))
            except LateError:
                return _refuse(conn, 408, "The request did not arrive in time.")
            except ExhaustedError:
                return _refuse(conn, 503, "Too much arrives at once. Send the same again.")
            return self._answer(req, conn)

    def _answer(self, req: Request, conn: TConn) -> bool:
        conn.sock.settimeout(SEND_SECONDS)
        answer = self.answering.submit(super().handle_request, req, conn)
        if not wait([answer], QUEUE_SECONDS).done and answer.cancel():
            return _refuse(conn, 503, "Too many requests wait. Send the same again.")
        return bool(answer.result())


def _receive(req: Request, conn: TConn, share: Share) -> deque[memoryview]:
    """The body; what is over the limit stays unread: the application refuses it. Raises LateError, ExhaustedError."""
    headers = dict(req.headers)
    declared = headers.get("CONTENT-LENGTH")
    if declared and int(declared) > settings.INGEST_MAX_WIRE_BYTES:
        req.force_close()
        return deque()
    if req._expected_100_continue:
        conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        req._expected_100_continue = False
    pieces: deque[memoryview] = deque()
    for piece in _pieces(req):
        share.grow(len(piece), most=settings.INGEST_MAX_BYTES_AT_ONCE)
        pieces.append(memoryview(piece))
        if share.size > settings.INGEST_MAX_WIRE_BYTES:
            req.force_close()
            return pieces
    if declared and share.size < int(declared):
        raise NoMoreData
    return pieces


def _pieces(req: Request) -> Iterator[bytes]:
    while piece := req.body.read(_PIECE):
        yield piece


def _refuse(conn: TConn, status: int, detail: str) -> bool:
    """Answer without the application. The connection is not used again."""
    document = problems.problem(status, detail, instance="", request_id=problems.request_id_of(None))
    body = json.dumps(document).encode()
    headers = {
        "Content-Type": problems.CONTENT_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **(_RETRY if status == 503 else {}),
    }
    lines = [f"HTTP/1.1 {status} {document['title']}", *(f"{name}: {value}" for name, value in headers.items())]
    conn.sock.settimeout(SEND_SECONDS)
    conn.sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return False


def _linger(sock: socket.socket) -> None:
    """Take what the client still sends, so that it reads the answer instead of a broken connection."""
    deadline = time.monotonic() + LINGER_SECONDS
    try:
        sock.shutdown(socket.SHUT_WR)
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            if not sock.recv(_PIECE):
                break
        sock.shutdown(socket.SHUT_RD)  # so that nobody waits for this client again
    except OSError:
        return
