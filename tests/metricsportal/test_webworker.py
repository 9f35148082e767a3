"""The web server in front of the application, over real sockets: slow, cut, large and many requests."""

import json
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from benchmarks.web import Portal, running
from tests.durability.installation import Installation, install, plain
from tests.durability.wire import NATIVE, Reply, answer_on, chunk, dialled, get, post, request_head

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the portal's processes are looked up in /proc"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the server is the same: once is enough"),
]
PROCESSES = 2
BUDGET = 2**20
SECONDS = 4


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A portal with little time and little memory for bodies."""
    limits = {"PORTAL_REQUEST_SECONDS": str(SECONDS), "PORTAL_INGEST_MAX_BYTES_AT_ONCE": str(BUDGET)}
    return install(plain(tmp_path_factory.mktemp("portal")) | limits | {"PORTAL_INGEST_MAX_WIRE_BYTES": str(8 * 2**20)})


@pytest.fixture(scope="module")
def portal(installed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Its web server."""
    with running(Path(tmp_path_factory.mktemp("web")), installed.environment) as started:
        yield started


def records(*names: str) -> bytes:
    now = datetime.now(UTC).isoformat()
    return json.dumps([{"request_id": name, "started_at": now, "model": "gpt-4o"} for name in names]).encode()


def accepted(reply: Reply) -> int:
    assert reply.status == 200, reply
    return int(json.loads(reply.body)["accepted"])


def drip(connections: list[socket.socket], stop: threading.Event) -> None:
    """A byte now and then on each, until told to stop."""
    while not stop.wait(0.2):
        for one in connections:
            try:
                one.sendall(b" ")
            except OSError:
                continue


def test_slow_senders_do_not_keep_others_waiting(installed: Installation, portal: Portal) -> None:
    head = request_head(installed.key, Content_Length="1000")
    starts = [head, head[:30], request_head("nobody", "/sign-in", Content_Length="1000")]
    stop = threading.Event()
    with ExitStack() as stack:
        slow = [stack.enter_context(dialled(portal.port)) for _ in range(48)]
        for number, one in enumerate(slow):
            one.sendall(starts[number % 3])
        dripping = threading.Thread(target=drip, args=(slow, stop))
        dripping.start()
        try:
            for turn in range(8):
                assert get(portal.port, "/healthz").status == 200
                assert accepted(post(portal.port, installed.key, records(f"beside-{turn}"))) == 1
            ended, _, _ = select.select(slow, [], [], 0)
            assert ended == [], "the slow ones were gone before the others were answered"
            for one in slow:
                assert select.select([one], [], [], SECONDS + 30)[0], "a slow request was never ended"
            assert answer_on(slow[0]).status == 408
            assert slow[1].recv(100) == b"", "half a head has no answer"
        finally:
            stop.set()
            dripping.join()


