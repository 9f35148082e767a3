"""The difference between a catalogue and its earlier imports."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ingestion.pricing.catalogues.base import Catalogue, Key, Point
from ingestion.pricing.catalogues.diff import Change, Held, Price, compare
from tests.ingestion.prices.reading import plain

KEY = Key("openai", "exact", "gpt-5", "input")
DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 8)]


def in_order(prices: Iterable[Price]) -> list[Price]:
    return sorted(prices, key=lambda price: price.since)


points = st.lists(
    st.builds(Point, st.none() | st.sampled_from(DAYS), st.none() | st.integers(0, 2).map(Decimal)),
    min_size=1,
    max_size=4,
    unique_by=lambda point: point.since,
)
held_prices = st.lists(
    st.builds(Price, st.sampled_from(DAYS), st.none() | st.integers(0, 2).map(Decimal)),
    max_size=4,
    unique_by=lambda price: price.since,
).map(in_order)


def catalogue(*several: Point, key: Key = KEY) -> Catalogue:
    found = Catalogue("test", "1")
    found.propose("it", key, several)
    return found


def short(changes: Sequence[Change]) -> list[tuple[str, int, str | None, str | None]]:
    """Kind, day, old and new price."""
    return [(one.kind.value, one.since.day, plain(one.old), plain(one.new)) for one in changes]


def one(price: str | None) -> Decimal | None:
    return None if price is None else Decimal(price)


def held(**days: str | None) -> Held:
    return {KEY: [Price(DAYS[int(day[1:]) - 1], one(price)) for day, price in days.items()]}


def after(before: Sequence[Price], changes: Sequence[Change]) -> list[Price]:
    """The line with the entries appended: of two with one date the later entry counts."""
    merged = {price.since: price for price in before} | {one.since: Price(one.since, one.new) for one in changes}
    return in_order(merged.values())


def at(prices: Sequence[Price], instant: datetime) -> Decimal | None:
    return next((price.price for price in reversed(prices) if price.since <= instant), None)


def test_new_changed_gone_and_unchanged() -> None:
    undated = catalogue(Point(None, Decimal(2)))
    assert short(compare(undated, {}, DAYS[2]).changes) == [("new", 3, None, "2")]
    assert short(compare(undated, held(d1="1"), DAYS[2]).changes) == [("changed", 3, "1", "2")]
    assert short(compare(Catalogue("test", "2"), held(d1="1"), DAYS[2]).changes) == [("gone", 3, "1", None)]
    same = compare(undated, held(d1="2.000000"), DAYS[2])
    assert (same.changes, same.unchanged) == ((), 1)
    assert compare(Catalogue("test", "2"), held(d1="1", d2=None), DAYS[2]).changes == ()


def test_what_is_skipped_is_not_gone() -> None:
    found = catalogue(Point(None, Decimal("0.00000001")))
    assert compare(found, held(d1="1"), DAYS[2]).changes == ()


def test_the_catalogue_s_own_dates_are_kept() -> None:
    found = catalogue(Point(None, Decimal(10)), Point(DAYS[3], Decimal(2)))
    assert short(compare(found, {}, DAYS[1]).changes) == [("new", 2, None, "10"), ("new", 4, None, "2")]
    # Imported when the later price is in force already, the earlier one has no date and no use.
    assert short(compare(found, {}, DAYS[5]).changes) == [("new", 4, None, "2")]


def test_later_entries_are_overruled_too() -> None:
    """An entry holds until the next one: without a second entry the book would fall back to 1 on the fifth."""
    found = catalogue(Point(None, Decimal(2)))
    assert short(compare(found, held(d1="3", d5="1"), DAYS[2]).changes) == [
        ("changed", 3, "3", "2"),
        ("changed", 5, "1", "2"),
    ]
    assert short(compare(Catalogue("test", "2"), held(d5="1"), DAYS[2]).changes) == [("gone", 5, "1", None)]


def test_history_is_not_rewritten_before_the_first_wanted_date() -> None:
    found = catalogue(Point(DAYS[3], Decimal(2)))
    assert short(compare(found, held(d1="1", d2="7"), DAYS[5]).changes) == [("changed", 4, "7", "2")]


@given(points, held_prices, st.sampled_from(DAYS))
def test_after_it_the_book_says_what_the_catalogue_says(
    wanted: list[Point], before: list[Price], effective_from: datetime
) -> None:
    found = catalogue(*wanted)
    changes = compare(found, {KEY: before}, effective_from).changes
    book = after(before, changes)
    dated = in_order([Price(point.since, point.price) for point in wanted if point.since])
    undated = [point.price for point in wanted if point.since is None]
    for instant in DAYS:
        expected = at(dated, instant)
        if undated and instant >= effective_from and not any(price.since <= instant for price in dated):
            expected = undated[0]
        reaches = instant >= effective_from or any(price.since <= instant for price in dated)
        if reaches and (undated or any(price.since <= instant for price in dated)):
            assert at(book, instant) == expected
    assert len({change.since for change in changes}) == len(changes)


@given(points, held_prices, st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_a_second_import_appends_nothing(
    wanted: list[Point], before: list[Price], effective_from: datetime, again: datetime
) -> None:
    found = catalogue(*wanted)
    book = after(before, compare(found, {KEY: before}, effective_from).changes)
    assert compare(found, {KEY: book}, max(effective_from, again)).changes == ()
