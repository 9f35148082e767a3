"""One call = one request: which spans of a body are counted, whatever number of spans describes a call."""

from collections.abc import Sequence
from typing import Final

from ingestion.formats.otlp.dialects import DIALECTS, Dialect
from ingestion.formats.otlp.span import Span

Key = tuple[str, str]
Call = tuple[Span, Dialect, Sequence[Span]]
"""A span that is a call to a model, its vocabulary, and the spans around it that came with it."""

_DEEPEST: Final = 64


def calls(spans: Sequence[Span]) -> list[Call]:
    """The calls in the order of their spans. A call inside another one of the same model is the one that is counted.

    But for a gateway's own span: it knows who called, and what a client library inside it tells is the same call.
    Nothing waits for a parent that came in another body: counting must not depend on it.
    """
    by_key = {_key(span): span for span in spans}
    found = {id(span): (span, dialect, _ancestors(span, by_key)) for span in spans if (dialect := _counting(span))}
    models = {number: dialect.models(span) for number, (span, dialect, _) in found.items()}
    repeated: set[int] = set()
    for number, (_, dialect, ancestors) in found.items():
        for around in map(id, ancestors):
            if around in found and models[number] & models[around]:
                other = found[around][1]
                repeated.add(number if other.is_gateway and other is not dialect else around)
    return [call for number, call in found.items() if number not in repeated]


def _key(span: Span) -> Key:
    return span.trace_id, span.span_id


def _dialect(span: Span) -> Dialect:
    return next(dialect for dialect in DIALECTS if dialect.speaks(span))


def _counting(span: Span) -> Dialect | None:
    dialect = _dialect(span)
    return dialect if dialect.counts(span) else None


def _ancestors(span: Span, by_key: dict[Key, Span]) -> Sequence[Span]:
    """The nearest first. A chain that comes back to itself says nothing."""
    found: list[Span] = []
    seen = {span.span_id}
    while span.parent_id and len(found) < _DEEPEST:
        if span.parent_id in seen:
            return ()
        parent = by_key.get((span.trace_id, span.parent_id))
        if parent is None:
            break
        found.append(parent)
        seen.add(parent.span_id)
        span = parent
    return found
