"""The activity export of OpenRouter: one row per generation, CSV. Times are milliseconds, costs US dollars."""

from typing import Final

from ingestion.formats.base import Format
from ingestion.formats.exports.base import Export, any_format, metadata
from ingestion.formats.exports.row import Row
from ingestion.records import Code, RejectedError, RequestRecord

_READS: Final = frozenset(
    {
        *("generation_id", "created_at", "model_permaslug", "provider_name", "api_key_name", "user", "app_name"),
        *("variant", "tokens_prompt", "tokens_completion", "tokens_reasoning", "tokens_cached", "cost_total"),
        *("generation_time_ms", "time_to_first_token_ms", "streamed", "cancelled"),
    }
)
# Providers by the names that OpenRouter shows; others are theirs in lower case.
_PROVIDERS: Final = {"amazon bedrock": "aws", "google": "google-vertex", "google ai studio": "google"}


def _record(row: Row) -> RequestRecord:
    started_at = row.instant("created_at")
    if started_at is None:
        raise RejectedError(Code.MISSING, "created_at", "created_at is missing.")
    provider = (row.text("provider_name") or "").lower()
    cancelled = row.truth("cancelled")
    return RequestRecord(
        request_id=row.identity("generation_id"),
        started_at=started_at,
        model=row.text("model_permaslug"),
        provider=_PROVIDERS.get(provider, provider) or None,
        user=row.text("user"),
        virtual_account=row.text("api_key_name"),
        metadata=metadata(hit=False, app_name=row.text("app_name"), variant=row.text("variant")),
        input_tokens=row.whole("tokens_prompt"),
        output_tokens=row.whole("tokens_completion"),
        cache_read_tokens=row.whole("tokens_cached"),
        reasoning_tokens=row.whole("tokens_reasoning"),
        latency_ms=row.number("generation_time_ms"),
        ttft_ms=row.number("time_to_first_token_ms"),
        streaming=row.truth("streamed"),
        status_code=499 if cancelled else 200,
        error_type="cancelled" if cancelled else None,
        reported_cost_usd=row.decimal("cost_total"),
    )


OPENROUTER: Final[Format] = any_format(
    Export("openrouter", "an activity export of OpenRouter", (("generation_id", "model_permaslug"),), _READS, _record)
)
