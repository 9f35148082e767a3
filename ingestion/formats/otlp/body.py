"""OTLP bodies to records."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from ingestion.formats.base import Format
from ingestion.formats.mapping import Reading, apply
from ingestion.formats.otlp import counting, json_spans, protobuf
from ingestion.formats.otlp.choice import Call, calls
from ingestion.formats.otlp.span import Span
from ingestion.pipeline import Item
from ingestion.records import RejectedError, RequestRecord

_Decode = Callable[[bytes], Iterator[Span]]


def _format(decode: _Decode, check: Callable[[bytes], None] = lambda body: None) -> Format:
    def of_body(body: bytes, reading: Reading) -> Iterator[Item]:
        check(body)
        return _items(decode(body), reading)

    def of_file(file: BinaryIO, reading: Reading) -> Iterator[Item]:
        return _items(decode(file.read()), reading)

    return Format("otlp", of_body, of_file)


def _items(spans: Iterator[Span], reading: Reading) -> Iterator[Item]:
    """Spans that are no calls to models are taken and ignored: they are no records."""
    for index, call in enumerate(calls(list(spans))):
        try:
            yield index, _record(call, reading)
        except RejectedError as error:
            yield index, error


def _record(call: Call, reading: Reading) -> RequestRecord:
    span, dialect, ancestors = call
    record = dialect.record(span, ancestors)
    if reading.rules:
        # The nearest one speaks: the call itself, the spans around it, at last the resource.
        places = [span.attributes, *(one.attributes for one in ancestors), span.resource]
        apply(record, reading.rules, lambda name: next((one[name] for one in places if name in one), None))
    if not 0 < (record.ttft_ms or 0) < (record.latency_ms or 0):
        record.ttft_ms = None  # clocks differ: a first token outside the call is no reason to refuse the call
    return record


OTLP_PROTOBUF: Final = _format(protobuf.spans, counting.refuse_too_many_spans)
OTLP_JSON: Final = _format(json_spans.spans, json_spans.refuse_too_many_spans)
