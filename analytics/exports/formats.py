"""The bytes of a report, in pieces; a stream that breaks off lacks its last piece."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from analytics.exports.report import Answer, Report
from analytics.query.parsing import filter_text
from metricsportal.lib import csv_stream

JSON: Final = "json"
CONTENT_TYPES: Final = {
    JSON: "application/json",
    "csv": csv_stream.CONTENT_TYPE,
    "ndjson": "application/x-ndjson",
}
"""Every format that is written, with its content type."""
PIECE: Final = 64 * 1024  # bytes gathered before they are handed on
_MANIFEST_FILTERS: Final = 2000  # characters; a header has room for no more


def pieces(answer: Answer, name: str) -> Iterator[bytes]:
    """The file, in pieces of about `PIECE` bytes."""
    return gathered({JSON: _json, "csv": _csv, "ndjson": _ndjson}[name](answer))


def gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _csv(answer: Answer) -> Iterator[bytes]:
    return (line.encode() for line in csv_stream.lines(answer.report.header, answer.cells()))


def _ndjson(answer: Answer) -> Iterator[bytes]:
    for row in answer.json_rows():
        yield msgspec.json.encode(row) + b"\n"
    yield msgspec.json.encode({"meta": answer.meta(), "totals": answer.totals()}) + b"\n"


def _json(answer: Answer) -> Iterator[bytes]:
    yield b'{"rows":['
    separator = b""
    for row in answer.json_rows():
        yield separator + msgspec.json.encode(row)
        separator = b","
    yield b'],"totals":' + msgspec.json.encode(answer.totals())
    yield b',"meta":' + msgspec.json.encode(answer.meta()) + b"}"


def manifest(answer: Answer) -> str:
    """One line of ASCII that says what the file is the answer to."""
    report, query = answer.report, answer.report.query
    filters = [filter_text(one) for one in query.filters]
    meta = answer.meta()
    document: dict[str, Any] = {
        "timezone": meta["timezone"],
        "start": meta["start"],
        "end": meta["end"],
        "filters": filters if len(json.dumps(filters)) <= _MANIFEST_FILTERS else None,
        "price_book_version": meta["price_book_version"],
        "totals": answer.totals(),
        "query_sha256": _fingerprint(report, filters),
    }
    return json.dumps(document, ensure_ascii=True)


def _fingerprint(report: Report, filters: list[str]) -> str:
    """SHA-256 of the question in canonical form: the same question of the same scope has the same one."""
    query = report.query
    question = [
        query.scope.organization_id,
        query.scope.reach.value,
        sorted(query.scope.team_ids),
        query.scope.caller,
        query.period.start.isoformat(),
        query.period.end.isoformat(),
        report.header,
        query.population.value,
        query.compare.value,
        sorted(filters),
    ]
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()
