"""Exports through the import command: recognised, stored, repeated, with and without unknown columns."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingestion.models import IngestBatch, LLMRequest
from ingestion.records import CostState, RequestRecord
from teams.models import Organization
from tests.ingestion.exports.rows import CSV, PROMPT, SAMPLES, as_csv, as_lines, one, read
from tests.ingestion.test_litellm import payload

pytestmark = pytest.mark.django_db(transaction=True)
IDS = {"litellm-spend": "request_id", "openrouter": "generation_id", "helicone": "request_id"} | {
    "portkey": "id",
    "langfuse": "id",
    "envoy": "x-request-id",
}
UNKNOWN = {
    "litellm-spend": {"agent_id": "a-1"},
    "openrouter": {"cost_cache": "-0.000001", "finish_reason_normalized": "stop"},
    "helicone": {"feedback_rating": "true"},
    "portkey": {"prompt_slug": "faq-v2"},
    "langfuse": {"project_id": "p-1", "name": "answer"},
    "envoy": {"gen_ai.provider.name": "default/openai", "route_name": "chat"},
}
BODIES = [(name, as_lines) for name in SAMPLES] + [(name, as_csv) for name in CSV]


@pytest.fixture
def run(acme: Organization, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Import a file of that content and return the printed counts."""

    def run_(content: bytes, *options: str) -> dict[str, Any]:
        path, out = tmp_path / "file", io.StringIO()
        path.write_bytes(content)
        call_command("import_requests", str(path), "--organization", "acme", "--json", *options, stdout=out)
        printed: dict[str, Any] = json.loads(out.getvalue())
        return {name: printed[name] for name in ("accepted", "duplicate", "conflict", "rejected")}

    return run_


def outcome(**counts: int) -> dict[str, int]:
    return {"accepted": 0, "duplicate": 0, "conflict": 0, "rejected": 0} | counts


@pytest.mark.parametrize(("name", "write"), BODIES)
def test_a_file_again_is_only_duplicates(
    run: Callable[..., dict[str, Any]], name: str, write: Callable[..., bytes]
) -> None:
    body = write(SAMPLES[name](), SAMPLES[name](**{IDS[name]: "another"}))
    assert run(gzip.compress(body)) == outcome(accepted=2)
    assert run(body) == run(body, "--format", name) == outcome(duplicate=2)
    assert set(IngestBatch.objects.values_list("source", flat=True)) == {f"import:{name}"}
    assert LLMRequest.objects.count() == 2


@pytest.mark.parametrize(("name", "write"), BODIES)
def test_rows_without_an_id_are_told_apart_by_their_content(
    run: Callable[..., dict[str, Any]], name: str, write: Callable[..., bytes]
) -> None:
    rows = [SAMPLES[name](**{IDS[name]: None, "response_id": None, "note": text}) for text in ("a", "b", "b")]
    assert run(write(*rows)) == outcome(accepted=2, duplicate=1)
    reordered = [dict(reversed(row.items())) for row in rows]
    assert run(write(*reordered)) == outcome(duplicate=3)
    assert all(id_.startswith("row-") for id_ in LLMRequest.objects.values_list("request_id", flat=True))


def test_an_id_that_is_the_word_none_is_no_id() -> None:
    record = one("litellm-spend", SAMPLES["litellm-spend"](request_id="None"))
    assert record.request_id.startswith("row-")


@pytest.mark.parametrize(("name", "write"), BODIES)
def test_unknown_columns_are_kept_only_when_asked(
    run: Callable[..., dict[str, Any]], name: str, write: Callable[..., bytes]
) -> None:
    row = SAMPLES[name](**UNKNOWN[name], heap={"a": PROMPT}, pile=[PROMPT, "b"], cut='{"a": "b')
    assert run(write(row)) == outcome(accepted=1)
    assert not UNKNOWN[name].keys() & LLMRequest.objects.get().metadata.keys()
    LLMRequest.objects.all().delete()
    assert run(write(row), "--keep-unknown") == outcome(accepted=1)
    stored = LLMRequest.objects.get()
    (record,) = read(name, write(row))
    assert isinstance(record, RequestRecord)
    assert stored.metadata == record.metadata | UNKNOWN[name]
    assert PROMPT not in json.dumps(stored.metadata)


