"""The worked examples of docs/pricing.md, to the picodollar, and the order in which entries are chosen."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion import usage
from ingestion.pricing import arithmetic
from ingestion.pricing.arithmetic import NO_RATES, Entry, Quantities, resolve
from ingestion.pricing.settling import Settled, settle
from ingestion.pricing.tokens import split
from ingestion.records import CostState, RequestRecord
from metricsportal.lib.money import usd_text
from tests import make

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_orders = count(1)

GPT_4O_MINI = {"input": "0.15", "cache_read": "0.075", "output": "0.60"}
GPT_5 = {"input": "1.25", "cache_read": "0.125", "output": "10"}
CLAUDE = {"input": "3", "cache_read": "0.30", "cache_write": "3.75", "output": "15"}


def entry(token_class: str, price: str | None, **fields: object) -> Entry:
    """A manual, global entry for gpt-5 of any provider, for all time."""
    defaults: dict[str, object] = {
        "own": False,
        "manual": True,
        "provider": "*",
        "match_kind": "exact",
        "model_match": "gpt-5",
        "context_above": 0,
        "service_tier": "standard",
        "effective_from": LONG_AGO,
        "order": next(_orders),
    }
    price_ = None if price is None else Decimal(price)
    return Entry(token_class=token_class, price=price_, **(defaults | fields))  # type: ignore[arg-type]  # defaults of mixed types


def entries(prices: Mapping[str, str], **fields: object) -> list[Entry]:
    return [entry(token_class, price, **fields) for token_class, price in prices.items()]


def settled(record: RequestRecord, book: list[Entry], *, failed: bool = False, reported: int | None = None) -> Settled:
    """What a record costs with those entries."""
    tier = record.service_tier or "standard"
    return settle(
        split(record)[0],
        arithmetic.rates(book, tier, record.input_tokens or 0, record.started_at),
        failed=failed,
        tokens_absent=record.input_tokens is None and record.output_tokens is None,
        reported=reported,
        units=record.units,
    )


def of_usage(sent: dict[str, object], **fields: object) -> RequestRecord:
    """A record with the counts of a provider's usage object."""
    return make.record(**{"input_tokens": None, "output_tokens": None, **fields, **usage.counts(sent)})


def test_e1_cached_read_of_openai_chat() -> None:
    record = of_usage({"prompt_tokens": 72, "prompt_tokens_details": {"cached_tokens": 36}, "completion_tokens": 9})
    assert split(record)[0] == Quantities(36, 36, 0, 0, 0, 0, 9, 0, 0, 0)
    assert settled(record, entries(GPT_4O_MINI)).cost == 13_500_000


def test_e2_exclusive_counts_of_anthropic() -> None:
    record = of_usage(
        {
            "input_tokens": 1_200,
            "cache_read_input_tokens": 18_000,
            "cache_creation_input_tokens": 2_000,
            "output_tokens": 640,
        }
    )
    assert record.input_tokens == 21_200
    assert settled(record, entries(CLAUDE)).cost == 26_100_000_000


def test_e3_reasoning_is_inside_the_output_of_openai_responses() -> None:
    record = of_usage(
        {
            "input_tokens": 900,
            "input_tokens_details": {"cached_tokens": 512},
            "output_tokens": 2_300,
            "output_tokens_details": {"reasoning_tokens": 1_984},
        }
    )
    assert settled(record, entries(GPT_5)).cost == 23_549_000_000


@pytest.mark.parametrize(
    ("prompt", "cached", "cost"),
    [(210_000, 50_000, 457_500_000_000), (200_000, None, 280_000_000_000), (200_001, None, 545_002_500_000)],
    ids=["E4 above", "E5 at the limit", "E5 one above"],
)
def test_context_tiers_are_cliffs(prompt: int, cached: int | None, cost: int) -> None:
    book = entries({"input": "1.25", "cache_read": "0.125", "output": "10"})
    book += entries({"input": "2.50", "cache_read": "0.25", "output": "15"}, context_above=200_000)
    record = of_usage(
        {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": cached,
            "candidatesTokenCount": 900,
            "thoughtsTokenCount": 2_100,
        }
    )
    assert settled(record, book).cost == cost


