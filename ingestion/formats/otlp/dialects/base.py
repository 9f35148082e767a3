"""What a vocabulary is, and what the records of all of them have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.formats.errors import STATUS_OF_CLASS, status_of
from ingestion.formats.otlp.span import Span, first, text
from ingestion.formats.values import metadata_of, shortened
from ingestion.records import RequestRecord

Ancestors = Sequence[Span]
"""The spans around a span that came in the same body, the nearest first."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One vocabulary: whether a span uses it, whether the span is a call to a model, and its record.

    `models` names the models of a span; of a call that is described twice, once inside the other, the inner is counted.
    `is_gateway`: its spans know more of a call than those that a client library makes inside them.
    `shows_tries`: retries and fallbacks of one request are calls below one span.
    """

    name: str
    speaks: Callable[[Span], bool]
    counts: Callable[[Span], bool]
    models: Callable[[Span], frozenset[str]]
    record: Callable[[Span, Ancestors], RequestRecord]
    is_gateway: bool = False
    shows_tries: bool = False


USER = ("user.id", "enduser.id", "gen_ai.user", "gen_ai.request.user", "user.email")
TEAM = ("team.id",)
_RESOURCE_METADATA = (
    ("service.name", ("service.name",)),
    ("deployment.environment.name", ("deployment.environment.name", "deployment.environment")),
)


def start(span: Span, ancestors: Ancestors) -> RequestRecord:
    """Identity, times, outcome, and who called: the span's own words first, then those of the spans around it."""
    record = RequestRecord(
        request_id=span.request_id,
        started_at=span.started_at,
        latency_ms=span.latency_ms,
        trace_id=span.trace_id,
        span_id=span.span_id,
        user=said(span, ancestors, *USER),
        team=said(span, ancestors, *TEAM),
    )
    set_outcome(record, span)
    return record


def said(span: Span, ancestors: Ancestors, *names: str) -> str | None:
    """The first of the attributes that the span, a span around it or the resource has, as text."""
    places = (span.attributes, *(one.attributes for one in ancestors), span.resource)
    return next((found for place in places if (found := text(place, *names))), None)


def set_outcome(record: RequestRecord, span: Span, *codes: str) -> None:
    """Status, class and message of the outcome. `codes`: attributes that may hold the status, before the usual ones."""
    attributes = span.attributes
    thrown = next((event.attributes for event in span.events if event.name == "exception"), {})
    named = text(attributes, "error.type")
    code = first(attributes, *codes, "http.response.status_code", "http.status_code")
    if not span.is_error and named is None and (status_of(code) or 0) < 400:
        record.status_code = status_of(code) or 200
        return
    # A status number is no class: the exception's own name says more.
    kind = text(thrown, "exception.type") if named is None or named.isdigit() else named
    message = text(attributes, "error.message") or span.message or text(thrown, "exception.message")
    record.error_type = (short_class(kind) if kind else named or "error")[:128]
    record.error_message = message
    record.status_code = status_of(code) or status_of(named) or status_of(message, head=True)
    record.status_code = record.status_code or STATUS_OF_CLASS.get(record.error_type)


def short_class(name: str) -> str:
    """openai.RateLimitError -> RateLimitError."""
    return name.rpartition(".")[2] or name


def set_metadata(record: RequestRecord, span: Span, values: Mapping[str, Any]) -> None:
    """Metadata from the resource and from what the dialect names."""
    about = {key: text(span.resource, *names) for key, names in _RESOURCE_METADATA}
    record.metadata = shortened(metadata_of({**about, **values}), first="service.name")
