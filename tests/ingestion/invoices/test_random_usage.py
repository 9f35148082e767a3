"""Usage objects of every shape and any content: what is billed is never negative, and adds up to what was counted."""

import json
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingestion import services
from ingestion.formats import NATIVE
from ingestion.models import LLMRequest, PriceEntry
from ingestion.pricing.arithmetic import Quantities
from ingestion.pricing.tokens import split
from ingestion.records import TOKEN_FIELDS, Code, RejectedError, RequestRecord
from teams.models import Organization
from tests import make

Body = dict[str, Any]
IN: Final = ("input", "cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input")
OUT: Final = ("output", "reasoning", "audio_output", "image_output")
PRICES: Final = {
    name: Decimal(price)
    for name, price in zip((*IN, *OUT), ("3", "0.3", "3.75", "6", "40", "10", "15", "17", "80", "41"), strict=True)
}
"""USD per million tokens, all different: a token in the wrong class costs something else."""

TOKENS = st.one_of(st.none(), st.integers(0, 50), st.integers(0, 10**9), st.integers(0, 50).map(float))
BAD = st.one_of(st.integers(-(10**6), -1), st.just("12"), st.just(1.5), st.just([3]), st.booleans())


def body(**keys: Any) -> st.SearchStrategy[Body]:
    """An object with any of these keys."""
    return st.fixed_dictionaries(
        {}, optional={name: TOKENS if value is None else value for name, value in keys.items()}
    )


def details(*keys: str) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), body(**dict.fromkeys(keys)), st.just("AUDIO"))


def modalities() -> st.SearchStrategy[Any]:
    part = st.fixed_dictionaries({"modality": st.sampled_from(["TEXT", "AUDIO", "IMAGE", 7]), "tokenCount": TOKENS})
    return st.one_of(st.none(), st.integers(), st.lists(st.one_of(part, st.just("AUDIO")), max_size=4))


