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

    Nothing waits for a parent that came in another body: counting must not depend on it.
    """
    by_key = {_key(span): span for span in spans}
    found = [(span, dialect) for span in spans if (dialect := _counting(span))]
    models = {id(span): dialect.models(span) for span, dialect in found}
    around = {id(span): _ancestors(span, by_key) for span, _ in found}
    outer = {
        id(one) for span, _ in found for one in around[id(span)] if models[id(span)] & models.get(id(one), frozenset())
    }
    return [(span, dialect, around[id(span)]) for span, dialect in found if id(span) not in outer]


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
