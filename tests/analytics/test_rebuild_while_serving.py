"""Readers see the old or the new hour, never half: while batches arrive and everything is rebuilt."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from django.db import connection, connections

from analytics import rollups
from analytics.catalog.measures import Population
from analytics.query import engine, reader, stored
from analytics.query.values import Query, Result
from ingestion.services import ingest_records
from metricsportal.lib.localtime import Interval, day_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization
from tests import make
from tests.analytics.brute_force import ask
from tests.make import NOW

HOURS, TEAMS, BATCHES, READERS = 5, ("Search", "Ads"), 12, 2
COST: Final = 10**9
PERIOD: Final = TimeRange(NOW - timedelta(days=2), NOW - timedelta(days=1))


def send(organization: Organization, number: int) -> None:
    """One request of each team in each of the hours, in one transaction."""
    records = [
        make.record(
            request_id=f"{number}-{hour}-{team}",
            started_at=PERIOD.start + timedelta(hours=2 + hour, minutes=number),
            team=team,
            reported_cost_usd=Decimal("0.001"),
        )
        for hour in range(HOURS)
        for team in TEAMS
    ]
    ingest_records(organization=organization, records=records, source="test", now=NOW, past_days=None)


def question(organization: Organization) -> Query:
    asked = {"group_by": ["team"], "interval": Interval.HOUR, "population": Population.ALL, "period": PERIOD}
    return ask(organization, asked)


def shape_of(result: Result) -> tuple[int, set[int], set[float]]:
    """Requests, the different numbers of them per team and hour, and the different costs of one."""
    names = [one.name for one in result.query.selections]
    counts = {requests for one in result.series for requests in one.requests if requests}
    cost = names.index("cost_usd")
    costs = {
        (one.total[cost] or 0) / one.total_requests for one in (*result.series, result.summary) if one.total_requests
    }
    return result.summary.total_requests, counts, costs


@pytest.mark.django_db(transaction=True)
def test_readers_see_the_old_or_the_new_and_never_half() -> None:
    organization = make.organization()
    send(organization, 0)
    rollups.drain(organization.pk)
    done = threading.Event()

    def work() -> None:
        try:
            for number in range(1, BATCHES):
                send(organization, number)
                rollups.rebuild(organization, PERIOD)
                rollups.drain(organization.pk)
        finally:
            done.set()
            connections.close_all()

    def read() -> list[tuple[int, set[int], set[float]]]:
        found = []
        try:
            while not done.is_set():
                found.append(shape_of(engine.run(question(organization), NOW)))
            return found
        finally:
            connections.close_all()

    with ThreadPoolExecutor(READERS + 1) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        pool.submit(work).result()
        answers = [reader.result() for reader in readers]
    a_batch = HOURS * len(TEAMS)
    for seen in answers:
        totals = [total for total, _, _ in seen]
        assert totals == sorted(totals), "an answer was older than the one before"
        for total, counts, costs in seen:
            assert total % a_batch == 0
            assert counts == {total // a_batch}, "one hour or team was newer than another"
            assert costs == {COST}
    last = engine.run(question(organization), NOW)
    assert shape_of(last)[0] == BATCHES * a_batch
    assert last.meta.source.startswith(("day", "hour")), last.meta.source
    assert rollups.verify(organization, NOW).differences == ()
    assert connection.vendor == "sqlite" or len({total for seen in answers for total, _, _ in seen}) > 1


@pytest.mark.django_db(transaction=True)
def test_what_arrives_while_an_answer_is_read_is_wholly_in_it_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the days of an answer and its hours a batch of both is stored and rolled up."""
    organization = make.organization()
    first = day_start(PERIOD.start, zone(organization.zone))
    moments = [first + timedelta(hours=3), first + timedelta(days=1, hours=3)]

    def batch(number: int) -> None:
        records = [make.record(request_id=f"{number} {moment}", started_at=moment) for moment in moments]
        ingest_records(organization=organization, records=records, source="test", now=NOW, past_days=None)
        rollups.drain(organization.pk)

    def elsewhere() -> None:
        try:
            batch(2)
        finally:
            connections.close_all()

    batch(1)
    rows_of, levels = stored.rows_of, list[str]()

    def disturbed(level: str, *arguments: Any) -> Any:
        levels.append(level)
        if levels == ["day", "hour"]:
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
        return rows_of(level, *arguments)

    monkeypatch.setattr(reader, "rows_of", disturbed)
    asked: dict[str, Any] = {"group_by": [], "interval": None, "population": Population.ALL}
    period = TimeRange(first, first + timedelta(days=1, hours=12))
    before = engine.run(ask(organization, asked | {"period": period}), NOW)
    assert levels == ["day", "hour"]
    assert before.summary.total_requests == 2
    assert engine.run(ask(organization, asked | {"period": period}), NOW).summary.total_requests == 4
