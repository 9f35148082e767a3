"""Mergeable histograms."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metricsportal.lib import histogram
from metricsportal.lib.histogram import Dense, Entries

BUCKETS = range(len(histogram.UPPER_BOUNDS))
durations = st.one_of(st.integers(0, 200), st.integers(0, 10**9), st.integers(0, 2**62))
samples = st.lists(durations, min_size=1, max_size=200)


def encoded(values: list[int]) -> Entries:
    """One owner's histogram."""
    slots = histogram.bucket_of(np.array(values, dtype=np.int64)).astype(np.int64) + 1
    return histogram.compact(np.zeros(len(values), dtype=np.int64), slots, None, 1)


def merged(parts: list[Entries]) -> Entries:
    together = histogram.concatenate(parts)
    owners = np.zeros(len(together.slots), dtype=np.int64)
    return histogram.compact(owners, together.slots, together.counts, 1)


def equal(one: Entries, other: Entries) -> bool:
    pairs = ((one.lengths, other.lengths), (one.slots, other.slots), (one.counts, other.counts))
    return all(np.array_equal(*pair) for pair in pairs)


def in_rows(parts: list[Entries]) -> Dense:
    return histogram.dense(histogram.concatenate(parts), np.arange(len(parts)), len(parts))


def percentile_of(values: list[int], percentile: int) -> float:
    return float(histogram.percentiles(in_rows([encoded(values)]), [percentile])[0, 0])


several = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 2047) | st.integers(700, 705), st.integers(1, 9)), max_size=80
)


@given(several, st.booleans())
def test_entries_are_the_same_however_they_are_counted(found: list[tuple[int, int, int]], counted: bool) -> None:
    owners, slots, counts = (np.array([one[place] for one in found], dtype=np.int64) for place in range(3))
    expected: dict[tuple[int, int], int] = {}
    for owner, slot, count in found:
        expected[owner, slot] = expected.get((owner, slot), 0) + (count if counted else 1)
    for crowded in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(histogram, "_CROWDED", crowded)
            entries = histogram.compact(owners, slots, counts if counted else None, 10)
        keys = zip(entries.owners.tolist(), entries.slots.tolist(), strict=True)
        assert list(zip(keys, entries.counts.tolist(), strict=True)) == sorted(expected.items())
        assert len(entries.lengths) == 10


def test_borders_are_the_floors_of_the_exact_powers() -> None:
    # n = floor(2^(b/32))  <=>  n^32 <= 2^b < (n+1)^32, in integers of any size.
    assert len(BUCKETS) == 2016
    for bucket in BUCKETS:
        bound = int(histogram.UPPER_BOUNDS[bucket])
        assert bound**32 <= 1 << bucket < (bound + 1) ** 32


@given(st.integers(1, 2**62))
def test_a_value_lies_between_the_borders_of_its_bucket(value: int) -> None:
    bucket = int(histogram.bucket_of(np.array([value]))[0])
    assert value**32 <= 1 << bucket  # value <= g^b
    assert bucket == 0 or value**32 > 1 << bucket - 1  # value > g^(b-1)


def test_a_border_belongs_to_the_lower_bucket() -> None:
    assert histogram.bucket_of(np.array([0, 1, 2, 3, 1 << 20, (1 << 20) + 1])).tolist() == [-1, 0, 32, 51, 640, 641]


@given(samples, st.sampled_from([1, 7, 50, 75, 90, 99, 100]))
def test_percentiles_are_within_the_promised_error(values: list[int], percentile: int) -> None:
    exact = sorted(values)[histogram.rank(len(values), percentile) - 1]
    assert percentile_of(values, percentile) == pytest.approx(exact, rel=histogram.RELATIVE_ERROR, abs=0)


@given(samples, st.randoms())
def test_merging_forgets_order_and_grouping(values: list[int], random: Random) -> None:
    whole = encoded(values)
    shuffled = random.sample(values, len(values))
    cut = random.randint(0, len(values))
    parts = [encoded(part) for part in (shuffled[:cut], shuffled[cut:]) if part]
    assert equal(merged(parts), whole)
    assert equal(merged([*reversed(parts), histogram.no_entries(1)]), whole)
    one_row = np.zeros(len(parts), dtype=np.int64)
    together = histogram.dense(histogram.concatenate(parts), one_row, 1)
    assert together.counts.tolist() == in_rows([whole]).counts.tolist()


@given(st.lists(samples, min_size=1, max_size=6), st.data())
def test_rows_do_not_disturb_each_other(many: list[list[int]], data: st.DataObject) -> None:
    percentile = data.draw(st.sampled_from([1, 50, 99, 100]))
    found = histogram.percentiles(in_rows([encoded(values) for values in many]), [percentile, 50])
    assert found[:, 0].tolist() == [percentile_of(values, percentile) for values in many]
    assert found[:, 1].tolist() == [percentile_of(values, 50) for values in many]


@given(st.lists(st.one_of(samples, st.just([])), min_size=1, max_size=6))
def test_percentiles_of_entries_are_those_of_rows(many: list[list[int]]) -> None:
    parts = [encoded(values) if values else histogram.no_entries(1) for values in many]
    wanted = [1, 50, 99, 100]
    found = histogram.percentiles_of(histogram.concatenate(parts), wanted)
    assert np.array_equal(found, histogram.percentiles(in_rows(parts), wanted), equal_nan=True)


def test_zeros_rank_first() -> None:
    values = [0, 0, 0, 5_000_000]
    assert [percentile_of(values, p) for p in (1, 50, 75)] == [0, 0, 0]
    assert percentile_of(values, 99) == pytest.approx(5_000_000, rel=histogram.RELATIVE_ERROR)


def test_no_samples_have_no_percentile() -> None:
    counts = in_rows([histogram.no_entries(1), encoded([7]), histogram.no_entries(1)])
    assert np.isnan(histogram.percentiles(counts, [50])[:, 0]).tolist() == [True, False, True]
    assert np.isnan(histogram.percentiles(in_rows([histogram.no_entries(1)]), [50, 99])).all()


@pytest.mark.parametrize(("n", "percentile", "k"), [(100, 7, 7), (1, 1, 1), (10, 99, 10), (200, 50, 100), (3, 50, 2)])
def test_rank_is_nearest_rank_in_integers(n: int, percentile: int, k: int) -> None:
    assert histogram.rank(n, percentile) == k


def test_counts_beyond_thirty_two_bits_survive() -> None:
    one = Entries(*(np.array([value]) for value in (1, 33, 4_000_000_000)))
    assert merged([one, one]).counts.tolist() == [8_000_000_000]
    assert histogram.dense(histogram.concatenate([one, one]), np.zeros(2, dtype=np.int64), 1).counts.tolist() == [
        [8_000_000_000]
    ]
