"""One meaning per field, whatever the source."""

from decimal import Decimal
from typing import Any

import pytest

from ingestion.normalisation import STEPS, counts_cache_apart, failed, failure_class
from ingestion.records import FailureClass, RequestRecord
from tests import make


def normalised(**fields: Any) -> RequestRecord:
    record = make.record(**fields)
    for step in STEPS:
        step(record)
    return record


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"provider": "openai", "model": "openai/gpt-4o"}, ("openai", "gpt-4o", None)),
        ({"provider": "Bedrock", "model": "Bedrock/anthropic.claude"}, ("aws", "anthropic.claude", None)),
        ({"provider": "openai", "model": "azure/gpt-4o"}, ("openai", "azure/gpt-4o", None)),
        ({"provider": "vertex_ai", "model": "gemini-2.5-pro"}, ("google-vertex", "gemini-2.5-pro", None)),
        ({"provider": "xai", "model": "xai/"}, ("x-ai", "xai/", None)),
        ({"provider": None, "model": "anyscale/llama"}, (None, "anyscale/llama", None)),
        ({"provider": "", "model": ""}, (None, None, None)),
        ({"model": "openai/gpt-4o", "virtual_model": "gpt-4o"}, ("openai", "gpt-4o", None)),
        ({"model": "gpt-4o", "virtual_model": "chat"}, ("openai", "gpt-4o", "chat")),
        ({"model": None, "virtual_model": ""}, ("openai", None, None)),
    ],
)
def test_models(sent: dict[str, Any], stored: tuple[str | None, ...]) -> None:
    record = normalised(**sent)
    assert (record.provider, record.model, record.virtual_model) == stored


@pytest.mark.parametrize(
    ("sent", "operation", "metadata"),
    [
        ("completion", "chat", {}),
        ("embedding", "embeddings", {}),
        ("rerank", "rerank", {}),
        ("", "other", {}),
        ("sing", "other", {"operation_raw": "sing"}),
    ],
)
def test_operations(sent: str, operation: str, metadata: dict[str, str]) -> None:
    record = normalised(operation=sent)
    assert (record.operation, record.metadata) == (operation, metadata)


@pytest.mark.parametrize(
    ("streaming", "ttft", "latency", "kept"),
    [
        (True, 200.0, 2_000.0, 200.0),
        (True, 0.0, 2_000.0, None),
        (True, 2_000.0, 2_000.0, None),
        (True, 200.0, None, None),
        (False, 200.0, 2_000.0, None),
        (None, 200.0, 2_000.0, None),
    ],
)
def test_ttft_belongs_to_streams(
    streaming: bool | None, ttft: float, latency: float | None, kept: float | None
) -> None:
    assert normalised(streaming=streaming, ttft_ms=ttft, latency_ms=latency).ttft_ms == kept


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"reported_cost_usd": Decimal(0)}, None),
        ({"reported_cost_usd": Decimal(0), "status_code": 500, "input_tokens": None, "output_tokens": None}, None),
        ({"reported_cost_usd": Decimal(0), "input_tokens": 0, "output_tokens": 0}, Decimal(0)),
        ({"reported_cost_usd": Decimal("0.0000000000005")}, Decimal(0)),
        ({"reported_cost_usd": Decimal("0.0000000000015")}, Decimal("0.000000000002")),
        ({"reported_cost_usd": Decimal("1.35e-05")}, Decimal("0.0000135")),
    ],
)
def test_reported_costs(fields: dict[str, Any], kept: Decimal | None) -> None:
    assert normalised(**fields).reported_cost_usd == kept


@pytest.mark.parametrize(
    ("read", "write", "inputs", "apart"),
    [(600, 400, 1_000, False), (600, 401, 2_001, True), (None, 5_000, 6_000, True), (None, None, 1_000, False)],
)
def test_more_cached_than_input_tokens_are_counted_apart(
    read: int | None, write: int | None, inputs: int, apart: bool
) -> None:
    sent = {"input_tokens": 1_000, "cache_read_tokens": read, "cache_write_tokens": write}
    assert counts_cache_apart(make.record(**sent)) is apart
    assert normalised(**sent).input_tokens == inputs


def test_error_messages_are_cut_between_characters() -> None:
    record = normalised(status_code=500, error_message="ä" * 600)
    assert record.error_message == "ä" * 512
    assert normalised(status_code=500, error_message="a\0\ud800").error_message == "a�?"
    assert normalised(status_code=200, error_message="fine").error_message is None


def test_empty_names_are_unknown() -> None:
    record = normalised(user="", team="", virtual_account="", error_type="", trace_id="")
    assert (record.user, record.team, record.virtual_account, record.error_type, record.trace_id) == (None,) * 5
    assert not failed(record)


@pytest.mark.parametrize(
    ("status", "error_type", "expected"),
    [
        (499, None, FailureClass.CANCELLED),
        (200, "client_cancelled", FailureClass.CANCELLED),
        (408, None, FailureClass.TIMEOUT),
        (504, "ServerError", FailureClass.TIMEOUT),
        (500, "APITimeoutError", FailureClass.TIMEOUT),
        (429, "RateLimitError", FailureClass.RATE_LIMITED),
        (400, None, FailureClass.CLIENT),
        (422, "Invalid", FailureClass.CLIENT),
        (500, None, FailureClass.SERVER),
        (599, None, FailureClass.SERVER),
        (None, "boom", FailureClass.OTHER),
        (200, "boom", FailureClass.OTHER),
    ],
)
def test_failure_classes(status: int | None, error_type: str | None, expected: FailureClass) -> None:
    assert failed(make.record(status_code=status, error_type=error_type))
    assert failure_class(status, error_type) is expected
