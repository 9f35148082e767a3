"""Columns and cells come out of their byte strings as they went in; a part is what it is in the whole."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.catalog.columns import COLUMNS, HISTOGRAM_NAMES, Ints
from analytics.catalog.grains import BY_NAME
from analytics.cells.cells import Cells, from_facts, merge
from analytics.cells.packing import Packed, column, pack
from analytics.cells.storage import STORED, Kept, cells_of, row_of
from metricsportal.lib.histogram import Entries

numbers = st.one_of(st.integers(-2, 300), st.integers(0, 2**40), st.integers(0, 2**63 - 3))
GRAIN = BY_NAME["team_user"]


multiples = st.integers(0, 2**40).map(lambda number: number * 500 + 7)


@given(st.lists(st.lists(numbers, max_size=20) | st.lists(multiples, max_size=20), min_size=1, max_size=3))
def test_columns_come_out_as_they_went_in(parts: list[list[int]]) -> None:
    packed = [Packed(pack({"a": np.array(one, dtype=np.int64)}, len(one))) for one in parts]
    assert column(packed, "a").tolist() == [value for one in parts for value in one]
    assert column(packed, "never").tolist() == [0] * sum(map(len, parts))


def test_sums_beyond_64_bits_survive() -> None:
    large = np.array([0, 2**63, 10**27, 7], dtype=object)
    packed = Packed(pack({"cost": large}, 4))
    small = Packed(pack({"cost": np.array([5])}, 1))
    assert column([packed, small], "cost").tolist() == [0, 2**63, 10**27, 7, 5]


def test_amounts_take_less_room_in_their_unit_and_equal_columns_share_it() -> None:
    dice = np.random.default_rng(1)
    amounts = dice.integers(0, 2**30, 1_000) * 500
    plain, other = len(pack({"cost": amounts + dice.integers(0, 2, 1_000)}, 1_000)), {"cost": amounts}
    assert len(pack(other, 1_000)) < 0.6 * plain
    assert len(pack(other | {"list_cost": amounts, "reported_cost": amounts + 3}, 1_000)) < 0.7 * plain


def test_what_is_all_the_same_takes_no_room() -> None:
    assert len(pack({"team_id": np.full(10_000, 77)}, 10_000)) < 100


def cells(seed: int, facts: int = 60) -> Cells:
    """Cells of random facts, by team and user."""
    dice = np.random.default_rng(seed)
    columns: dict[str, Ints] = {one.name: dice.integers(0, 10**6, facts) for one in COLUMNS}
    samples: dict[str, Any] = {}
    for name in HISTOGRAM_NAMES:
        measured = dice.random(facts) < 0.6
        count = int(measured.sum())
        samples[name] = (measured, dice.integers(0, 10**7, count), dice.integers(0, 900, count))
    return from_facts(columns, samples, dice.integers(-1, 4, (facts, 2)))


def same(one: Cells, other: Cells) -> bool:
    """Whether two sets of cells are equal to the last number."""
    pairs = [(one.keys, other.keys)]
    pairs += [(one.sums[name], other.sums[name]) for name in one.sums]
    for name in HISTOGRAM_NAMES:
        pairs += [(one.mins[name], other.mins[name]), (one.maxs[name], other.maxs[name])]
        mine, theirs = one.entries[name], other.entries[name]
        pairs += [(mine.lengths, theirs.lengths), (mine.slots, theirs.slots), (mine.counts, theirs.counts)]
    return all(np.array_equal(*pair) for pair in pairs)


def of_some(entries: Entries, chosen: Any) -> Entries:
    """The entries of some owners."""
    kept = np.repeat(chosen, entries.lengths)
    return Entries(entries.lengths[chosen], entries.slots[kept], entries.counts[kept])


def stored(some: Cells) -> dict[str, Any]:
    row = row_of(some, organization_id=1, grain=GRAIN, key_id=None, bucket_start=datetime(2026, 11, 1, tzinfo=UTC))
    return dict(zip(STORED, row, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_cells_come_out_as_they_went_in(seed: int) -> None:
    before = cells(seed)
    row = stored(before)
    assert (row["cells"], row["requests"]) == (len(before), int(before.sums["requests"].sum()))
    assert same(cells_of(GRAIN, row["head"], row["records"]), before)


def test_counts_above_a_byte_and_above_two_are_kept() -> None:
    for times in (1, 300, 70_000):
        before = cells(1)
        for name in HISTOGRAM_NAMES:
            before.entries[name].counts[:] *= times
        row = stored(before)
        assert same(cells_of(GRAIN, row["head"], row["records"]), before)


@given(st.integers(0, 50), st.data())
def test_a_part_of_the_records_is_what_it_is_in_the_whole(seed: int, data: st.DataObject) -> None:
    many = [cells(seed), cells(seed + 1, facts=9)]
    rows = [stored(one) for one in many]
    kept = Kept([Packed(row["head"]) for row in rows])
    size = sum(map(len, many))
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    begins, ends = kept.spans
    pieces, start = [], 0
    for row, one in zip(rows, many, strict=True):
        cells_of_row = range(start, start := start + len(one))
        pieces.append(b"".join(row["records"][begins[cell] : ends[cell]] for cell in cells_of_row if chosen[cell]))
    records = kept.records(pieces, chosen)
    for name in HISTOGRAM_NAMES:
        found = records.entries(name)
        halves = np.split(chosen, [len(many[0])])
        parts = [of_some(one.entries[name], mine) for one, mine in zip(many, halves, strict=True)]
        assert found.slots.tolist() == [slot for part in parts for slot in part.slots.tolist()]
        assert found.counts.tolist() == [count for part in parts for count in part.counts.tolist()]
        assert found.lengths.tolist() == [length for part in parts for length in part.lengths.tolist()]


def test_merging_coarser_keys_equals_aggregating_them_at_once() -> None:
    dice = np.random.default_rng(3)
    columns: dict[str, Ints] = {one.name: dice.integers(0, 2**60, 200) for one in COLUMNS}
    columns |= {one.name: dice.integers(0, 9, 200) for one in COLUMNS if not one.money}
    samples = {
        name: (np.ones(200, dtype=bool), dice.integers(0, 99, 200), dice.integers(0, 9, 200))
        for name in HISTOGRAM_NAMES
    }
    keys = dice.integers(-1, 5, (200, 3))
    fine = from_facts(columns, samples, keys)
    assert same(merge(fine, fine.keys[:, [2]]), from_facts(columns, samples, keys[:, [2]]))
    assert same(merge(fine, fine.keys[:, []]), from_facts(columns, samples, keys[:, []]))
    total = merge(fine, fine.keys[:, []]).sums["cost"]
    assert total.tolist() == [sum(columns["cost"].tolist())]
    assert total[0] > 2**63
