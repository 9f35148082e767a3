"""The package genai-prices: its data becomes dated lines of the price book."""

import importlib
import importlib.util
import socket
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace as Value
from typing import Any, NoReturn

import pytest

from ingestion.pricing.arithmetic import Entry, per_token, resolve
from ingestion.pricing.catalogues import genai_prices
from ingestion.pricing.catalogues.base import Catalogue, UnreadableError
from ingestion.pricing.catalogues.diff import compare
from tests.ingestion.prices.reading import lines, reasons

INSTALLED = importlib.util.find_spec("genai_prices") is not None
real = pytest.mark.skipif(not INSTALLED, reason="genai-prices is not installed (requirements-prices.txt)")
M = ("openai", "m")


def prices(**usd: Any) -> Value:
    return Value(**{name: Decimal(value) if isinstance(value, str) else value for name, value in usd.items()})


def tiered(base: str, **tiers: str) -> Value:
    return Value(base=Decimal(base), tiers=[Value(start=int(at[1:]), price=Decimal(usd)) for at, usd in tiers.items()])


def since(day: str, **usd: Any) -> Value:
    return Value(constraint=Value(start_date=date.fromisoformat(day)), prices=prices(**usd))


def variant(when: dict[str, str], constraint: object = None, **usd: Any) -> Value:
    return Value(when=when, constraint=constraint, prices=prices(**usd))


def catalogue(prices: object, *variants: Value, match: Value | None = None, provider: str = "openai") -> Catalogue:
    model = Value(id="m", match=match or Value(equals="M"), prices=prices, price_variants=list(variants) or None)
    return genai_prices.convert([Value(id=provider, models=[model])], "9.9")


def test_prices_become_classes_and_tiers_contexts() -> None:
    found = catalogue(
        prices(
            input_mtok=tiered("1.25", _200000="2.50"),
            output_mtok="10",
            cache_read_mtok="0.125",
            cache_write_mtok="3.75",
            cache_write_1h_mtok="6",
            input_audio_mtok="40",
            output_audio_mtok="80",
            output_reasoning_mtok="11",
            requests_kcount="5",
            web_searches_kcount="10",
            input_image_mtok="8",
            output_image_mtok="32",
            cache_image_read_mtok="2",
            storage_searches_kcount=None,
        )
    )
    expected = {
        (*M, "input"): "1.25",
        (*M, "input", 200_000): "2.5",
        (*M, "output"): "10",
        (*M, "cache_read"): "0.125",
        (*M, "cache_write"): "3.75",
        (*M, "cache_write_1h"): "6",
        (*M, "audio_input"): "40",
        (*M, "audio_output"): "80",
        (*M, "reasoning"): "11",
        (*M, "request"): "0.005",
        (*M, "unit:web_search"): "0.01",
        (*M, "image_input"): "8",
        (*M, "image_output"): "32",
    }
    assert lines(found) == {line: [(None, usd)] for line, usd in expected.items()}
    assert found.source == "catalogue:genai-prices@9.9"
    assert dict(found.ignored) == {"cache_image_read_mtok": 1}


def test_dates_are_the_catalogue_s_own() -> None:
    base = Value(constraint=None, prices=prices(input_mtok="10", output_mtok="40", cache_read_mtok="0.5"))
    found = catalogue([base, since("2025-06-10", input_mtok="2", output_mtok="40")])
    assert lines(found) == {
        (*M, "input"): [(None, "10"), ("2025-06-10", "2")],
        (*M, "output"): [(None, "40"), ("2025-06-10", "40")],
        (*M, "cache_read"): [(None, "0.5"), ("2025-06-10", None)],
    }


def test_a_context_limit_that_a_later_list_lacks_ends() -> None:
    found = catalogue(
        [since("2025-01-01", input_mtok=tiered("1", _128000="2")), since("2026-01-01", input_mtok="3")],
    )
    assert lines(found) == {
        (*M, "input"): [("2025-01-01", "1"), ("2026-01-01", "3")],
        (*M, "input", 128_000): [("2025-01-01", "2"), ("2026-01-01", None)],
    }


def test_variants_of_service_tiers_hold_only_what_they_change() -> None:
    later = Value(start_date=date(2026, 10, 12))
    found = catalogue(
        prices(input_mtok="2", cache_read_mtok="0.5"),
        variant({"service_tier": "default"}),
        variant({"processing": "batch"}, later, input_mtok="0.9"),
        variant({"processing": "batch"}, input_mtok="1"),
        variant({"service_tier": "Priority"}, input_mtok=tiered("3.5", _200000="7")),
        variant({"speed": "fast"}, input_mtok="9"),
    )
    assert lines(found) == {
        (*M, "input"): [(None, "2"), ("2026-10-12", "2")],
        (*M, "cache_read"): [(None, "0.5"), ("2026-10-12", "0.5")],
        (*M, "input", "batch"): [(None, "1"), ("2026-10-12", "0.9")],
        (*M, "input", "priority"): [(None, "3.5"), ("2026-10-12", "3.5")],
        (*M, "input", "priority", 200_000): [(None, "7"), ("2026-10-12", "7")],
    }
    assert reasons(found) == {"openai m": "has other prices for speed fast, which no request tells"}