OF_INPUT: Final = ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens")
OF_OUTPUT: Final = ("reasoning_tokens", "audio_tokens", "image_tokens", "text_tokens")
SHAPES: Final[dict[str, tuple[st.SearchStrategy[Body], tuple[str, ...], tuple[str, ...]]]] = {
    # Name: bodies, and the counts of which input and output are the sums.
    "openai chat": (
        body(
            prompt_tokens=None,
            completion_tokens=None,
            total_tokens=None,
            prompt_tokens_details=details(*OF_INPUT),
            completion_tokens_details=details(*OF_OUTPUT),
        ),
        ("prompt_tokens",),
        ("completion_tokens",),
    ),
    "openai responses": (
        body(
            input_tokens=None,
            output_tokens=None,
            input_tokens_details=details(*OF_INPUT),
            output_tokens_details=details(*OF_OUTPUT),
        ),
        ("input_tokens",),
        ("output_tokens",),
    ),
    "openai realtime": (
        body(
            input_tokens=None,
            output_tokens=None,
            input_token_details=details(*OF_INPUT),
            output_token_details=details(*OF_OUTPUT),
        ),
        ("input_tokens",),
        ("output_tokens",),
    ),
    "anthropic": (
        body(
            input_tokens=None,
            output_tokens=None,
            cache_read_input_tokens=None,
            cache_creation_input_tokens=None,
            cache_creation=details("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
            output_tokens_details=details("thinking_tokens"),
        ),
        ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
        ("output_tokens",),
    ),
    "gemini": (
        body(
            promptTokenCount=None,
            toolUsePromptTokenCount=None,
            candidatesTokenCount=None,
            thoughtsTokenCount=None,
            cachedContentTokenCount=None,
            promptTokensDetails=modalities(),
            candidatesTokensDetails=modalities(),
        ),
        ("promptTokenCount", "toolUsePromptTokenCount"),
        ("candidatesTokenCount", "thoughtsTokenCount"),
    ),
    "bedrock": (
        body(inputTokens=None, outputTokens=None, cacheReadInputTokens=None, cacheWriteInputTokens=None),
        ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
        ("outputTokens",),
    ),
}
# The key by which a shape is told: without it the same words are another's.
TOLD_BY: Final = {"gemini": "promptTokenCount", "anthropic": "cache_read_input_tokens", "bedrock": "inputTokens"}


def sent(name: str) -> st.SearchStrategy[Body]:
    """Bodies of the shape that are told as such."""
    bodies, (first, *_), (last, *_) = SHAPES[name]
    return bodies.map(lambda one: {TOLD_BY.get(name, first): None, last: None} | one)


def read(usage: Body, number: int = 0) -> RequestRecord | RejectedError:
    """The record, as our own format takes it with that usage object."""
    record = {"request_id": f"r{number}", "started_at": make.NOW.isoformat(), "model": "m", "usage": usage}
    ((_, found),) = NATIVE.read(json.dumps(record).encode())
    return found


def whole(usage: Body, names: tuple[str, ...]) -> int | None:
    """By hand: the sum of what is known, None when nothing is."""
    known = [int(usage[name]) for name in names if usage.get(name) is not None]
    return sum(known) if known else None


def parts(record: RequestRecord) -> tuple[int, int, int, int]:
    """Of the input, of the output, cache writes and those of them for an hour; unknown ones are none."""
    known = {name: getattr(record, name) or 0 for name in TOKEN_FIELDS}
    hour = known["cache_write_1h_tokens"]
    write = hour if record.cache_write_tokens is None else known["cache_write_tokens"]
    heard = known["audio_input_tokens"] + known["image_input_tokens"]
    spoken = known["audio_output_tokens"] + known["image_output_tokens"]
    return known["cache_read_tokens"] + write + heard, known["reasoning_tokens"] + spoken, write, hour


def check(record: RequestRecord, quantities: Quantities, *, contradictory: bool) -> None:
    billed = quantities._asdict()
    assert set(billed) == {*IN, *OUT}
    assert min(billed.values()) >= 0
    assert sum(billed[name] for name in IN) == record.input_tokens
    assert sum(billed[name] for name in OUT) == record.output_tokens
    into, out, write, hour = parts(record)
    assert contradictory == (into > (record.input_tokens or 0) or out > (record.output_tokens or 0) or hour > write)
    if not contradictory:
        assert billed["cache_read"] == (record.cache_read_tokens or 0)
        assert (billed["cache_write"] + billed["cache_write_1h"], billed["cache_write_1h"]) == (write, hour)
        assert billed["reasoning"] == (record.reasoning_tokens or 0)


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_negative_and_the_classes_add_up(name: str, data: st.DataObject) -> None:
    usage = data.draw(sent(name))
    record = read(usage)
    assert isinstance(record, RequestRecord), (usage, record)
    assert record.input_tokens == whole(usage, SHAPES[name][1])
    assert record.output_tokens == whole(usage, SHAPES[name][2])
    quantities, contradictory = split(record)
    assert (quantities is None) == (record.input_tokens is None or record.output_tokens is None)
    if quantities is not None:
        check(record, quantities, contradictory=contradictory)


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
@hypothesis_settings(deadline=None, max_examples=30)
def test_what_is_no_count_is_refused_by_name(name: str, data: st.DataObject) -> None:
    usage = data.draw(sent(name))
    place, bad = data.draw(st.sampled_from((*SHAPES[name][1], *SHAPES[name][2]))), data.draw(BAD)
    found = read(usage | {place: bad})
    assert isinstance(found, RejectedError), (usage, place, bad)
    negative = isinstance(bad, int) and not isinstance(bad, bool)
    assert (found.code, place in found.message) == (Code.NEGATIVE if negative else Code.INVALID, True)


def lines_of(fact: LLMRequest) -> dict[str, int] | None:
    """Picodollars per class of a stored request; None when its tokens are not known."""
    quantities, contradictory = split(make.record(**{name: getattr(fact, name) for name in TOKEN_FIELDS}))
    assert fact.token_anomaly or not contradictory
    if quantities is None:
        return None
    return {name: quantity * int(PRICES[name] * 10**6) for name, quantity in quantities._asdict().items()}


@pytest.mark.django_db
@given(bodies=st.lists(st.sampled_from(sorted(SHAPES)).flatmap(sent), min_size=20, max_size=40))
@hypothesis_settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_stored_requests_cost_the_sum_of_their_lines(acme: Organization, bodies: list[Body]) -> None:
    """Through the pipeline and back from the database, to the picodollar."""
    if not PriceEntry.objects.exists():
        for token_class, price in PRICES.items():
            make.price("m", token_class, str(price))
    LLMRequest.objects.all().delete()
    items = [(number, read(usage, number)) for number, usage in enumerate(bodies)]
    outcome = services.ingest(organization=acme, items=items, source="test", now=make.NOW, past_days=None)
    assert outcome.accepted == len(bodies), outcome
    for fact in LLMRequest.objects.all():
        lines = lines_of(fact)
        if lines is None:
            assert (fact.cost_state, fact.cost) == ("unpriced", None)
        else:
            assert min(lines.values()) >= 0
            state = "computed" if any(lines.values()) else "none"
            assert (fact.cost_state, fact.cost, fact.list_cost) == (state, sum(lines.values()), sum(lines.values()))
