"""JSON bodies: an array, one object, or one object per line, told apart by their first byte."""

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

import msgspec

from ingestion.formats.base import Format, MalformedError
from ingestion.formats.counting import is_too_dense, refuse_too_many, refuse_too_many_lines
from ingestion.formats.head import Head
from ingestion.formats.mapping import Reading
from ingestion.pipeline import Item
from ingestion.records import Code, RejectedError, RequestRecord

Decode = Callable[[Any, Reading], RequestRecord | None]
"""One record of one JSON value, given as bytes, `msgspec.Raw` or plain Python values; None for what is no request.

Raises RejectedError.
"""
_Decode = Callable[[Any], RequestRecord | None]

_array: Final = msgspec.json.Decoder(list[msgspec.Raw])
_value: Final = msgspec.json.Decoder()
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What Python's own reader takes and msgspec refuses: half a surrogate pair, NaN and infinities.
_LENIENT: Final = re.compile(rb"\\u[dD][89a-fA-F]|NaN|Infinity")
_SPACE: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"


def format_of(name: str, decode: Decode, recognises: Callable[[Head], bool] = lambda _: False) -> Format:
    """The format whose records are JSON objects."""

    def of_body(body: bytes, reading: Reading) -> Iterator[Item]:
        return read(body, lambda value: decode(value, reading), counted=True)

    def of_file(file: BinaryIO, reading: Reading) -> Iterator[Item]:
        return read_file(file, lambda value: decode(value, reading))

    return Format(name, of_body, of_file, lambda head: head.is_json and recognises(head))


def looking_into(value: Any) -> Callable[[str], Any]:  # noqa: ANN401 - bytes, or values of the lenient reader
    """Looks up `metadata.requester.team` in a record's JSON: keys joined by dots, None = absent.

    Only the members that are asked for are decoded, each once. One that cannot be decoded is absent: the format itself
    had no need to read it.
    """
    found = members(value)

    def look_up(path: str) -> Any:  # noqa: ANN401
        step, _, rest = path.partition(".")
        member = found.get(step)
        if isinstance(member, msgspec.Raw):
            member = found[step] = decoded(member)
        return within(member, rest)

    return look_up


def members(value: Any) -> dict[str, Any]:  # noqa: ANN401 - bytes, or values of the lenient reader
    """The members of a record, those of bytes still undecoded. Raises RejectedError for what is no object."""
    if isinstance(value, bytes | msgspec.Raw):
        try:
            return _members.decode(value)
        except _UNREADABLE as error:
            raise rejection_of(error) from error
    if not isinstance(value, dict):
        raise RejectedError(Code.NOT_AN_OBJECT, "", "A record is a JSON object.")
    return value


def decoded(value: Any) -> Any:  # noqa: ANN401
    """The value of a member; None where it is not readable."""
    try:
        return _value.decode(value) if isinstance(value, msgspec.Raw) else value
    except _UNREADABLE:
        return None


def within(value: Any, path: str) -> Any:  # noqa: ANN401
    """The value under keys joined by dots; None = absent."""
    for step in path.split(".") if path else ():
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def unknown_members(value: Any, known: Container[str]) -> dict[str, Any]:  # noqa: ANN401
    """Members of a record that its format does not read."""
    return {name: decoded(found) for name, found in members(value).items() if name not in known}


def read(body: bytes, decode: _Decode, *, counted: bool = False) -> Iterator[Item]:
    """Records of a body; raises MalformedError with the position before the first one when it is not JSON.

    `counted`: no more than a batch may hold, else TooManyError.
    """
    text = body.removeprefix(_BOM).lstrip(_SPACE)
    start = len(body) - len(text)
    match text[:1]:
        case b"[":
            if counted:
                refuse_too_many(text)
            return _items(_elements(text, body), decode)
        case b"{":
            return _object_or_lines(text, decode, counted=counted)
        case b"":
            raise MalformedError("The body is empty", byte=0)
        case _:
            raise _malformed(body, "A body starts with [ or {", start)


def read_file(file: BinaryIO, decode: _Decode) -> Iterator[Item]:
    """Records of a file: line by line when it holds one object per line, else as one body in memory."""
    first = next((line for line in file if line.strip(_SPACE)), b"")
    if _is_document(first.removeprefix(_BOM)):
        return _items(_lines(first.removeprefix(_BOM), file), decode)
    return read(first + file.read(), decode)


