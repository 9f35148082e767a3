"""Public samples, where they are: the figures that were computed outside the product."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db.models import Count, Sum

from ingestion import imports
from ingestion.imports import Progress
from ingestion.models import LLMRequest
from ingestion.pricing.arithmetic import MAX_PICODOLLARS
from metricsportal.lib import histogram
from teams.models import Organization
from tests import make

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
CAPTURE = SAMPLES / "captures" / "litellm-generic-api-cooldown"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not beside the repository"),
]


def imported(organization: Organization, *paths: Path) -> Progress:
    total = Progress()
    for path in paths:
        *_, progress = imports.import_file(path, organization=organization, format_name="auto", now=make.NOW)
        total.accepted += progress.accepted
        total.duplicate += progress.duplicate
        total.rejected_by_code += progress.rejected_by_code
    return total


def sums(organization: Organization) -> dict[str, Any]:
    return LLMRequest.objects.filter(organization=organization).aggregate(
        requests=Count("id"), input=Sum("input_tokens"), output=Sum("output_tokens")
    )


def test_azure_code(acme: Organization) -> None:
    path = SAMPLES / "azure-code-2023.requests.csv"
    assert imported(acme, path).accepted == 8_819
    assert imported(acme, path).duplicate == 8_819
    assert sums(acme) == {"requests": 8_819, "input": 18_059_974, "output": 245_896}


def test_llmperf(acme: Organization) -> None:
    path = SAMPLES / "llmperf-public.requests.csv"
    truth = json.loads((SAMPLES / "llmperf-public.truth.json").read_text())["overall"]
    assert imported(acme, path).accepted == 1_045
    assert sums(acme)["output"] == truth["sum_output_tokens"]
    assert LLMRequest.objects.filter(failed=True).count() == 179
    latencies = LLMRequest.objects.order_by("latency_us").values_list("latency_us", "latency_bucket")
    for percentile in (50, 75, 90, 95, 99):
        exact, bucket = latencies[histogram.rank(len(latencies), percentile) - 1]
        assert exact is not None
        assert exact / 1000 == pytest.approx(truth["latency_ms"][f"p{percentile}_nearest_rank"], abs=0.001)
        assert bucket == histogram.bucket_of(np.array([exact]))[0]
    # Failures carry placeholder zeros; no success lost its time to first token.
    assert LLMRequest.objects.filter(failed=False, ttft_us=None).count() == 0
    assert LLMRequest.objects.filter(ttft_us=0).count() == 0


@pytest.fixture
def capture(acme: Organization) -> dict[str, LLMRequest]:
    """The stored requests of the LiteLLM capture by id; the price book has the prices of two of its models."""
    for model, prices in {
        "gpt-4o-mini": {"input": "0.15", "cache_read": "0.075", "output": "0.60"},
        "text-embedding-3-small": {"input": "0.02"},
    }.items():
        for token_class, usd in prices.items():
            make.price(model, token_class, usd)
    bodies = [CAPTURE / "raw" / name for name in ("001.body", "002.body")]
    first, second = imported(acme, *bodies), imported(acme, *bodies)
    assert (first.accepted, first.rejected, second.duplicate) == (32, 0, 32)
    rows = LLMRequest.objects.select_related("model", "virtual_model", "user", "team", "virtual_account", "error_type")
    return {row.request_id: row for row in rows}


def payloads() -> list[dict[str, Any]]:
    return [row for name in ("001.body", "002.body") for row in json.loads((CAPTURE / "raw" / name).read_bytes())]


def test_litellm_sums(capture: dict[str, LLMRequest]) -> None:
    rows = capture.values()
    assert sum(row.input_tokens or 0 for row in rows) == 326
    assert sum(row.output_tokens or 0 for row in rows) == 163
    assert sum(row.cache_read_tokens or 0 for row in rows) == 72
    assert sum(row.reported_cost or 0 for row in rows) == 766_930_000
    assert {row.streaming for row in rows if row.ttft_us is not None} == {True}
    assert Counter(row.status_code for row in rows if row.failed) == {429: 11, 500: 1, 400: 2, None: 1}


def test_litellm_rows_are_those_that_others_computed(capture: dict[str, LLMRequest]) -> None:
    expected = json.loads((CAPTURE / "expected.json").read_text())["payload_calls"]
    ids = {payload["id"]: payload["litellm_call_id"] for payload in payloads()}
    assert len(ids) == len(expected) == len(capture)
    for call in expected:
        row = capture[ids[call["id"]]]
        assert row.failed is (call["status"] == "failure"), call
        assert row.latency_us == round(call["latency_ms"] * 1000)
        assert (row.user and row.user.name, row.team and row.team.name) == (call["user"], call["team"])
        if not row.failed:
            assert row.model is not None
            assert f"{row.model.provider}/{row.model.name}" == call["model"]
            assert (row.input_tokens, row.output_tokens) == (call["input_tokens"], call["output_tokens"])
            assert (row.cache_read_tokens or 0) == (call["cached_tokens"] or 0)
            assert (row.reported_cost or 0) == round(call["cost"] * 1e12) < MAX_PICODOLLARS
            assert str(row.virtual_model) == call["virtual_model"]
        else:
            assert (row.input_tokens, row.cost_state, row.cost) == (None, "none", 0)
            assert str(row.error_type) == call["error_class"]


def test_litellm_failures(capture: dict[str, LLMRequest]) -> None:
    by_code = {payload["error_information"]["error_code"]: payload["litellm_call_id"] for payload in payloads()}
    assert capture[by_code["boom"]].status_code == 500
    assert capture[by_code["badreq"]].status_code == 400
    for row in capture.values():
        message = row.error_message or ""
        if message.startswith("No deployments available"):
            assert (row.status_code, row.model, str(row.virtual_model)) == (429, None, "chat-default")
        if message == "invalid key":
            assert (row.status_code, row.failed, row.failure_class) == (None, True, "other")


def test_litellm_costs(capture: dict[str, LLMRequest]) -> None:
    """Ours where the book has prices, the gateway's where it has none, unknown where neither has."""
    states: dict[str, set[tuple[str, bool]]] = {}
    for row in capture.values():
        if not row.failed:
            states.setdefault(str(row.model), set()).add((row.cost_state, row.cost == row.reported_cost))
    assert states == {
        "gpt-4o-mini (openai)": {("computed", True)},
        "text-embedding-3-small (openai)": {("computed", True)},
        "gpt-4o (openai)": {("reported", True)},
        "claude-3-5-sonnet-20241022 (anthropic)": {("unpriced", True)},
    }
    assert sum(row.cost or 0 for row in capture.values()) == 766_930_000