@pytest.mark.parametrize(("tier", "cost"), [("batch", 60_000_000_000), (None, 116_000_000_000)])
def test_e6_a_tier_without_its_own_price_uses_the_standard_one(tier: str | None, cost: int) -> None:
    book = entries({"input": "2", "cache_read": "0.50", "output": "8"})
    book += entries({"input": "1", "output": "4"}, service_tier="batch")
    record = make.record(input_tokens=40_000, cache_read_tokens=8_000, output_tokens=6_000, service_tier=tier)
    assert settled(record, book).cost == cost


@pytest.mark.parametrize("output", [0, None], ids=["no output", "output not sent"])
def test_e7_embeddings_cost_less_than_a_microdollar(output: int | None) -> None:
    record = make.record(input_tokens=13, output_tokens=output, operation="embeddings")
    cost = settled(record, entries({"input": "0.02"})).cost
    assert (cost, usd_text(cost)) == (260_000, "0.00000026")


def test_a_write_of_an_hour_alone_is_the_whole_write() -> None:
    record = make.record(input_tokens=100, cache_write_1h_tokens=40, output_tokens=1)
    assert split(record) == (Quantities(60, 0, 0, 40, 0, 0, 1, 0, 0, 0), False)


def test_e8_exclusive_counts_of_bedrock() -> None:
    record = of_usage({"inputTokens": 700, "cacheReadInputTokens": 5_300, "outputTokens": 410})
    assert record.input_tokens == 6_000
    assert settled(record, entries(CLAUDE)).cost == 9_840_000_000


def test_e9_audio_has_prices_of_its_own() -> None:
    book = entries({"input": "2.50", "cache_read": "1.25", "audio_input": "40", "output": "10", "audio_output": "80"})
    record = of_usage(
        {
            "prompt_tokens": 1_000,
            "prompt_tokens_details": {"cached_tokens": 200, "audio_tokens": 400},
            "completion_tokens": 300,
            "completion_tokens_details": {"audio_tokens": 250},
        }
    )
    assert settled(record, book).cost == 37_750_000_000


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (None, Settled(CostState.UNPRICED, None, None, None)),
        (4_000_000_000, Settled(CostState.REPORTED, 4_000_000_000, None, 4_000_000_000)),
    ],
)
def test_e12_unknown_models_are_unpriced_unless_the_gateway_says(reported: int | None, expected: Settled) -> None:
    assert settled(make.record(input_tokens=5_000, output_tokens=800), [], reported=reported) == expected


@pytest.mark.parametrize(
    ("started_at", "cost"),
    [
        (datetime(2025, 6, 9, 23, 59, 59, 999_999, tzinfo=UTC), 30_000_000_000),
        (datetime(2025, 6, 10, tzinfo=UTC), 6_000_000_000),
    ],
)
def test_e13_the_price_of_the_day_on_which_the_request_started(started_at: datetime, cost: int) -> None:
    book = entries({"input": "10", "output": "40"}, effective_from=datetime(2025, 4, 16, tzinfo=UTC))
    book += entries({"input": "2", "output": "8"}, effective_from=datetime(2025, 6, 10, tzinfo=UTC))
    record = make.record(input_tokens=1_000, output_tokens=500, started_at=started_at)
    assert settled(record, book).cost == cost


def test_e14_failures_cost_their_tokens_and_no_request_fee() -> None:
    book = [*entries(GPT_5), entry("request", "0.01")]
    rate_limited = make.record(input_tokens=None, output_tokens=None)
    broken_stream = make.record(input_tokens=900, output_tokens=120)
    assert settled(rate_limited, book, failed=True) == Settled(CostState.NONE, 0, 0, 0)
    assert settled(broken_stream, book, failed=True).cost == 2_325_000_000
    assert settled(broken_stream, book).cost == 2_325_000_000 + 10_000_000_000


def test_e15_prices_per_unit() -> None:
    book = [*entries(GPT_5), entry("unit:web_search", "0.01")]
    record = make.record(input_tokens=900, output_tokens=120, units={"web_search": 3})
    assert settled(record, book).cost == 2_325_000_000 + 30_000_000_000
    assert settled(record, entries(GPT_5)).cost is None
    assert settled(record, book, failed=True).cost == 2_325_000_000 + 30_000_000_000


