"""A statement in words: what is unknown never reads as zero, and corrections hide nothing."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.chargeback.document import Document, Earlier, Line, digest, from_json, to_json
from analytics.chargeback.files import COLUMNS, csv_lines
from analytics.chargeback.presentation import Shown, cost_text, shown
from analytics.chargeback.shared import SharedLine
from analytics.chargeback.usage import Amounts
from tests.chargeback.scene import OCTOBER, SEPTEMBER

USD = 10**12


def amounts(usd: str = "0", *, priced: int = 0, unpriced: int = 0) -> Amounts:
    cost = int(Decimal(usd) * USD)
    return Amounts(requests=priced + unpriced, cost=cost, priced_requests=priced, unpriced_requests=unpriced)


def document(
    *lines: Amounts,
    adjustments: tuple[Amounts, ...] = (),
    previous: Earlier | None = None,
    shared: tuple[int, ...] = (),
) -> Document:
    """A statement of October with those lines, corrections of September, and shared costs in picodollars."""
    return Document(
        number="S1-202610-001",
        slug="acme",
        organization="Acme Works",
        team="Search",
        unassigned=False,
        month=OCTOBER,
        zone="Europe/Berlin",
        start=datetime(2026, 9, 30, 22, tzinfo=UTC),
        end=datetime(2026, 10, 31, 23, tzinfo=UTC),
        issued_at=datetime(2026, 11, 3, 23, tzinfo=UTC),
        price_book_version=7,
        lines=tuple(Line(f"model-{number}", one) for number, one in enumerate(lines)),
        adjustments=tuple(Line(f"model-{number}", one, SEPTEMBER) for number, one in enumerate(adjustments)),
        previous=previous,
        shared=tuple(
            SharedLine(f"Share of bot-{number}, evenly, 50 %", f"bot-{number}", number, "even", "50", cost)
            for number, cost in enumerate(shared)
        ),
    )


def view(*lines: Amounts, adjustments: tuple[Amounts, ...] = (), previous: Earlier | None = None) -> Shown:
    return shown(document(*lines, adjustments=adjustments, previous=previous), "d" * 64)


def cells(shown_document: Document) -> list[tuple[str, str, str, str]]:
    """Kind, unpriced requests, rounded and exact cost of every row of the CSV file."""
    wanted = [COLUMNS.index(name) for name in ("kind", "unpriced_requests", "cost_usd", "cost_exact_usd")]
    rows = list(csv.reader(csv_lines(shown_document)))
    return [(row[wanted[0]], row[wanted[1]], row[wanted[2]], row[wanted[3]]) for row in rows[1:]]


def test_rows_add_up_to_the_total_as_displayed() -> None:
    third = amounts("33.333333333333", priced=1)
    page = view(third, third, third)
    assert [row.cost for row in page.rows] == ["$33.3334", "$33.3333", "$33.3333"]
    assert page.total.cost == "$100.0000"
    assert (page.total.exact, page.total.requests) == ("99.999999999999", "3")
    assert page.issued == "4 November 2026"
    assert (page.month, page.coverage, page.unpriced) == ("October 2026", "Every billable request has a price.", None)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (amounts("12.3", priced=1), "$12.3000"),
        (amounts("12.3", priced=1, unpriced=2), "at least $12.3000"),
        (amounts(unpriced=2), "no price"),
        (amounts(priced=1), "$0.0000"),
        (amounts("-12.3"), "-$12.3000"),
        (amounts("-12.3", unpriced=1), "at least -$12.3000"),
        (amounts("12.3", unpriced=-1), "$12.3000"),
    ],
)
def test_costs_in_words(one: Amounts, says: str) -> None:
    assert cost_text(one, Decimal(one.cost).scaleb(-12).quantize(Decimal("0.0001"))) == says


def test_what_has_no_price_is_never_a_zero() -> None:
    paper = document(amounts(unpriced=3), amounts(unpriced=1))
    page = shown(paper, "d" * 64)
    assert [(row.cost, row.exact) for row in (*page.rows, page.total)] == [("no price", "")] * 3
    assert page.unpriced == "4 requests have no price and add nothing to the total."
    assert page.coverage == "0.0 % of the billable requests have a price."
    assert cells(paper) == [("usage", "3", "", ""), ("usage", "1", "", ""), ("total", "4", "", "")]


def test_a_total_without_all_prices_is_a_lower_bound() -> None:
    paper = document(amounts("2", priced=3), amounts(unpriced=1))
    page = shown(paper, "d" * 64)
    assert [row.cost for row in page.rows] == ["$2.0000", "no price"]
    assert page.total.cost == "at least $2.0000"
    assert page.unpriced == "1 request has no price and adds nothing to the total."
    assert page.coverage == "75.0 % of the billable requests have a price."
    assert cells(paper) == [("usage", "0", "2.0000", "2"), ("usage", "1", "", ""), ("total", "1", "2.0000", "2")]


def test_requests_that_got_a_price_do_not_hide_those_that_have_none() -> None:
    """Two of September were priced since, two of October are not: the sum of both counts is zero."""
    page = view(
        amounts("1", priced=1, unpriced=2), adjustments=(Amounts(cost=USD, unpriced_requests=-2, priced_requests=2),)
    )
    assert [row.cost for row in page.all_rows] == ["at least $1.0000", "$1.0000"]
    assert page.total.cost == "at least $2.0000"
    assert page.unpriced == "2 requests have no price and add nothing to the total."
    assert page.coverage == "60.0 % of the billable requests have a price."


def test_nor_do_free_ones() -> None:
    paper = document(amounts(unpriced=2), adjustments=(Amounts(unpriced_requests=-2, priced_requests=2),))
    assert shown(paper, "d" * 64).total.cost == "no price"
    assert cells(paper) == [("usage", "2", "", ""), ("adjustment", "-2", "0.0000", "0"), ("total", "0", "", "")]


def test_corrections_alone() -> None:
    page = view(adjustments=(amounts("0.5", priced=1), amounts("-2")))
    assert [(row.adjusts, row.cost) for row in page.corrections] == [
        ("September 2026", "$0.5000"),
        ("September 2026", "-$2.0000"),
    ]
    assert (page.rows, page.total.cost) == ((), "-$1.5000")
    assert view(adjustments=(amounts("-2"),)).coverage == "Nothing in it was billable."


@pytest.mark.parametrize(
    ("used", "earlier", "change", "cost"),
    [
        (amounts("15", priced=1), ("10", 0), "up 50.0 %", "$10.00"),
        (amounts("5", priced=1), ("10", 2), "down 50.0 %", "at least $10.00"),
        (amounts(), ("10", 0), "down 100.0 %", "$10.00"),
        (amounts("5", priced=1), ("0", 2), None, "no price"),
        (amounts("5", priced=1), ("0", 0), None, "$0.00"),
        (amounts(unpriced=1), ("10", 0), None, "$10.00"),
    ],
)
def test_the_month_before_is_compared_when_both_are_known(
    used: Amounts, earlier: tuple[str, int], change: str | None, cost: str
) -> None:
    usd, unpriced = earlier
    page = view(used, previous=Earlier("S1-202609-001", SEPTEMBER, int(usd) * USD, unpriced))
    assert (page.change, page.previous_month, page.previous_number) == (change, "September 2026", "S1-202609-001")
    assert page.previous_cost == cost


def test_corrections_are_no_part_of_the_comparison() -> None:
    earlier = Earlier("S1-202609-001", SEPTEMBER, 10 * USD, 0)
    page = view(amounts("10", priced=1), adjustments=(amounts("90", priced=1),), previous=earlier)
    assert (page.change, page.total.cost) == ("unchanged", "$100.00")


COUNTS = st.integers(-(2**62), 2**62)
LINES = st.builds(
    Line,
    st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=20),
    st.builds(Amounts, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
    st.one_of(st.none(), st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(lambda day: day.replace(day=1))),
)


@given(st.lists(LINES, max_size=6), COUNTS)
def test_what_is_written_is_what_is_read(lines: list[Line], cost: int) -> None:
    own = tuple(line for line in lines if not line.adjusts)
    others = tuple(line for line in lines if line.adjusts)
    earlier = Earlier("S1-202609-001", SEPTEMBER, cost, 3)
    paper = replace(document(previous=earlier), lines=own, adjustments=others)
    value = to_json(paper)
    assert from_json(value) == paper
    assert digest(dict(reversed(value.items()))) == digest(value)
    page = shown(paper, digest(value))
    assert sum(row.amount for row in page.all_rows) == page.total.amount


def test_shared_costs_are_lines_of_the_total_and_no_requests() -> None:
    paper = document(amounts("10", priced=1), shared=(-10 * USD, 3 * USD))
    page = shown(paper, "d" * 64)
    assert [(row.model, row.cost) for row in page.shared] == [
        ("Share of bot-0, evenly, 50 %", "-$10.0000"),
        ("Share of bot-1, evenly, 50 %", "$3.0000"),
    ]
    assert (page.total.cost, page.total.requests, page.shared_sum) == ("$3.0000", "1", "-$7.00")
    assert cells(paper)[1:] == [
        ("shared", "0", "-10.0000", "-10"),
        ("shared", "0", "3.0000", "3"),
        ("total", "0", "3.0000", "3"),
    ]
    assert paper.used.cost == 10 * USD


def test_what_was_given_away_is_zero_and_not_unknown() -> None:
    paper = document(amounts("10", priced=1), amounts(unpriced=1), shared=(-10 * USD,))
    page = shown(paper, "d" * 64)
    assert (page.total.cost, page.total.exact) == ("at least $0.0000", "0")
    assert cells(paper)[-1] == ("total", "1", "0.0000", "0")
    assert [row.cost for row in page.rows] == ["$10.0000", "no price"]


def test_a_document_without_shared_lines_says_nothing_of_them() -> None:
    """So that it is what it was before there were any, and so is its hash."""
    value = to_json(document(amounts("10", priced=1)))
    assert "shared" not in value
    assert from_json(value).shared == ()
    more = document(amounts("10", priced=1), shared=(-1, 1))
    assert from_json(to_json(more)) == more
    assert digest(to_json(more)) != digest(value)
