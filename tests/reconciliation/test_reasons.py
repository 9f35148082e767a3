"""One thing changed on one side, and the reason that is told, with its amount."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.reconciliation import ours
from analytics.reconciliation.comparing import Measure, compare
from analytics.reconciliation.ours import Ours, Row
from analytics.reconciliation.reading import read
from analytics.reconciliation.reasons import reasons
from analytics.reconciliation.values import Figure
from teams.access import scope_of_organization
from teams.models import Organization
from tests import make
from tests.reconciliation import traffic
from tests.reconciliation.traffic import FIRST, MODEL, OPENAI_COSTS

Told = dict[str, int | None]


@pytest.fixture
def acme(db: None) -> Organization:
    """A tenant with prices."""
    traffic.prices()
    return make.organization("acme")


def told(acme: Organization, text: str = OPENAI_COSTS, basis: str = "contracted") -> Told:
    """The reasons by their key, with their amounts in micro dollars."""
    bill = read(io.BytesIO(text.encode()))
    mine = ours.read(scope_of_organization(acme), bill.first, bill.last)
    found = compare(bill.figures, mine, provider=bill.format.provider, basis=basis)
    return {one.key: one.amount and one.amount // 10**6 for one in reasons(found, bill.decimals)}


CHANGES: dict[str, tuple[Callable[[str], str], Told]] = {
    "more on the bill": (lambda text: text + '1795132800,,,1,usd,"sora-2, output",p\n', {"only-bill": 1_000_000}),
    "a price of one class": (lambda text: text.replace("0.003,", "0.006,").replace("5e-4", "1e-3"), {"price": 3_500}),
    "a price since a day": (lambda text: text.replace("5e-4", "6e-4"), {"price": 100}),
    "cached tokens as input": (
        lambda text: text.replace("0.0050000000000", "0.0075").replace("0.00125000000000000", "0"),
        {"cached": 1_250},
    ),
    "a batch": (
        lambda text: text.replace("0.00125,usd", "0.000625,usd").replace("5e-4", "2.5e-4"),
        {"tier-half": -875},
    ),
    "a batch by name": (
        lambda text: text.replace(", input", ", batch input").replace("0.00125,", "0.000625,"),
        {"tier": -625},
    ),
    "the day beside": (
        lambda text: text.replace("0.003,", "0.0025,").replace("5e-4", "1e-3"),
        {"day-borders": 0},
    ),
    "fewer decimals": (lambda text: text.replace("5e-4", "0.0005000004"), {"rounding": 0}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_bill(name: str, acme: Organization) -> None:
    traffic.openai(acme)
    change, expected = CHANGES[name]
    changed = change(OPENAI_COSTS)
    assert changed != OPENAI_COSTS
    assert told(acme, changed) == expected


def test_what_only_we_have(acme: Organization) -> None:
    traffic.openai(acme)
    make.price("gpt-5", "input", "1")
    make.price("gpt-5", "output", "1")
    make.request(acme, model="gpt-5", started_at=FIRST, input_tokens=900, output_tokens=100)
    assert told(acme) == {"only-here": -1_000}


def test_what_has_no_price_here(acme: Organization) -> None:
    traffic.openai(acme, model="gpt-nine")
    found = told(acme, OPENAI_COSTS.replace(MODEL, "gpt-nine"))
    assert found["unpriced"] == 11_000


def test_a_discount_and_a_markup_that_the_bill_does_not_have(acme: Organization) -> None:
    make.adjustment(acme, "discount", "20")
    make.adjustment(acme, "markup", "50")
    traffic.openai(acme)
    assert told(acme) == {"terms-list": 2_200}
    assert told(acme, basis="billed") == {"terms-list": -2_200}
    assert told(acme, basis="list") == {}


def test_costs_that_the_gateway_told(acme: Organization) -> None:
    traffic.openai(acme, model="unlisted", reported_cost_usd=Decimal("0.002"))
    found = told(acme, OPENAI_COSTS.replace(MODEL, "unlisted"))
    assert found["reported"] == 5_000


def test_failed_requests(acme: Organization) -> None:
    traffic.openai(acme)
    one: dict[str, Any] = {"model": MODEL, "status_code": 500, "started_at": FIRST}
    make.request(acme, **one, input_tokens=None, output_tokens=None)
    found = told(acme, OPENAI_COSTS.replace("0.0050000000000", "0.0051"))
    assert found["failures"] == 100
    make.request(acme, **one, input_tokens=1_000, output_tokens=0)
    assert told(acme)["failures-here"] == -2_500


def test_cached_tokens_of_a_bill_without_classes(acme: Organization) -> None:
    traffic.openai(acme, provider="openrouter")
    assert told(acme, traffic.OPENROUTER_DAYS.replace("0.00925", "0.0105")) == {"cached": 1_250}


_days = st.integers(0, 3).map(lambda number: date(2026, 11, 20) + timedelta(days=number))
_models = st.sampled_from(["gpt-4o", "GPT-4o", "gpt-4o-2024-08-06", "o1", "", "<b>"])
_classes = st.sampled_from(["", "input", "cache_read", "reasoning", "output", "all_input", "other", "unit:web_search"])
_amounts = st.none() | st.integers(-(10**20), 10**20)
_counts = st.none() | st.integers(0, 10**12)
_figures = st.builds(
    Figure, day=_days, model=_models, token_class=_classes, quantity=_counts, requests=_counts, cost=_amounts
)
_whole = st.integers(0, 10**15)
_rows = st.builds(
    Row,
    day=_days,
    provider=st.sampled_from(["", "openai", "azure"]),
    model=_models,
    token_class=_classes,
    state=st.sampled_from(["computed", "reported", "unpriced"]),
    quantity=_whole,
    requests=_whole,
    contracted=_whole,
    list=_whole,
    billed=_whole,
)


# Making values is slow on a busy machine; nothing here depends on how long it takes.
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_figures, max_size=20), st.lists(_rows, max_size=20), st.sampled_from(["", "openai"]))
def test_the_difference_is_the_sum_of_its_lines(figures: list[Figure], rows: list[Row], provider: str) -> None:
    before = [replace(row) for row in rows]
    found = compare(figures, Ours(rows, []), provider=provider)
    assert rows == before
    for measure, table in found.tables.items():
        assert table.total.theirs == sum(getattr(one, measure) or 0 for one in figures)
        column = "contracted" if measure is Measure.COST else measure.value
        assert (table.total.ours or 0) == sum(getattr(row, column) for row in found.rows)
        for key in (lambda line: line.model, lambda line: str(line.day), lambda line: line.token_class):
            assert sum(one.difference for one in table.by(key)) == table.total.difference
        assert table.total.difference == sum(line.difference for line in table.lines)
        assert len({line[:3] for line in table.lines}) == len(table.lines)
    assert len(reasons(found, 12)) < 20
    if not provider:
        assert len(found.rows) == len(rows)