@pytest.mark.parametrize("price", ["0.0000001", "1.2345678"])
def test_more_than_six_decimals_are_refused(price: str) -> None:
    with pytest.raises(ValueError, match="more decimals"):
        arithmetic.per_token(Decimal(price))


def test_a_class_without_any_price_leaves_the_row_unpriced() -> None:
    assert settled(make.record(output_tokens=5), entries({"input": "1"})).cost is None
    assert settled(make.record(output_tokens=0), entries({"input": "1"})).state is CostState.COMPUTED


def test_one_hour_cache_writes_fall_back_to_cache_writes_and_those_to_input() -> None:
    record = make.record(input_tokens=100, cache_write_tokens=100, cache_write_1h_tokens=40, output_tokens=0)
    assert settled(record, entries({"input": "1"})).cost == 100 * 1_000_000
    assert settled(record, entries({"input": "1", "cache_write": "2"})).cost == 100 * 2_000_000
    book = entries({"input": "1", "cache_write": "2", "cache_write_1h": "3"})
    assert settled(record, book).cost == 60 * 2_000_000 + 40 * 3_000_000


@pytest.mark.parametrize(
    ("fields", "failed", "reported", "state", "cost"),
    [
        ({"input_tokens": None}, False, None, CostState.UNPRICED, None),
        ({"input_tokens": None, "output_tokens": None}, False, None, CostState.UNPRICED, None),
        ({"input_tokens": None, "output_tokens": None}, True, 5, CostState.REPORTED, 5),
        ({"input_tokens": 0, "output_tokens": 0}, False, None, CostState.NONE, 0),
        ({"input_tokens": 0, "output_tokens": 0}, False, 7, CostState.REPORTED, 7),
        ({"input_tokens": 2, "output_tokens": 0}, False, 7, CostState.COMPUTED, 2_500_000),
    ],
)
def test_states(
    fields: dict[str, object], failed: bool, reported: int | None, state: CostState, cost: int | None
) -> None:
    found = settled(make.record(**fields), entries(GPT_5), failed=failed, reported=reported)
    assert (found.state, found.cost) == (state, cost)


def chosen(book: list[Entry], *, tier: str = "standard", input_tokens: int = 1_000, provider: str = "openai") -> str:
    """Price of the input class that resolution picks for gpt-5-mini."""
    matching = [one for one in book if one.matches(provider, "gpt-5-mini")]
    found = resolve(matching, "input", tier, input_tokens, make.NOW)
    return str(found.price) if found else "none"


def test_the_order_of_candidates() -> None:
    """Each line alone beats all lines after it."""
    exact = {"match_kind": "exact", "model_match": "gpt-5-mini"}
    by_preference = [
        entry("input", "1", own=True, manual=False, match_kind="glob", model_match="*"),
        entry("input", "2", **exact, provider="openai"),
        entry("input", "3", **exact),
        entry("input", "4", match_kind="prefix", model_match="gpt-5-"),
        entry("input", "5", match_kind="prefix", model_match="gpt-5", service_tier="batch"),
        entry("input", "6", match_kind="prefix", model_match="gpt-5", context_above=500),
        entry("input", "7", match_kind="prefix", model_match="gpt-5", effective_from=LONG_AGO + timedelta(days=1)),
        entry("input", "8", match_kind="prefix", model_match="gpt-5"),
        entry("input", "9", match_kind="glob", model_match="gpt-?-m*"),
        entry("input", "10", match_kind="glob", model_match="gpt*"),
        entry("input", "11", manual=False, **exact),
    ]
    found = [chosen(by_preference[start:], tier="batch") for start in range(len(by_preference))]
    assert found == [str(number) for number in range(1, 12)]


def test_what_does_not_apply_is_not_chosen() -> None:
    book = [
        entry("input", "1", model_match="gpt-5"),
        entry("input", "2", model_match="gpt-5-mini", provider="azure"),
        entry("input", "3", model_match="gpt-5-mini", service_tier="flex"),
        entry("input", "4", model_match="gpt-5-mini", context_above=1_000),
        entry("input", "5", model_match="gpt-5-mini", effective_from=make.NOW + timedelta(microseconds=1)),
        entry("input", "6", match_kind="glob", model_match="gpt-[0-9]-mini"),
    ]
    assert chosen(book) == "none"


