"""What a rule can fill, in the words and groups of the page."""

from typing import Final

from ingestion.formats.mapping import METADATA

METADATA_KEY: Final = "metadata"
"""Value of the choice that needs a key beside it."""
GROUPS: Final = {
    "Who": {
        "user": "User",
        "user_email": "User e-mail",
        "virtual_account": "Virtual account",
        "team": "Team",
    },
    "Model and call": {
        "model": "Model",
        "virtual_model": "Virtual model",
        "provider": "Provider",
        "operation": "Operation",
        "service_tier": "Service tier",
        "attempt": "Attempt",
        "trace_id": "Trace id",
        "span_id": "Span id",
    },
    "Tokens": {
        "input_tokens": "Input tokens",
        "output_tokens": "Output tokens",
        "cache_read_tokens": "Cache read tokens",
        "cache_write_tokens": "Cache write tokens",
        "cache_write_1h_tokens": "Cache write tokens, one hour",
        "reasoning_tokens": "Reasoning tokens",
        "audio_input_tokens": "Audio input tokens",
        "audio_output_tokens": "Audio output tokens",
        "image_input_tokens": "Image input tokens",
        "image_output_tokens": "Image output tokens",
    },
    "Times": {
        "latency_ms": "Latency in ms",
        "ttft_ms": "Time to first token in ms",
        "itl_ms": "Inter-token latency in ms",
        "streaming": "Streaming",
    },
    "Outcome and cost": {
        "status_code": "Status code",
        "error_type": "Error type",
        "error_message": "Error message",
        "reported_cost_usd": "Reported cost in USD",
    },
}
_LABELS: Final = {name: label for group in GROUPS.values() for name, label in group.items()}
CHOICES: Final = [
    ("", "Choose …"),
    *((title, list(group.items())) for title, group in GROUPS.items()),
    ("Metadata", [(METADATA_KEY, "Metadata key …")]),
]
FORMATS: Final = {"native": "the portal's own format", "litellm": "LiteLLM", "otlp": "OpenTelemetry"}
"""Formats in the words of the page."""


def label_of(target: str) -> str:
    """“Team”, or the key with “metadata” before it."""
    if target.startswith(METADATA):
        return f"metadata {target.removeprefix(METADATA)}"
    return _LABELS.get(target, target)