def test_unknown_members_of_our_own_and_of_litellms_records(run: Callable[..., dict[str, Any]]) -> None:
    ours = {"request_id": "r", "started_at": "2026-11-23T09:23:10Z", "floor": 3, "prompt": PROMPT, "place": {"x": 1}}
    assert run(as_lines(ours)) == outcome(rejected=1)
    assert run(as_lines(ours), "--keep-unknown") == outcome(accepted=1)
    assert LLMRequest.objects.get().metadata == {"floor": "3"}
    LLMRequest.objects.all().delete()
    assert run(as_lines(payload(cache_key="k")), "--keep-unknown") == outcome(accepted=1)
    kept = LLMRequest.objects.get().metadata
    assert kept["cache_key"] == "k"
    assert "secret" not in json.dumps(kept)


def test_unknown_columns_of_our_own_csv(run: Callable[..., dict[str, Any]]) -> None:
    body = b"request_id,timestamp,status,metadata.env,floor\nr,2026-11-23T09:23:10Z,success,prod,3\n"
    with pytest.raises(CommandError, match="“floor”"):
        run(body)
    assert run(body, "--keep-unknown") == outcome(accepted=1)
    assert LLMRequest.objects.get().metadata == {"env": "prod", "floor": "3"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("litellm-spend", {"cache_hit": "True"}),
        ("helicone", {"cache_reference_id": "5f0c"}),
        ("portkey", {"cache_status": "HIT"}),
    ],
)
def test_what_the_gateways_own_cache_answered_costs_nothing(
    run: Callable[..., dict[str, Any]], name: str, fields: dict[str, Any]
) -> None:
    assert run(as_lines(SAMPLES[name](**fields))) == outcome(accepted=1)
    stored = LLMRequest.objects.get()
    assert (stored.cost_state, stored.cost, stored.input_tokens) == (CostState.NONE.value, 0, 72)
    assert stored.metadata["gateway_cache"] == "hit"


def test_portkeys_cents_become_dollars(run: Callable[..., dict[str, Any]]) -> None:
    run(as_lines(SAMPLES["portkey"](cost=12.5)))
    assert LLMRequest.objects.get().reported_cost == 125 * 10**9  # picodollars


def test_a_cost_of_zero_beside_tokens_is_unknown(run: Callable[..., dict[str, Any]]) -> None:
    for name in ("litellm-spend", "openrouter", "helicone", "portkey"):
        run(as_lines(SAMPLES[name](spend=0.0, cost_total="0", costUSD=0, cost=0)))
    assert list(LLMRequest.objects.values_list("reported_cost", flat=True)) == [None] * 4


def test_values_over_the_limits_are_refused_by_field(run: Callable[..., dict[str, Any]]) -> None:
    good = SAMPLES["helicone"](request_id="good")
    bad = [
        SAMPLES["helicone"](request_user_id="u" * 257),
        SAMPLES["helicone"](request_id="ü"),
        SAMPLES["helicone"](prompt_tokens=10**13),
        SAMPLES["helicone"](delay_ms=-1, time_to_first_token=None),
        SAMPLES["helicone"](costUSD=-0.5),
    ]
    assert run(as_lines(*bad, good)) == outcome(accepted=1, rejected=5)
    assert IngestBatch.objects.get().accepted == 1


def test_a_wrong_file_under_a_named_format_says_what_is_expected(run: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(CommandError, match="activity export of OpenRouter: expected are the columns generation_id"):
        run(b"request_id,timestamp\n", "--format", "openrouter")