def test_a_model_with_prices_by_time_of_day_is_left_out_and_its_entries_stay() -> None:
    by_day = Value(constraint=Value(start_time=time(1), end_time=time(4)), prices=prices(input_mtok="0.3"))
    found = catalogue([Value(constraint=None, prices=prices(input_mtok="0.1")), by_day])
    assert lines(found) == {}
    assert reasons(found) == {"openai m": "has other prices from 01:00 to 04:00 UTC, which is not supported"}
    assert found.withheld == {("openai", "exact", "m", "input", "standard", 0)}


def test_prices_that_would_be_rounded_are_left_out() -> None:
    found = catalogue(prices(input_mtok="0.3", cache_write_mtok="0.0833333333"))
    assert list(lines(found)) == [(*M, "input")]
    assert reasons(found) == {"openai m: cache_write": "has more than 6 decimals in USD per 1M tokens"}


@pytest.mark.parametrize(
    ("match", "stored"),
    [
        (Value(equals="GPT-5"), [("gpt-5",)]),
        (Value(starts_with="gpt-5"), [("prefix", "gpt-5")]),
        (Value(contains="gpt-5"), [("glob", "*gpt-5*")]),
        (Value(ends_with="gpt-5"), [("glob", "*gpt-5")]),
        (Value(or_=[Value(equals="a"), Value(starts_with="b-")]), [("a",), ("prefix", "b-")]),
        (Value(or_=[Value(equals="a"), Value(regex=r"^a-\d{8}$")]), [("a",)]),
        (Value(and_=[Value(starts_with="a"), Value(contains="b")]), []),
        (Value(contains="a*b"), []),
    ],
)
def test_matches_are_those_of_the_price_book(match: Value, stored: list[tuple[str, ...]]) -> None:
    found = catalogue(prices(input_mtok="1"), match=match)
    assert list(lines(found)) == [("openai", *each, "input") for each in stored]
    refused = {one.reason for one in found.skipped}
    assert all(reason.startswith("is also matched by") for reason in refused)
    assert bool(refused) == (len(stored) < len(getattr(match, "or_", [match])))


def test_google_s_list_holds_for_both_ids_under_which_it_sends() -> None:
    found = catalogue(prices(input_mtok="1"), provider="google")
    assert list(lines(found)) == [("google", "m", "input"), ("google-vertex", "m", "input")]


@pytest.mark.skipif(INSTALLED, reason="genai-prices is installed")
def test_without_the_package_a_sentence_says_how_to_get_it() -> None:
    with pytest.raises(UnreadableError, match=r"not installed.*requirements-prices\.txt"):
        genai_prices.read()


@real
def test_the_real_package_is_read_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> NoReturn:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    found = genai_prices.read()
    assert len(found.prices) > 5_000
    assert {key.provider for key in found.prices} >= {"openai", "anthropic", "google", "google-vertex", "aws", "azure"}
    assert any("which is not supported" in one.reason for one in found.skipped)


@real
def test_the_real_package_and_the_book_agree_on_every_model() -> None:
    """For each model's own id: the package's price of the day is the book's, unless that line is listed as skipped."""
    now = datetime.now(UTC)
    found = genai_prices.read()
    changes = compare(found, {}, now).changes
    by_provider: dict[str, list[Entry]] = {}
    for order, change in enumerate(changes):
        key = change.key
        entry = Entry(False, False, *key[:4], key.context_above, key.service_tier, change.new, change.since, order)
        by_provider.setdefault(key.provider, []).append(entry)
    compared = differing = 0
    for provider in importlib.import_module("genai_prices.data").providers:
        for model in provider.models[:40]:
            if provider.find_model(model.id) is not model or not model.match.is_match(model.id):
                continue
            usd = model.get_prices(now).input_mtok
            usd = getattr(usd, "base", usd)
            matching = [one for one in by_provider.get(provider.id, ()) if one.matches(provider.id, model.id.lower())]
            found_entry = resolve(matching, "input", "standard", 0, now + timedelta(seconds=1))
            if usd is not None and found_entry and found_entry.price is not None:
                compared += 1
                differing += per_token(found_entry.price) != int(usd * 1_000_000)
    assert compared > 300
    assert differing == 0
