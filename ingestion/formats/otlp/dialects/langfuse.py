"""The OpenTelemetry spans of Langfuse's SDKs: values are JSON inside text.

https://langfuse.com/integrations/native/opentelemetry
"""

from datetime import datetime
from typing import Any, Final

from ingestion.formats.langfuse.words import OPERATIONS, cost, counts, without_payloads
from ingestion.formats.otlp.dialects.base import Ancestors, Dialect, said, set_metadata, set_outcome, start
from ingestion.formats.otlp.span import Span, parsed, text, under
from ingestion.formats.values import mapping_of
from ingestion.records import RequestRecord
from ingestion.usage import units

_PREFIX: Final = "langfuse.observation."


def _type(span: Span) -> str:
    return (text(span.attributes, _PREFIX + "type") or "").lower()


def _record(span: Span, ancestors: Ancestors) -> RequestRecord:
    attributes, record = span.attributes, start(span, ancestors)
    record.operation = OPERATIONS[_type(span)].value
    record.model = text(attributes, _PREFIX + "model.name", "gen_ai.response.model", "gen_ai.request.model")
    record.provider = text(attributes, "gen_ai.provider.name", "gen_ai.system")
    record.user = said(span, ancestors, "user.id", "langfuse.user.id", "langfuse.trace.user_id") or record.user
    told = mapping_of(parsed(attributes.get(_PREFIX + "usage_details")))
    for field, value in counts(told).items():
        setattr(record, field, value)
    record.units, record.usage = units(told), dict(told) or None
    record.reported_cost_usd = cost(mapping_of(parsed(attributes.get(_PREFIX + "cost_details"))))
    _set_first_token(record, parsed(attributes.get(_PREFIX + "completion_start_time")))
    if (text(attributes, _PREFIX + "level") or "").upper() == "ERROR":
        span.is_error, span.message = True, text(attributes, _PREFIX + "status_message") or span.message
        set_outcome(record, span)
    set_metadata(record, span, _metadata((span, *ancestors)))
    return record


def _set_first_token(record: RequestRecord, value: object) -> None:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            record.ttft_ms = (moment - record.started_at).total_seconds() * 1000
            record.streaming = True
        except (ValueError, TypeError):  # no time, or one without offset
            return


def _metadata(spans: Ancestors) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for span in reversed(spans):
        about = under(span.attributes, "langfuse.trace.metadata.") | under(span.attributes, _PREFIX + "metadata.")
        values |= {key: parsed(value) for key, value in without_payloads(about).items()}
        tags = span.attributes.get("langfuse.trace.tags")
        values |= {"tags": parsed(tags)} if tags else {}
    return values


LANGFUSE: Final = Dialect(
    "langfuse",
    lambda span: any(name.startswith(_PREFIX) for name in span.attributes),
    lambda span: _type(span) in OPERATIONS,
    lambda span: frozenset(filter(None, [text(span.attributes, _PREFIX + "model.name", "gen_ai.request.model")])),
    _record,
)
