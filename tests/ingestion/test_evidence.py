"""The usage object kept for audit: of which requests, and what of it; never a text of people."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from ingestion import evidence
from ingestion.evidence import MOST_BYTES, Keep
from ingestion.formats import FORMATS
from ingestion.models import LLMRequest
from ingestion.records import RequestRecord
from teams.models import Organization, User
from tests import make
from tests.ingestion.exports.rows import SAMPLES, one
from tests.ingestion.otlp import bodies
from tests.ingestion.test_litellm import payload

SECRET = "a secret prompt"
CHAT = {"prompt_tokens": 72, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 36}}
ANTHROPIC = {"input_tokens": 12, "output_tokens": 6, "cache_read_input_tokens": 30}
EXCESS = CHAT | {"prompt_tokens_details": {"cached_tokens": 80}}
TIERED = {"trafficType": "ON_DEMAND", "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 258}], "cost": 0.25}
FIRST: dict[str, Any] = {"request_id": "a", "started_at": "2026-11-24T11:59:00Z"}


def record(usage: dict[str, Any] | None, **counts: int | None) -> RequestRecord:
    return make.record(**({"input_tokens": None, "output_tokens": None} | counts), usage=usage)


@pytest.mark.parametrize(
    ("usage", "counts", "explained"),
    [
        (CHAT, {"input_tokens": 72, "output_tokens": 9, "cache_read_tokens": 36}, True),
        (CHAT, {"input_tokens": 72, "output_tokens": 9, "cache_read_tokens": None}, True),
        (CHAT, {"input_tokens": 72, "output_tokens": 9, "audio_input_tokens": 0}, True),
        (CHAT, {"input_tokens": 72.0, "output_tokens": 9}, True),
        (CHAT, {"input_tokens": 108, "output_tokens": 9, "cache_read_tokens": 36}, False),
        # Each number stands for one count: a sum that happens to be another count is still a sum.
        ({"input_tokens": 0, "cache_read_input_tokens": 30}, {"input_tokens": 30, "cache_read_tokens": 30}, False),
        ({"a": [{"b": {"c": [5, 5]}}]}, {"input_tokens": 5, "output_tokens": 5}, True),
        ({"a": "5"}, {"input_tokens": 5}, False),
        ({"a": list(range(10_000))}, {"input_tokens": 1}, False),  # nobody looks through all of them
        ({}, {"input_tokens": None}, True),
    ],
)
def test_counts_that_stand_in_the_object(usage: dict[str, Any], counts: dict[str, Any], explained: bool) -> None:
    assert evidence.explains(usage, record(usage, **counts)) is explained


@pytest.mark.parametrize(
    ("keep", "flagged", "input_tokens", "kept"),
    [
        (Keep.FLAGGED, False, 12, False),
        (Keep.FLAGGED, False, 42, True),
        (Keep.FLAGGED, True, 12, True),
        (Keep.ALL, False, 12, True),
        (Keep.NEVER, True, 42, False),
    ],
)
def test_of_which_requests_it_is_kept(keep: Keep, flagged: bool, input_tokens: int, kept: bool) -> None:
    sent = record(ANTHROPIC, input_tokens=input_tokens, output_tokens=6, cache_read_tokens=30)
    found = evidence.of(sent, keep, flagged=flagged)
    assert (found and json.loads(found)) == (ANTHROPIC if kept else None)


@pytest.mark.parametrize("keep", Keep)
def test_without_an_object_nothing_is_kept(keep: Keep) -> None:
    assert evidence.of(record(None, input_tokens=1), keep, flagged=True) is None
    assert evidence.of(record({}, input_tokens=1), keep, flagged=True) is None
    assert evidence.of(record({"prompt": SECRET}, input_tokens=1), keep, flagged=True) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (CHAT, CHAT),
        (TIERED, TIERED),
        ({"cost": 0.25, "n": 2**63 - 1, "zero": 0}, {"cost": 0.25, "n": 2**63 - 1, "zero": 0}),
        # Everything else that a text, a name or a number may say:
        ({"n": 1, "prompt": SECRET}, {"n": 1}),
        ({"n": 1, "service_tier": SECRET, "modality": "priority " + SECRET}, {"n": 1}),
        ({"n": 1, SECRET: 5}, {"n": 1}),
        ({"n": 1, "k" * 65: 5, "": 6, "ключ": 7, "a\n": 8}, {"n": 1}),
        ({"n": 1, "messages": [SECRET, {"content": SECRET}]}, {"n": 1}),
        ({"n": 1, "flag": True, "none": None, "empty": {}, "list": []}, {"n": 1}),
        ({"n": 1, "nan": float("nan"), "inf": float("-inf"), "huge": 10**400, "large": -(2**64)}, {"n": 1}),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}, "n": 1}, {"n": 1}),
        ({"prompt": SECRET}, None),
        ({"n": "\ud800"}, None),
    ],
)  # fmt: skip
def test_numbers_and_known_words_alone_are_kept(sent: dict[str, Any], kept: dict[str, Any] | None) -> None:
    assert evidence.cleaned(sent) == kept


def test_what_is_too_large_is_replaced_by_its_size() -> None:
    fits = {f"n{number:04}": 1 for number in range(204)}
    assert len(json.dumps(fits, separators=(",", ":"))) <= MOST_BYTES
    assert evidence.cleaned(fits) == fits
    more = {f"n{number:04}": 1 for number in range(206)}
    assert evidence.cleaned(more) == {"too_large": len(json.dumps(more, separators=(",", ":")))}
    assert evidence.cleaned({"n": 1, "text": SECRET * 200}) == {"n": 1}
    whole = {"n": 1, "text": "x" * 2**20}
    assert evidence.cleaned(whole) == {"too_large": len(json.dumps(whole, separators=(",", ":")))}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("usage", "kept"),
    [
        (CHAT, None),
        (ANTHROPIC | {"service_tier": "standard", "note": SECRET}, ANTHROPIC | {"service_tier": "standard"}),
        (EXCESS, EXCESS),
        (ANTHROPIC | {"counts": list(range(5_000))}, {"too_large": 23_967}),
    ],
    ids=["counts of its own", "a sum", "more cached than sent", "too large"],
)  # fmt: skip
def test_it_is_stored_where_the_counts_were_worked_out(
    client: Client, headers: dict[str, str], usage: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    body = json.dumps([FIRST | {"usage": usage}])
    reply = client.post("/api/v1/requests", body, content_type="application/json", headers=headers).json()
    assert reply["accepted"] == 1, reply
    stored = LLMRequest.objects.get()
    assert stored.usage == kept
    assert LLMRequest.objects.filter(usage__isnull=kept is None).exists()
    again = client.post("/api/v1/requests", body, content_type="application/json", headers=headers).json()
    assert (again["duplicate"], LLMRequest.objects.get().usage) == (1, kept)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("keep", "kept"), [("all", [CHAT, ANTHROPIC]), ("flagged", [None, ANTHROPIC]), ("never", [None, None])]
)
def test_the_setting(
    client: Client, headers: dict[str, str], settings: Settings, keep: str, kept: list[object]
) -> None:
    settings.KEEP_USAGE = keep
    sent = [FIRST | {"request_id": str(number), "usage": usage} for number, usage in enumerate((CHAT, ANTHROPIC))]
    client.post("/api/v1/requests", json.dumps(sent), content_type="application/json", headers=headers)
    assert list(LLMRequest.objects.order_by("request_id").values_list("usage", flat=True)) == kept


def told(name: str) -> dict[str, Any] | None:
    """The usage object of the sample of an export, as far as it is kept."""
    usage = one(name, SAMPLES[name]()).usage
    return evidence.cleaned(usage) if usage else None


def test_every_format_that_has_an_object_hands_it_on() -> None:
    """Flat rows have none: their columns are the counts."""
    assert {name for name in SAMPLES if told(name)} == {"litellm-spend", "portkey", "langfuse"}
    ((_, row),) = FORMATS["csv"].read(b"request_id,started_at,input_tokens\na,2026-11-24T11:59:00Z,3\n")
    ((_, native),) = FORMATS["ndjson"].read(json.dumps(FIRST | {"usage": CHAT}).encode())
    ((_, litellm),) = FORMATS["litellm"].read(json.dumps([payload()]).encode())
    span = bodies.record(bodies.span(bodies.chat(**{"gen_ai.usage.input_tokens": 7, "gen_ai.prompt": SECRET})))
    usages = [item.usage for item in (row, native, litellm, span) if isinstance(item, RequestRecord)]
    assert usages == [None, CHAT, payload()["metadata"]["usage_object"], {"gen_ai.usage.input_tokens": 7}]


@pytest.mark.django_db
def test_it_is_shown_in_the_administration_and_nowhere_else(
    client: Client, acme: Organization, admin: User, headers: dict[str, str]
) -> None:
    client.post(
        "/api/v1/requests", json.dumps([FIRST | {"usage": ANTHROPIC}]), content_type="application/json", headers=headers
    )
    stored = LLMRequest.objects.get()
    reader = make.bearer(make.key(acme))
    for path in ("/api/v1/requests", "/api/v1/requests/a"):
        with CaptureQueriesContext(connection) as queries:
            assert "usage" not in client.get(path, headers=reader).content.decode()
        assert not [one for one in queries if '"usage"' in one["sql"]], "lists do not even read it"
    client.force_login(admin)
    page = client.get(f"/admin/ingestion/llmrequest/{stored.pk}/change/").content.decode()
    assert "&quot;cache_read_input_tokens&quot;: 30" in page