def _is_document(line: bytes) -> bool:
    try:
        _members.decode(line)
    except _UNREADABLE:
        return False
    return True


def _lines(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    for line in rest:
        stripped = line.strip(_SPACE)
        if stripped:
            yield stripped


def _items(values: Iterable[Any], decode: _Decode) -> Iterator[Item]:
    for index, value in enumerate(values):
        try:
            record = decode(value)
        except RejectedError as error:
            yield index, error
        else:
            if record is not None:
                yield index, record


def _elements(text: bytes, body: bytes) -> Iterable[Any]:
    try:
        return _array.decode(text)
    except _UNREADABLE as error:
        if _LENIENT.search(text) and not is_too_dense(text):
            return _lenient(text, body)
        raise malformed_by(error, text, body) from error


def elements_of(body: bytes, member: str) -> Iterable[Any]:
    """The elements of an array that is a member of the body's object. Raises MalformedError when there is none."""
    try:
        found = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get(member)
    except _UNREADABLE as error:
        if not _LENIENT.search(body):
            raise malformed_by(error, body, body) from error
        (document,) = _lenient(body, body)[:1] or [None]
        found = document.get(member) if isinstance(document, dict) else None
    if isinstance(found, msgspec.Raw) and bytes(found).startswith(b"["):
        return _elements(bytes(found), bytes(found))
    if isinstance(found, list):
        return found
    raise MalformedError(f"The body has no array “{member}”")


def _lenient(text: bytes, body: bytes) -> list[Any]:
    """The values by Python's own reader, so that one record with a bad character does not cost its whole batch."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise _malformed(body, error.msg, len(body) - len(text) + len(error.doc[: error.pos].encode())) from error
    except (ValueError, RecursionError) as error:
        raise MalformedError("The body is not JSON that can be read") from error
    return values if isinstance(values, list) else [values]


def _object_or_lines(text: bytes, decode: _Decode, *, counted: bool) -> Iterator[Item]:
    try:
        return _items([msgspec.json.decode(text, type=msgspec.Raw)], decode)
    except _UNREADABLE as error:
        if counted:
            refuse_too_many_lines(text)
        lines = [line for line in map(_strip, text.split(b"\n")) if line]
        if len(lines) > 1 and any(map(_is_document, lines)):
            return _items(lines, decode)
        if _LENIENT.search(text) and not is_too_dense(text):
            return _items(_lenient(text, text), decode)
        raise malformed_by(error, text, text) from error


def _strip(line: bytes) -> bytes:
    return line.strip(_SPACE)


def malformed_by(error: Exception, text: bytes, body: bytes) -> MalformedError:
    """What a decoder of `text`, the end of `body`, stumbled over, with its place in the body."""
    if isinstance(error, RecursionError):
        return MalformedError("The body is nested too deeply")
    found = _BYTE.search(str(error))
    at = int(found.group(1)) if found else len(text)
    reason = str(error)[: found.start()].strip() if found else str(error)
    return _malformed(body, reason, len(body) - len(text) + at)


def _malformed(body: bytes, reason: str, byte: int) -> MalformedError:
    line_start = body.rfind(b"\n", 0, byte) + 1
    column = len(body[line_start:byte].decode("utf-8", "replace")) + 1
    return MalformedError(reason.rstrip("."), byte=byte, line=body.count(b"\n", 0, byte) + 1, column=column)


def rejection_of(error: Exception) -> RejectedError:
    """The named refusal of a value that a decoder did not take."""
    text = str(error)
    unknown = re.search(r"unknown field `(.*?)`", text)
    if unknown:
        return RejectedError(Code.UNKNOWN_FIELD, unknown.group(1), f"“{unknown.group(1)}” is not a field of a request.")
    missing = re.search(r"missing required field `(.*?)`", text)
    if missing:
        return RejectedError(Code.MISSING, missing.group(1), f"{missing.group(1)} is missing.")
    path = re.search(r" - at `\$\.?(.*?)`$", text)
    field = re.sub(r"[.\[].*", "", path.group(1)) if path else ""
    if "Expected `object`" in text and not field:
        return RejectedError(Code.NOT_AN_OBJECT, "", "A record is a JSON object.")
    reason = text[: path.start()] if path else text
    return RejectedError(Code.INVALID, field, f"{field or 'The record'}: {reason}.")