def test_an_empty_price_uncovers_the_next_candidate_from_its_instant_on() -> None:
    standard = entry("input", "1", match_kind="prefix", model_match="gpt-5")
    special = entry("input", "9", model_match="gpt-5-mini")
    ended = entry("input", None, model_match="gpt-5-mini", effective_from=make.NOW)
    later = entry("input", None, model_match="gpt-5-mini", effective_from=make.NOW + timedelta(seconds=1))
    assert chosen([standard, special, later]) == "9"
    assert chosen([standard, special, ended]) == "1"


def test_a_later_entry_of_the_same_instant_corrects_the_earlier_one() -> None:
    wrong, right = entry("input", "100", model_match="gpt-5-mini"), entry("input", "1", model_match="gpt-5-mini")
    assert chosen([right, wrong]) == "1"


counts = st.none() | st.integers(0, 10**6)


@given(
    st.builds(
        make.record,
        **dict.fromkeys(("input_tokens", "output_tokens", "cache_read_tokens"), counts),
        **dict.fromkeys(("cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens"), counts),
        **dict.fromkeys(("audio_input_tokens", "audio_output_tokens"), counts),
        **dict.fromkeys(("image_input_tokens", "image_output_tokens"), counts),
    )
)
def test_classes_are_disjoint_never_negative_and_add_up(record: RequestRecord) -> None:
    quantities, contradictory = split(record)
    if record.input_tokens is None or record.output_tokens is None:
        assert quantities is None
        return
    assert quantities is not None
    assert min(quantities) >= 0
    into, out = quantities[:6], quantities[6:]
    assert (Quantities._fields[5], Quantities._fields[6]) == ("image_input", "output")
    assert (sum(into), sum(out)) == (record.input_tokens, record.output_tokens)
    read, heard, seen = record.cache_read_tokens or 0, record.audio_input_tokens or 0, record.image_input_tokens or 0
    made = (record.reasoning_tokens or 0, record.audio_output_tokens or 0, record.image_output_tokens or 0)
    fits = read + (record.cache_write_tokens or 0) + heard + seen <= record.input_tokens
    assert contradictory or (fits and sum(made) <= record.output_tokens)
    if not contradictory:
        assert (quantities.cache_read, quantities.audio_input, quantities.image_input) == (read, heard, seen)
        assert (quantities.reasoning, quantities.audio_output, quantities.image_output) == made


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # Too many parts: what was read from the cache stays, images are cut before reads and writes, audio first.
        (
            {"input_tokens": 100, "cache_read_tokens": 60, "image_input_tokens": 30, "audio_input_tokens": 35},
            Quantities(0, 60, 0, 0, 10, 30, 0, 0, 0, 0),
        ),
        (
            {"input_tokens": 100, "cache_read_tokens": 90, "image_input_tokens": 30, "audio_input_tokens": 30},
            Quantities(0, 90, 0, 0, 0, 10, 0, 0, 0, 0),
        ),
        (
            {"input_tokens": 0, "output_tokens": 100, "reasoning_tokens": 50, "image_output_tokens": 40}
            | {"audio_output_tokens": 45},
            Quantities(0, 0, 0, 0, 0, 0, 0, 50, 10, 40),
        ),
        (
            {"input_tokens": 0, "output_tokens": 100, "reasoning_tokens": 120, "image_output_tokens": 40},
            Quantities(0, 0, 0, 0, 0, 0, 0, 100, 0, 0),
        ),
    ],
)
def test_what_does_not_fit_is_cut_audio_first_and_flagged(fields: dict[str, object], expected: Quantities) -> None:
    assert split(make.record(**({"output_tokens": 0} | fields))) == (expected, True)


def test_no_model_has_no_price() -> None:
    assert arithmetic.cost(Quantities(1, 0, 0, 0, 0, 0, 0, 0, 0, 0), NO_RATES, failed=False) is None
