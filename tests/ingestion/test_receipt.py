"""The receipt of a stored request is what the pipeline charged for it, line by line."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ingestion.models import LLMRequest
from ingestion.pricing.arithmetic import TOKEN_CLASSES
from ingestion.quoting.receipt import receipt
from teams.models import Organization, Team
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db


def book(acme: Organization, search: Team) -> None:
    """Prices of everybody, of an organization, of a team; tiers, contexts, a fee, pieces, and one that ended."""
    for name, usd in (("input", "1.25"), ("output", "10"), ("cache_read", "0.125"), ("audio_input", "32")):
        make.price("gpt-5", name, usd)
    make.price("gpt-5", "input", "2.5", context_above=200_000)
    make.price("gpt-5", "output", "5", service_tier="batch")
    make.price("gpt-5", "unit:web_search", "0.01")
    make.price("claude", "input", "3", organization=acme)
    make.price("claude", "input", "2.7", organization=acme, team=search)
    make.price("claude", "output", "15", effective_from=NOW - timedelta(days=2))
    make.price("claude", "output", "12", effective_from=NOW - timedelta(days=1))
    make.price("claude", "request", "0.002")


def fields(dice: random.Random) -> dict[str, Any]:
    whole = dice.choice([None, 0, 7, 1_000, 250_000])
    out = dice.choice([None, 0, 5, 900])
    return {
        "started_at": NOW - timedelta(hours=dice.choice([1, 30, 70])),
        "model": dice.choice(["gpt-5", "claude", "unknown", None]),
        "provider": dice.choice(["openai", None]),
        "team": dice.choice(["Search", "Ads", None]),
        "service_tier": dice.choice([None, "standard", "batch"]),
        "input_tokens": whole,
        "output_tokens": out,
        "cache_read_tokens": dice.choice([None, whole]),
        "audio_input_tokens": dice.choice([None, 3]),
        "reasoning_tokens": dice.choice([None, 2]),
        "units": dice.choice([{}, {"web_search": 2}]),
        "status_code": dice.choice([200, 500]),
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_lines_add_up_to_the_list_cost(acme: Organization, search: Team, ads: Team, seed: int) -> None:
    book(acme, search)
    dice, priced = random.Random(seed), 0
    for _ in range(40):
        stored = make.request(acme, **fields(dice))
        found = receipt(LLMRequest.objects.get(pk=stored.pk))
        amounts = [line.amount for line in found.lines]
        if stored.list_cost:
            assert found.total == stored.list_cost == sum(amount or 0 for amount in amounts)
            priced += 1
        elif found.lines:
            assert None in amounts or sum(amount or 0 for amount in amounts) == 0
        for line in found.lines:
            assert line.quantity > 0
            assert line.per_piece == (line.token_class not in TOKEN_CLASSES)
    assert priced > 2


def test_each_line_names_the_entry_that_prices_it(acme: Organization, search: Team) -> None:
    book(acme, search)
    stored = make.request(
        acme, model="claude", team="Search", input_tokens=1_000, cache_read_tokens=400, output_tokens=10, units={}
    )
    lines = {line.token_class: line for line in receipt(stored).lines}
    assert {name: (line.quantity, line.price) for name, line in lines.items()} == {
        "input": (600, Decimal("2.7")),
        "cache_read": (400, Decimal("2.7")),
        "output": (10, Decimal(12)),
        "request": (1, Decimal("0.002")),
    }
    entry = lines["cache_read"].entry
    assert entry is not None
    assert (entry.token_class, entry.team_id, entry.own) == ("input", search.pk, True)
    assert receipt(stored).total == stored.list_cost == 600 * 2_700_000 + 400 * 2_700_000 + 10 * 12_000_000 + 2 * 10**9


def test_what_has_no_price_is_a_line_without_an_amount(acme: Organization) -> None:
    make.price("gpt-5", "input", "1.25")
    stored = make.request(acme, model="gpt-5", input_tokens=10, output_tokens=5)
    found = receipt(stored)
    assert [(line.token_class, line.amount) for line in found.lines] == [("input", 12_500_000), ("output", None)]
    assert found.total is None
    assert not receipt(make.request(acme, model=None)).lines
    assert not receipt(make.request(acme, input_tokens=None)).lines
    assert not receipt(make.request(acme, metadata={"gateway_cache": "hit"})).lines


def test_the_receipt_follows_the_book(acme: Organization) -> None:
    make.price("gpt-5", "input", "1")
    make.price("gpt-5", "output", "1")
    stored = make.request(acme, model="gpt-5", input_tokens=10, output_tokens=0)
    make.price("gpt-5", "input", "2", effective_from=NOW - timedelta(days=1))
    assert (stored.list_cost, receipt(stored).total) == (10_000_000, 20_000_000)
