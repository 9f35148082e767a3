"""OTLP bodies to records."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from ingestion.formats.base import Format
from ingestion.formats.otlp import json_spans, protobuf
from ingestion.formats.otlp.choice import Call, calls
from ingestion.formats.otlp.span import Span
from ingestion.pipeline import Item
from ingestion.records import RejectedError, RequestRecord

_Decode = Callable[[bytes], Iterator[Span]]


def _format(decode: _Decode) -> Format:
    def read(body: bytes) -> Iterator[Item]:
        return _items(decode(body))

    def read_file(file: BinaryIO) -> Iterator[Item]:
        return _items(decode(file.read()))

    return Format("otlp", read, read_file)


def _items(spans: Iterator[Span]) -> Iterator[Item]:
    """Spans that are no calls to models are taken and ignored: they are no records."""
    for index, call in enumerate(calls(list(spans))):
        try:
            yield index, _record(call)
        except RejectedError as error:
            yield index, error


def _record(call: Call) -> RequestRecord:
    span, dialect, ancestors = call
    record = dialect.record(span, ancestors)
    if not 0 < (record.ttft_ms or 0) < (record.latency_ms or 0):
        record.ttft_ms = None  # clocks differ: a first token outside the call is no reason to refuse the call
    return record


OTLP_PROTOBUF: Final = _format(protobuf.spans)
OTLP_JSON: Final = _format(json_spans.spans)