def test_what_does_not_fit_into_memory_is_asked_to_come_back(installed: Installation, portal: Portal) -> None:
    body = records("large").ljust(BUDGET * 9 // 10)
    head = request_head(installed.key, Content_Length=str(len(body)), Connection="close")
    with ExitStack() as stack:
        senders = [stack.enter_context(dialled(portal.port)) for _ in range(PROCESSES * 3)]
        for one in senders:
            one.sendall(head + body[:-1])
        # One fits into each process; the others are told so while the first ones still hold what they sent.
        while len(refused := select.select(senders, [], [], 0)[0]) < len(senders) - PROCESSES:
            time.sleep(0.1)
        for one in refused:
            reply = answer_on(one)
            assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
        taken = [one for one in senders if one not in refused]
        assert taken
        for one in taken:
            one.sendall(body[-1:])
        assert sum(accepted(answer_on(one)) for one in taken) == 1
    assert json.loads(coming_back(installed, portal, body).body)["duplicate"] == 1


def coming_back(installed: Installation, portal: Portal, body: bytes) -> Reply:
    """What a sender is told in the end: memory that others held is given back after their answer, not before."""
    while (reply := post(portal.port, installed.key, body)).status == 503:
        time.sleep(0.1)
    return reply


@pytest.mark.parametrize("size", [9 * 2**20, 60 * 2**20])
def test_a_body_over_the_limit_is_answered_although_it_is_still_sent(
    installed: Installation, portal: Portal, size: int
) -> None:
    assert post(portal.port, installed.key, b" " * size).status == 413


def test_a_chunked_body_over_the_limit_ends_the_connection(installed: Installation, portal: Portal) -> None:
    with dialled(portal.port) as sender:
        sender.sendall(request_head(installed.key, Transfer_Encoding="chunked"))
        sender.sendall(chunk(b" " * 2**20) * 9 + chunk(records("smuggled")) + chunk(b""))
        reply = answer_on(sender)
        assert (reply.status, reply.headers["Connection"]) == (413, "close")
    assert accepted(coming_back(installed, portal, records("smuggled"))) == 1


def test_connections_are_used_again_whatever_the_framing(installed: Installation, portal: Portal) -> None:
    body = records("again")
    whole = request_head(installed.key, Content_Length=str(len(body))) + body
    pieces = request_head(installed.key, Transfer_Encoding="chunked") + chunk(body[:7]) + chunk(body[7:]) + chunk(b"")
    with dialled(portal.port) as sender:
        outcomes = []
        for sent in (whole, pieces, whole + pieces, b""):
            sender.sendall(sent)
            outcomes.append(json.loads(answer_on(sender).body))
    assert [(one["accepted"], one["duplicate"]) for one in outcomes] == [(1, 0), (0, 1), (0, 1), (0, 1)]


def test_who_asks_before_sending_is_told_to_go_on(installed: Installation, portal: Portal) -> None:
    body = records("polite")
    with dialled(portal.port) as sender:
        sender.sendall(request_head(installed.key, Content_Length=str(len(body)), Expect="100-continue"))
        assert sender.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sender.sendall(body)
        assert accepted(answer_on(sender)) == 1


def test_a_body_that_is_cut_stores_nothing(installed: Installation, portal: Portal) -> None:
    line = records("cut")[1:-1] + b"\n"
    heads = (
        request_head(installed.key, NATIVE, Content_Length="5000"),
        request_head(installed.key, NATIVE, Transfer_Encoding="chunked"),
    )
    for head, body in zip(heads, (line, chunk(line)), strict=True):
        with dialled(portal.port) as sender:
            sender.sendall(head + body)
            sender.shutdown(socket.SHUT_WR)
            assert b" 200 " not in sender.recv(1000)
    assert accepted(coming_back(installed, portal, line)) == 1


SESSION = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from teams.models import User
who, session = User.objects.get(), import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(who.pk), who.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]  # the first one only counts failures
session.save()
print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={'c' * 32}")
"""


def test_a_file_larger_than_any_body_is_uploaded_slowly_by_whom_may(installed: Installation, portal: Portal) -> None:
    cookies = installed.manage("shell", "-v0", "-c", SESSION).strip()
    lines = b"".join(records(f"file-{number:06}")[1:-1] + b"\n" for number in range(100_000))
    fields = {"csrfmiddlewaretoken": "c" * 32, "format": "auto"}
    form = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()
    )
    form += '--cut\r\nContent-Disposition: form-data; name="file"; filename="calls.ndjson"\r\n\r\n'
    body = form.encode() + lines + b"\r\n--cut--\r\n"
    assert len(body) > 8 * 2**20
    head = {"Content_Length": str(len(body)), "Content_Type": "multipart/form-data; boundary=cut"}
    with dialled(portal.port) as browser:
        browser.sendall(request_head("", "/o/acme/ingestion/upload", Cookie=cookies, **head))
        for start in range(0, len(body), step := len(body) // 4):
            time.sleep((SECONDS + 2) / 4)  # together longer than a request may take elsewhere
            browser.sendall(body[start : start + step])
        reply = answer_on(browser)
    assert reply.status == 302, reply
    assert "/o/acme/ingestion/upload/" in reply.headers["Location"]
    with dialled(portal.port) as stranger:
        stranger.sendall(request_head("", "/o/acme/ingestion/upload", **head))
        assert answer_on(stranger).status == 302  # to sign in, before anything was read
