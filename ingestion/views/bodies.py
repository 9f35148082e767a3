"""Request bodies as streams: limited on the wire and after decompression, chunked ones included."""

import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, cast

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError

from metricsportal.lib.budget import Budget, Share

ENCODINGS: Final = "gzip, identity"
_PIECE: Final = 65_536
# JSON of requests shrinks 10 to 50 fold; what shrinks more is made to fill our memory.
_MOST_SHRINKING: Final = 250
_ALWAYS_READ: Final = 4 * 2**20
_CUT: Final = "The body ended before its end."


_decoded: Final = Budget()


def share() -> Share:
    """What the body of one request may hold of the memory for all bodies; open it for as long as the body is used."""
    return Share(_decoded)


class BodyError(Exception):
    """The body is not read. `status` is the answer: 400, 411, 413 or 415."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def read_body(request: HttpRequest, share: Share) -> bytes:
    """The decoded body. Raises BodyError, ExhaustedError before more than the limits is in memory."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise BodyError(415, f"Content-Encoding “{encoding[:64]}” is not supported; send {ENCODINGS}.")
    declared = _declared_length(request)
    if declared > settings.INGEST_MAX_WIRE_BYTES:
        raise _too_large("body", settings.INGEST_MAX_WIRE_BYTES)
    pieces = _limited(_pieces(_stream(request)), settings.INGEST_MAX_WIRE_BYTES, declared)
    return b"".join(_held(_unzipped(pieces) if encoding == "gzip" else pieces, share))


def _held(pieces: Iterable[bytes], share: Share) -> Iterator[bytes]:
    for piece in pieces:
        share.grow(len(piece), most=settings.INGEST_MAX_BYTES_AT_ONCE)
        yield piece


def _declared_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdecimal() else 0


def _stream(request: HttpRequest) -> BinaryIO:
    """Where the body is read from. Django itself sees an empty body where the length is not declared."""
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return cast("BinaryIO", request)
    if request.META.get("wsgi.input_terminated"):
        return cast("BinaryIO", request.META["wsgi.input"])
    raise BodyError(411, "This server needs a Content-Length.")


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    try:
        while piece := stream.read(_PIECE):
            yield piece
    except (UnreadablePostError, OSError) as error:
        raise BodyError(400, _CUT) from error


def _limited(pieces: Iterable[bytes], limit: int, declared: int) -> Iterator[bytes]:
    """The pieces of a body that is neither over the limit nor cut short: lines and spans end anywhere."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise _too_large("body", limit)
        yield piece
    if size < declared:
        raise BodyError(400, _CUT)


def _unzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of one gzip member."""
    decoder = zlib.decompressobj(wbits=31)
    sent, size = 0, 0
    for piece in pieces:
        if decoder.eof:
            raise BodyError(400, "There are bytes after the end of the gzip body.")
        sent += len(piece)
        waiting = piece
        while waiting and not decoder.eof:
            try:
                content = decoder.decompress(waiting, _PIECE)
            except zlib.error as error:
                raise BodyError(400, "The body is not gzip.") from error
            size += len(content)
            _check_size(size, sent)
            yield content
            waiting = decoder.unconsumed_tail
    if not decoder.eof:
        raise BodyError(400, "The gzip body ended before its end.")
    if decoder.unused_data:
        raise BodyError(400, "There are bytes after the end of the gzip body.")


def _check_size(size: int, sent: int) -> None:
    if size > settings.INGEST_MAX_BODY_BYTES:
        raise _too_large("decompressed body", settings.INGEST_MAX_BODY_BYTES)
    if size > _ALWAYS_READ and size > sent * _MOST_SHRINKING:
        raise BodyError(413, f"The body grows more than {_MOST_SHRINKING} fold when it is decompressed.")


def _too_large(what: str, limit: int) -> BodyError:
    return BodyError(413, f"The {what} is larger than {limit:,} bytes; send smaller batches.")
