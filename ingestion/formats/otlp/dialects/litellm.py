"""LiteLLM's own OpenTelemetry spans, of the old callback and of version 2."""

from collections.abc import Mapping
from typing import Any, Final

from ingestion.formats.litellm import operation_of
from ingestion.formats.otlp.dialects import genai
from ingestion.formats.otlp.dialects.base import Ancestors, Dialect, set_metadata, set_outcome
from ingestion.formats.otlp.span import Span, first, flag, text, under
from ingestion.formats.values import decimal
from ingestion.records import TOKEN_FIELDS, RequestRecord

_CLIENT: Final = 3  # SPAN_KIND_CLIENT
_OLD: Final = "litellm_request"
_PRIVATE: Final = ("user_api_key", "headers", "requester_ip_address", "user_agent")


def _counts(span: Span) -> bool:
    # Beside them: authentication, routing and database spans, and `raw_gen_ai_request`, which repeats the call.
    newer = span.kind == _CLIENT and "gen_ai.operation.name" in span.attributes
    return (newer and span.name != "raw_gen_ai_request") or span.name == _OLD


def _record(span: Span, ancestors: Ancestors) -> RequestRecord:
    attributes, record = span.attributes, genai.record_of(span, ancestors)
    about = under(attributes, "metadata.") | under(attributes, "litellm.metadata.")
    # The callback of the same proxy sends the same id: whoever enables both is counted once.
    record.request_id = text(attributes, "litellm.call_id") or record.request_id
    served = text(attributes, "litellm.provider.model")
    asked = text(attributes, "gen_ai.request.model")
    record.operation = operation_of(record.operation)
    # Of embeddings and of failures the old callback names the provider only here.
    record.provider = record.provider or text(attributes, "error.llm_provider") or _head(served)
    record.model, record.virtual_model = served or record.model, asked if served else None
    record.user = text(about, "user_api_key_user_id") or record.user
    record.virtual_account = text(about, "user_api_key_alias") or text(attributes, "litellm.api_key.hash")
    record.virtual_account = record.virtual_account or text(about, "user_api_key_hash")
    record.team = text(attributes, "litellm.team.alias", "litellm.team.id") or text(about, "user_api_key_team_alias")
    streamed = flag(attributes, "litellm.request.streaming")
    record.streaming = record.streaming if streamed is None else streamed
    cost = decimal(first(attributes, "litellm.cost.total"))
    record.reported_cost_usd = record.reported_cost_usd if cost is None else cost
    set_outcome(record, span, "litellm.provider.error.code")
    _forget_zeros(record)
    route = {"litellm.request.route": text(attributes, "litellm.request.route")}
    set_metadata(record, span, _metadata(about) | route)
    return record


def _head(served: str | None) -> str | None:
    """The provider in front of a model's name."""
    return (served or "").rpartition("/")[0].partition("/")[0] or None


def _forget_zeros(record: RequestRecord) -> None:
    """Of a failure LiteLLM counts no tokens but writes zeros."""
    for field in TOKEN_FIELDS if record.error_type else ():
        setattr(record, field, getattr(record, field) or None)


def _metadata(about: Mapping[str, Any]) -> dict[str, Any]:
    """Scalars alone: objects come as JSON or as Python writes them, headers and client addresses among them."""
    return {
        key: value
        for key, value in about.items()
        if not key.startswith(_PRIVATE) and not (isinstance(value, str) and value.lstrip().startswith(("{", "[")))
    }


def _models(span: Span) -> frozenset[str]:
    """The alias that was asked for and the model that served it: a span inside names one of them."""
    served = text(span.attributes, "litellm.provider.model")
    return genai.models(span) | ({served, served.rpartition("/")[2]} if served else set())


LITELLM: Final = Dialect(
    "litellm", lambda span: span.scope.startswith("litellm"), _counts, _models, _record, is_gateway=True
)
