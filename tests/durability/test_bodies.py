"""Bodies that are cut, slow or made to harm, sent to a real server: answered in time, memory bounded, workers alive."""

import gzip
import json
import random
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from benchmarks.web import Portal, running
from tests.durability.installation import Installation, install, plain
from tests.durability.wire import NATIVE, answer_on, chunk, dialled, get, post, request_head

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
MIB: Final = 2**20
MOST_SECONDS: Final = 2
GROWTH: Final = 50 * MIB
CUTS: Final = 60


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """With the limits that everybody gets."""
    return install(plain(tmp_path_factory.mktemp("portal")))


@pytest.fixture(scope="module")
def web(installed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Its web server, whose two workers have answered before."""
    with running(Path(tmp_path_factory.mktemp("web")), installed.environment) as started:
        for number in range(8):
            post(started.port, installed.key, lines(f"warm{number}", 2_000))
        yield started


def lines(name: str, number: int) -> bytes:
    """Records, one on each line: readable wherever the body ends between two of them."""
    now = datetime.now(UTC).isoformat()
    return b"".join(
        json.dumps({"request_id": f"{name}-{one}", "started_at": now, "model": "gpt-4o"}).encode() + b"\n"
        for one in range(number)
    )


def test_cut_at_a_random_byte_nothing_is_stored(installed: Installation, web: Portal) -> None:
    chance = random.Random(11)
    body = lines("cut", 400)
    packed = gzip.compress(body)
    whole = {
        "plain": request_head(installed.key, Content_Length=str(len(body))) + body,
        "gzip": request_head(installed.key, Content_Length=str(len(packed)), Content_Encoding="gzip") + packed,
        "chunked": request_head(installed.key, Transfer_Encoding="chunked")
        + b"".join(chunk(line + b"\n") for line in body.splitlines())
        + chunk(b""),
    }
    for turn in range(CUTS):
        sent = list(whole.values())[turn % len(whole)]
        with dialled(web.port) as sender:
            sender.sendall(sent[: chance.randrange(1, len(sent) - 5)])
    assert get(web.port, "/healthz").status == 200
    time.sleep(1)  # what arrived last is dealt with by now
    assert not [name for name in installed.stored() if name.startswith("cut")]
    for sent in whole.values():
        with dialled(web.port) as sender:
            sender.sendall(sent)
            outcome = json.loads(answer_on(sender).body)
            assert outcome["accepted"] + outcome["duplicate"] == 400


def test_a_byte_a_second_ends_within_its_time(installed: Installation, web: Portal) -> None:
    head = request_head(installed.key, Content_Length="100000")
    started = time.monotonic()
    with dialled(web.port) as sender:
        sender.sendall(head)
        sender.settimeout(1)
        said = b""
        while not said and time.monotonic() - started < 60:
            sender.sendall(b" ")
            try:
                said = sender.recv(1000)
            except TimeoutError:
                continue
    assert said.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 33


def test_a_long_chunked_body_is_read_to_its_end(installed: Installation, web: Portal) -> None:
    body, chance = lines("chunks", 15_000), random.Random(12)
    with dialled(web.port) as sender:
        sender.sendall(request_head(installed.key, Transfer_Encoding="chunked"))
        start = 0
        while start < len(body):
            size = chance.choice([1, 7, 1_000, 100_000])
            sender.sendall(chunk(body[start : start + size]))
            start += size
        sender.sendall(chunk(b""))
        assert json.loads(answer_on(sender).body)["accepted"] == 15_000


def bomb(fill: bytes, mebibytes: int) -> bytes:
    """So much of the same, compressed."""
    packer = zlib.compressobj(9, wbits=31)
    piece = fill * (MIB // len(fill))
    return b"".join(packer.compress(piece) for _ in range(mebibytes)) + packer.flush()


def in_a_string(text: bytes) -> bytes:
    """As a member that nobody asked for."""
    return b'[{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "model": "' + text + b'"}]'


def in_a_member(name: str, text: bytes) -> bytes:
    """As a member of the only record."""
    return b'[{"request_id": "x", "startTime": 1, "' + name.encode() + b'": {' + text + b"}}]"


GZIP: Final = {"Content_Encoding": "gzip"}
HARMFUL: Final[dict[str, tuple[Callable[[], bytes], dict[str, str], set[int]]]] = {
    "10 MB of spaces": (lambda: b" " * 10**7, {}, {400}),
    "10 MB in a string": (lambda: in_a_string(b"x" * 10**7), {}, {200}),
    "10 MB of empty records": (lambda: b"[" + b"{}," * 3_300_000 + b"{}]", {}, {413}),
    "10 MB of numbers": (lambda: b"[" + b"1," * 5_000_000 + b"1]", {}, {400}),
    "10 MB of half pairs": (lambda: in_a_string(b"\\ud800" * 1_700_000), {}, {200}),
    "a bomb of 10 GB": (lambda: bomb(b" ", 64) * 160, GZIP, {400, 413}),
    "a bomb of one member": (lambda: bomb(b" ", 500), GZIP, {413}),
    "a bomb of arrays": (lambda: bomb(b"[", 200), GZIP, {413}),
    "gzip in gzip": (lambda: gzip.compress(bomb(b" ", 200)), GZIP, {400}),
    "gzip in gzip, told": (lambda: gzip.compress(bomb(b" ", 200)), {"Content_Encoding": "gzip, gzip"}, {415}),
    "deep arrays": (lambda: b"[" * 10**6, {}, {400}),
    "deep closed arrays": (lambda: b"[" * 10**6 + b"]" * 10**6, {}, {400}),
    "deep objects": (lambda: b'{"a":' * 10**6, {}, {400}),
    "a million keys": (lambda: b"{" + b",".join(b'"k%d":0' % n for n in range(10**6)) + b"}", {}, {200}),
    "a million times one key": (lambda: b"{" + b",".join([b'"model":"m"'] * 10**6) + b"}", {}, {200}),
    "1e400": (lambda: b"[" + b",".join([b"1e400"] * 20_000) + b"]", {}, {200}),
    "dense metadata": (lambda: in_a_member("metadata", b",".join(b'"k%d":0' % n for n in range(10**6))), {}, {200}),
    "dense lists": (lambda: in_a_member("response", b'"a":[' + b"[]," * 3_300_000 + b"0]"), {}, {200}),
    "dense lists and no number": (
        lambda: in_a_member("response", b'"a":[' + b"[]," * 3_300_000 + b"NaN]"),
        {},
        {400},
    ),
    "a line each": (lambda: b"{}\n" * 3_300_000, {}, {413}),
    "a million digits": (lambda: b"[" + b"1" * 10**6 + b"]", {}, {200, 400}),
    "no gzip": (lambda: b"[]" * MIB, GZIP, {400}),
    "gzip untold": (lambda: gzip.compress(b"[]" * MIB), {}, {400}),
    "brotli": (lambda: b"[]" * MIB, {"Content_Encoding": "br"}, {415}),
    "over the limit": (lambda: b" " * 33 * MIB, {}, {413}),
}


@pytest.mark.parametrize("path", [NATIVE, "/api/v1/ingest/litellm", "/v1/traces"])
@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_bodies(installed: Installation, web: Portal, name: str, path: str) -> None:
    make, headers, expected = HARMFUL[name]
    body, workers, before = make(), web.workers(), web.forget_peaks()
    reply = post(web.port, installed.key, body, path, **headers)
    growth = web.peak() - before
    # Of the deep and the long ones, each format has its own opinion: refused, or no record in it.
    assert reply.status in expected | ({200, 400, 413, 422} if path != NATIVE else set()), reply
    assert growth < GROWTH, f"{growth / MIB:.0f} MiB"
    assert reply.seconds < MOST_SECONDS
    assert web.workers() == workers, "a worker died"
    assert json.loads(post(web.port, installed.key, lines(f"after {name} {path}", 1)).body)["accepted"] == 1


def test_a_length_that_is_wrong(installed: Installation, web: Portal) -> None:
    body = lines("length", 2)
    with dialled(web.port) as sender:
        sender.sendall(request_head(installed.key, Content_Length=str(len(body) - 5)) + body)
        assert answer_on(sender).status in (200, 400)
        assert answer_on(sender).status == 400  # what was left over is no request
    for length in ("-1", "abc", "1e3", "", "9" * 400, "+5", "0x10"):
        with dialled(web.port) as sender:
            sender.sendall(request_head(installed.key, Content_Length=length) + body)
            assert answer_on(sender).status in (400, 413), length
    with dialled(web.port) as sender:
        sender.sendall(request_head(installed.key, Content_Length="5", Transfer_Encoding="chunked") + body)
        assert answer_on(sender).status == 400
    with dialled(web.port) as sender:
        sender.sendall(request_head(installed.key, Transfer_Encoding="chunked") + b"zz\r\n" + body)
        assert answer_on(sender).status == 400
    assert get(web.port, "/healthz").status == 200
