"""Discount, markup, aliases and whose figure counts: the worked examples, the order of precedence, brute force."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.pricing.arithmetic import NO_UNITS, TOKEN_CLASSES, Entry, Quantities, Rates, Units
from ingestion.pricing.arithmetic import rates as prices_of
from ingestion.pricing.matching import Pattern
from ingestion.pricing.settling import Settled, settle
from ingestion.pricing.terms import Adjustment, Alias, Policy, Terms, parts_per_million, stands_for, terms
from ingestion.records import CostState

DAY = datetime(2026, 1, 1, tzinfo=UTC)
LATER = DAY + timedelta(days=1)
EVERYTHING = Pattern("*", "glob", "*")
_orders = count(1)


def adjustment(kind: str, percent: str | None, pattern: Pattern = EVERYTHING, **fields: object) -> Adjustment:
    defaults: dict[str, object] = {"team_id": None, "effective_from": DAY, "order": next(_orders)}
    amount = None if percent is None else Decimal(percent)
    return Adjustment(kind=kind, pattern=pattern, percent=amount, **(defaults | fields))  # type: ignore[arg-type]  # defaults of mixed types


def agreed(discount: str, markup: str) -> Terms:
    return terms([adjustment("discount", discount), adjustment("markup", markup)], [], DAY)


def rates(*prices: int, agreed: Terms, request: int | None = None, units: Units = NO_UNITS) -> Rates:
    """Picodollars per token of the first classes."""
    return Rates((*prices, *(None,) * (10 - len(prices))), request, units, agreed)


def computed(quantities: tuple[int, ...], prices: Rates, **fields: object) -> Settled:
    whole = Quantities(*quantities, *(0,) * (10 - len(quantities)))
    given: dict[str, object] = {"failed": False, "tokens_absent": False, "reported": None}
    return settle(whole, prices, **(given | fields))  # type: ignore[arg-type]  # defaults of mixed types


def test_e10_discount_then_markup() -> None:
    prices = Rates((150_000, 75_000, *(None,) * 4, 600_000, *(None,) * 3), None, NO_UNITS, agreed("5", "10"))
    quantities = Quantities(36, 36, 0, 0, 0, 0, 9, 0, 0, 0)
    found = settle(quantities, prices, failed=False, tokens_absent=False, reported=None)
    assert found == Settled(CostState.COMPUTED, 14_107_500, 13_500_000, 12_825_000)


def test_the_example_of_litellm() -> None:
    assert agreed("5", "10").charge(1_000_000_000_000) == (950_000_000_000, 1_045_000_000_000)


def test_e11_each_line_is_rounded_once_half_to_even() -> None:
    assert agreed("33.333", "12.5").charge(260_000) == (173_334, 195_001)
    quarter_off = agreed("25", "0")
    assert [quarter_off.charge(line)[0] for line in (2, 10, 6)] == [2, 8, 4]


def test_lines_are_rounded_one_by_one_not_their_sum() -> None:
    found = computed((1, 1), rates(2, 2, agreed=agreed("25", "0")))
    assert found == Settled(CostState.COMPUTED, 4, 4, 4)  # 1.5 -> 2, twice; the sum would be 3


@given(
    st.lists(st.integers(0, 2**40), min_size=10, max_size=10),
    st.lists(st.integers(0, 10**9).map(lambda number: Decimal(number).scaleb(-6)), min_size=10, max_size=10),
    st.sampled_from(["0", "5", "33.3333", "100"]),
    st.sampled_from(["0", "10", "12.5"]),
)
def test_a_request_costs_what_its_lines_cost(
    tokens: list[int], prices: list[Decimal], discount: str, markup: str
) -> None:
    book = [
        Entry(False, True, "*", "exact", "m", name, 0, "standard", price, DAY, number)
        for number, (name, price) in enumerate(zip(TOKEN_CLASSES, prices, strict=True))
    ]
    found = computed(tuple(tokens), prices_of(book, "standard", 0, DAY, agreed(discount, markup)))
    listed = [count * price * 10**6 for count, price in zip(tokens, prices, strict=True)]
    with localcontext(prec=60):
        contracted = [line * (100 - Decimal(discount)) / 100 for line in listed]
        billed = [line * (100 + Decimal(markup)) / 100 for line in contracted]
        rounded = [sum(int(one.quantize(Decimal(1), ROUND_HALF_EVEN)) for one in many) for many in (contracted, billed)]
    if any(tokens):
        assert (found.list_cost, found.contracted_cost, found.cost) == (int(sum(listed)), *rounded)
    else:
        assert found.state is CostState.NONE


percents = st.integers(0, 1_000_000).map(lambda number: Decimal(number).scaleb(-4))


@given(st.integers(0, 2**63), percents, st.integers(0, 50_000_000).map(lambda n: Decimal(n).scaleb(-4)))
def test_charges_equal_exact_decimals(line: int, discount: Decimal, markup: Decimal) -> None:
    found = Terms(1_000_000 - parts_per_million(discount), 1_000_000 + parts_per_million(markup)).charge(line)
    with localcontext(prec=60):
        left = Decimal(line) * (100 - discount) / 100
        exact = left * (100 + markup) / 100
        assert found == tuple(int(amount.quantize(Decimal(1), ROUND_HALF_EVEN)) for amount in (left, exact))


@pytest.mark.parametrize("percent", ["0.00001", "33.33333"])
def test_more_than_four_decimals_are_refused(percent: str) -> None:
    with pytest.raises(ValueError, match="four decimals"):
        parts_per_million(Decimal(percent))


def discount(adjustments: list[Adjustment], at: datetime = LATER) -> Decimal:
    return Decimal(1_000_000 - terms(adjustments, [], at).contracted).scaleb(-4)


def test_the_most_specific_discount_applies() -> None:
    found = [
        adjustment("discount", "1"),
        adjustment("discount", "2", Pattern("openai", "glob", "*")),
        adjustment("discount", "3", Pattern("*", "glob", "gpt*")),
        adjustment("discount", "4", Pattern("*", "prefix", "gpt-5")),
        adjustment("discount", "5", Pattern("*", "exact", "gpt-5")),
        adjustment("discount", "6", Pattern("openai", "exact", "gpt-5")),
        adjustment("discount", "7", team_id=1),
        adjustment("discount", "8", Pattern("*", "exact", "gpt-5"), team_id=1),
    ]
    assert [discount(found[:size]) for size in range(len(found) + 1)] == list(range(len(found) + 1))
    assert [discount(found[:size][::-1]) for size in range(len(found) + 1)] == list(range(len(found) + 1))


def test_adjustments_hold_from_their_instant_until_the_next_of_their_line() -> None:
    found = [adjustment("discount", "5"), adjustment("discount", "7", effective_from=LATER)]
    instants = (DAY - timedelta(microseconds=1), DAY, LATER - timedelta(microseconds=1), LATER)
    assert [discount(found, at) for at in instants] == [0, 5, 5, 7]


def test_one_without_percent_ends_its_line_and_uncovers_the_next() -> None:
    found = [adjustment("discount", "5"), adjustment("discount", "50", team_id=1)]
    assert discount(found) == 50
    assert discount([*found, adjustment("discount", None, team_id=1, effective_from=LATER)]) == 5


def test_a_later_one_of_the_same_instant_corrects_the_earlier_one() -> None:
    assert discount([adjustment("discount", "5"), adjustment("discount", "6")]) == 6


def test_discount_and_markup_do_not_replace_each_other() -> None:
    assert terms([adjustment("markup", "10", team_id=1), adjustment("discount", "5")], [], DAY)[:2] == (
        950_000,
        1_100_000,
    )


def alias(kind: str, match: str, model: str, *, own: bool = True, provider: str = "") -> Alias:
    return Alias(own, Pattern("*", kind, match), provider, model, next(_orders))


@pytest.mark.parametrize(
    ("aliases", "expected"),
    [
        ([], ("aws", "us.claude")),
        ([alias("exact", "us.claude", "claude")], ("aws", "claude")),
        ([alias("exact", "us.claude", "claude", provider="anthropic")], ("anthropic", "claude")),
        ([alias("exact", "aws/us.claude", "claude")], ("aws", "claude")),
        ([alias("glob", "us.*", "claude"), alias("prefix", "us.", "opus")], ("aws", "opus")),
        ([alias("prefix", "us.cl", "claude"), alias("prefix", "us.", "opus")], ("aws", "claude")),
        ([alias("exact", "us.claude", "opus", own=False), alias("glob", "*", "claude")], ("aws", "claude")),
        ([alias("exact", "us.claude", "claude"), alias("exact", "us.claude", "opus")], ("aws", "opus")),
        ([alias("exact", "us.claude", "claude"), alias("exact", "us.claude", "")], ("aws", "us.claude")),
        (
            [alias("glob", "*", "claude"), alias("exact", "us.claude", "a"), alias("exact", "us.claude", "")],
            ("aws", "claude"),
        ),
        ([alias("exact", "us.claude", "x"), alias("exact", "x", "y")], ("aws", "x")),
        ([alias("exact", "gpt", "claude")], ("aws", "us.claude")),
    ],
)
def test_aliases(aliases: list[Alias], expected: tuple[str, str]) -> None:
    assert stands_for(aliases, "aws", "us.claude") == expected


PRICED, UNPRICED = rates(5, agreed=Terms()), rates(agreed=Terms())


@pytest.mark.parametrize(
    ("policy", "prices", "reported", "expected"),
    [
        ("computed_first", PRICED, 7, Settled(CostState.COMPUTED, 10, 10, 10)),
        ("computed_first", UNPRICED, 7, Settled(CostState.REPORTED, 7, None, 7)),
        ("reported_first", PRICED, 7, Settled(CostState.REPORTED, 7, 10, 7)),
        ("reported_first", PRICED, None, Settled(CostState.COMPUTED, 10, 10, 10)),
        ("reported_first", UNPRICED, None, Settled(CostState.UNPRICED, None, None, None)),
        ("computed_only", PRICED, 7, Settled(CostState.COMPUTED, 10, 10, 10)),
        ("computed_only", UNPRICED, 7, Settled(CostState.UNPRICED, None, None, None)),
        ("reported_only", PRICED, 7, Settled(CostState.REPORTED, 7, 10, 7)),
        ("reported_only", PRICED, None, Settled(CostState.UNPRICED, None, 10, None)),
    ],
)
def test_policies(policy: str, prices: Rates, reported: int | None, expected: Settled) -> None:
    in_force = prices._replace(agreed=terms([], [Policy(policy, False, DAY, 1)], DAY))
    assert computed((2,), in_force, reported=reported) == expected


def test_nothing_billable_and_a_figure_that_the_policy_refuses_is_not_free() -> None:
    only = rates(5, agreed=Terms(policy="computed_only"))
    assert computed((0,), only, reported=7) == Settled(CostState.UNPRICED, None, None, None)
    assert computed((0,), only) == Settled(CostState.NONE, 0, 0, 0)
    assert computed((0,), rates(5, agreed=Terms()), reported=7) == Settled(CostState.REPORTED, 7, None, 7)


def test_the_latest_policy_holds() -> None:
    policies = [Policy("reported_only", False, LATER, 2), Policy("computed_only", False, DAY, 3)]
    assert [terms([], policies, at).policy for at in (DAY - timedelta(1), DAY, LATER)] == [
        "computed_first",
        "computed_only",
        "reported_only",
    ]


@pytest.mark.parametrize(
    ("adjusted", "expected"),
    [(False, Settled(CostState.REPORTED, 200, None, 200)), (True, Settled(CostState.REPORTED, 110, None, 100))],
)
def test_the_gateways_figure_is_adjusted_only_on_request(adjusted: bool, expected: Settled) -> None:
    half = Terms(500_000, 1_100_000, adjust_reported=adjusted)
    assert computed((2,), rates(agreed=half), reported=200) == expected


@pytest.mark.parametrize(
    ("units", "failed", "cost"),
    [({"search": 3}, False, 31), ({"search": 3}, True, 30), ({"search": 0}, False, 0), ({"image": 1}, False, None)],
)
def test_what_is_billed_by_the_piece(units: dict[str, int], failed: bool, cost: int | None) -> None:
    prices = rates(5, agreed=Terms(), request=1 if units.get("search") else None, units={"search": 10})
    assert computed((0,), prices, units=units, failed=failed).cost == cost
