"""Aggregates follow a reprice, and closed months become adjustment lines of the next statement."""

from datetime import date, datetime

import pytest
from django.db import connection

from analytics import rollups
from analytics.chargeback.usage import usage
from ingestion.repricing import runs, windows, work
from ingestion.repricing.report import report
from ingestion.repricing.tally import Sums
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization, Team
from tests import make
from tests.chargeback.scene import NOVEMBER, OCTOBER, SEPTEMBER, close, day, facts, frozen, said
from tests.ingestion.prices.repricing import apply, everything, pico, preview

pytestmark = pytest.mark.django_db
ONE = pico("0.0035")


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(windows.WINDOWS, connection.vendor, 3)
    monkeypatch.setitem(windows.PARTS, connection.vendor, 1)
    make.price("gpt-4o", "input", "2.5")
    make.price("gpt-4o", "output", "10")


def twice_as_expensive(since: datetime) -> None:
    make.price("gpt-4o", "input", "5", effective_from=since)
    make.price("gpt-4o", "output", "20", effective_from=since)


def test_aggregates_follow(acme: Organization) -> None:
    for number in range(10):
        make.request(acme, started_at=day(10, 1 + number // 2), team="Search", metadata={"env": "prod"})
    rollups.drain(acme.pk)
    twice_as_expensive(day(10, 3))
    apply(everything(acme))
    behind = rollups.verify(acme, make.NOW)
    assert behind.skipped > 0  # the changed hours say so themselves: nothing is compared that waits for the rollup
    assert behind.differences == ()
    rollups.drain(acme.pk)
    done = rollups.verify(acme, make.NOW)
    assert (done.skipped, done.differences) == (0, ())
    (stated,) = usage(acme, TimeRange(day(10, 1), day(10, 30)), make.NOW).teams.values()
    assert stated["gpt-4o"].cost == 4 * ONE + 6 * 2 * ONE


def test_a_closed_month_stays_and_its_difference_is_stated_next(acme: Organization, search: Team) -> None:
    for month in (9, 10, 11):
        for _ in range(4):
            make.request(acme, started_at=day(month), team="Search")
    close(acme, SEPTEMBER)
    close(acme, OCTOBER)
    before = frozen()
    twice_as_expensive(day(10, 1))
    foreseen = preview(everything(acme))
    assert foreseen.closed == {"2026-09": Sums(4, 0, 4 * ONE, 4 * ONE), "2026-10": Sums(4, 4, 4 * ONE, 8 * ONE)}
    assert foreseen.total == Sums(12, 8, 12 * ONE, 20 * ONE)
    (sentence,) = report(foreseen, acme).sentences
    assert sentence == (
        "2026-10 is closed: its statements stay, +$0.014 for 4 requests becomes adjustment lines of the next statements"
    )
    assert apply(everything(acme)) == foreseen
    assert frozen() == before
    (november,) = close(acme, NOVEMBER)
    lines = [(line.adjusts, line.requests, line.cost) for line in november.lines.all()]
    assert lines == [(None, 4, 8 * ONE), (date(2026, 10, 1), 0, 4 * ONE)]
    assert said(acme) == facts(acme)


def test_requests_around_a_closed_month_are_not_in_it(acme: Organization) -> None:
    """A whole closed month may lie inside one chunk, and begin and end on either side of its rows."""
    for month, number in ((8, 31), (9, 1), (9, 30), (10, 1)):
        make.request(acme, started_at=day(month, number), team="Search")
    close(acme, SEPTEMBER)
    twice_as_expensive(day(1, 1))
    for size in (1, 2, 3, 4):
        windows.WINDOWS[connection.vendor] = size
        assert preview(everything(acme)).closed == {"2026-09": Sums(2, 2, 2 * ONE, 4 * ONE)}


def test_a_month_that_closes_between_two_chunks_is_stated_or_corrected(acme: Organization) -> None:
    for _ in range(7):
        make.request(acme, started_at=day(9), team="Search")
    twice_as_expensive(day(1, 1))
    run, _ = runs.begin(selection=everything(acme), reason="")
    work.carry_out(run.pk, clock=lambda: make.NOW, chunks=1)
    (september,) = close(acme, SEPTEMBER)
    assert september.cost == 4 * ONE + 3 * 2 * ONE
    work.carry_out(run.pk, clock=lambda: make.NOW, chunks=9)
    (october,) = close(acme, OCTOBER)
    assert october.cost == 4 * ONE
    assert said(acme) == facts(acme)
