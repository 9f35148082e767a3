"""How the facts of a window are dealt to transactions, so that new rows find room on the page of the old ones."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from ingestion import services
from ingestion.models import ChangedHour, LLMRequest
from ingestion.repricing import windows
from ingestion.repricing.windows import PARTS, STRIDES, deal
from teams.models import Organization
from tests import make, restricted
from tests.ingestion.prices.repricing import apply, at, everything

PAGE = 20
"""Facts that PostgreSQL has on a page, about."""


@given(st.integers(1, 2**40), st.sampled_from(STRIDES), st.integers(1, 60))
def test_every_row_is_in_one_part_and_keeps_its_order(first: int, stride: int, count: int) -> None:
    ids = [first + number * 7 for number in range(200)]
    parts = [[int(row[0]) for row in part] for part in deal([(pk,) for pk in ids], count, stride)]
    assert len(parts) == count
    assert sorted(pk for part in parts for pk in part) == ids
    assert all(earlier < later for part in parts for earlier, later in pairwise(part))


@given(st.integers(1, 2**40), st.sampled_from(STRIDES))
def test_neighbours_are_in_different_parts(first: int, stride: int) -> None:
    parts = deal([(first + number,) for number in range(PAGE)], PARTS["postgresql"], stride)
    assert max(map(len, parts)) <= 3


@pytest.mark.parametrize("one", STRIDES)
@pytest.mark.parametrize("other", STRIDES)
def test_rows_of_one_part_are_dealt_apart_by_another_run(one: int, other: int) -> None:
    if one == other:
        return
    moved = deal([(number,) for number in range(1, 60_000)], PARTS["postgresql"], one)[0]
    pages = [moved[start : start + PAGE] for start in range(0, len(moved), PAGE)]
    largest = Counter(max(map(len, deal(page, PARTS["postgresql"], other))) for page in pages)
    assert sum(count for size, count in largest.items() if size <= 6) > 0.9 * len(pages)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite changes rows where they are")
@pytest.mark.django_db(transaction=True)
def test_repriced_rows_stay_on_their_page(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that moves to another page is entered anew in every index."""
    monkeypatch.setitem(windows.WINDOWS, "postgresql", 500)
    records = [make.record(request_id=f"r{n:04}", started_at=at(11) + timedelta(seconds=n)) for n in range(1_500)]
    services.ingest_records(organization=acme, records=records, source="test", now=make.NOW, past_days=None)
    make.price("gpt-4o", "output", "1")
    make.price("gpt-4o", "input", "1")
    apply(everything(acme))  # from unpriced to computed: another matter, an index knows the state
    with restricted.as_owner(), connection.cursor() as cursor:
        cursor.execute(f"VACUUM (FULL) {LLMRequest._meta.db_table}")
    make.price("gpt-4o", "input", "2", effective_from=at(1))
    before = _pages()
    assert apply(everything(acme)).total.changed == len(records)
    assert sum(before[pk] != page for pk, page in _pages().items()) <= len(records) * 0.03


def _pages() -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, (ctid::text::point)[0]::int FROM {LLMRequest._meta.db_table}")
        return dict(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_every_hour_of_a_part_is_told(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(windows.PARTS, connection.vendor, 1)
    for number in range(6):
        make.request(acme, started_at=at(11) + timedelta(minutes=30 * number))
    ChangedHour.objects.all().delete()
    make.price("gpt-4o", "output", "1")
    make.price("gpt-4o", "input", "1")
    assert apply(everything(acme)).total.changed == 6
    assert ChangedHour.objects.values("hour_start").distinct().count() == 3
