"""OTLP bodies to records."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Final

from ingestion.formats.base import Format
from ingestion.formats.head import Head
from ingestion.formats.mapping import Reading, apply
from ingestion.formats.otlp import counting, json_spans, protobuf
from ingestion.formats.otlp.choice import Call, calls
from ingestion.formats.otlp.span import Attributes, Span, first
from ingestion.pipeline import Item
from ingestion.records import RejectedError, RequestRecord

_Decode = Callable[[bytes], Iterator[Span]]
# Attributes in which the vocabularies tell token counts.
_USAGE: Final = re.compile(r"(?:gen_ai\.usage|llm\.usage|llm\.token_count|ai\.usage)\.|tfy\.model\.metric\.\w*tokens\Z")


def _format(decode: _Decode, check: Callable[[bytes], None], *names: str) -> Format:
    def of_body(body: bytes, reading: Reading) -> Iterator[Item]:
        check(body)
        return _items(decode(body), reading)

    def of_file(file: BinaryIO, reading: Reading) -> Iterator[Item]:
        return _items(decode(file.read()), reading)

    def recognises(head: Head) -> bool:
        return head.is_json and not head.names.isdisjoint(names)

    return Format("otlp", of_body, of_file, recognises)


def _items(spans: Iterator[Span], reading: Reading) -> Iterator[Item]:
    """Spans that are no calls to models are taken and ignored: they are no records."""
    found = calls(list(spans))
    items = [_item(call, reading) for call in found]
    _number_attempts(found, items)
    return iter(enumerate(items))


def _item(call: Call, reading: Reading) -> RequestRecord | RejectedError:
    try:
        return _record(call, reading)
    except RejectedError as error:
        return error


def _number_attempts(found: Sequence[Call], items: Sequence[RequestRecord | RejectedError]) -> None:
    """Tries of one caller request in their order, where the gateway shows them side by side below one span.

    After a success the next call is a new one: an agent asks more than once.
    """
    tries: dict[tuple[str, str], list[tuple[int, RequestRecord]]] = {}
    for (span, dialect, ancestors), item in zip(found, items, strict=True):
        if dialect.shows_tries and ancestors and isinstance(item, RequestRecord):
            tries.setdefault((span.trace_id, ancestors[-1].span_id), []).append((span.start_ns, item))
    for group in tries.values():
        number = 1
        for _, record in sorted(group, key=lambda one: one[0]):
            record.attempt = number
            number = number + 1 if record.error_type else 1


def _record(call: Call, reading: Reading) -> RequestRecord:
    span, dialect, ancestors = call
    record = dialect.record(span, ancestors)
    if record.usage is None:
        record.usage = {name: value for name, value in span.attributes.items() if _USAGE.match(name)} or None
    if reading.rules:
        places = [span.attributes, *(one.attributes for one in ancestors), span.resource]
        apply(record, reading.rules, lambda name: _nearest(places, name))
    if not 0 < (record.ttft_ms or 0) < (record.latency_ms or 0):
        record.ttft_ms = None  # clocks differ: a first token outside the call is no reason to refuse the call
    return record


def _nearest(places: Sequence[Attributes], name: str) -> Any:  # noqa: ANN401 - as sent
    """What the call itself says, else the spans around it, at last the resource."""
    return next((found for one in places if (found := first(one, name)) is not None), None)


OTLP_PROTOBUF: Final = _format(protobuf.spans, counting.refuse_too_many_spans)
OTLP_JSON: Final = _format(json_spans.spans, json_spans.refuse_too_many_spans, "resourceSpans")
