"""R3b: an hour and a day are each locked, by a lock of their own, before their log is consumed and their rows are read.

Two at once do not show it in every run; this looks from another connection at the moment that matters.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from typing import Any, Final

import pytest
from django.db import OperationalError, connection, transaction

from analytics import rollups
from analytics.models import ChangedDay, HourAggregate
from analytics.rollups.days import rebuild_day
from analytics.rollups.hours import rebuild_hour
from analytics.rollups.locks import Level, lock
from ingestion.models import ChangedHour
from teams.models import Organization
from tests import make

HOUR: Final = make.NOW.replace(minute=0, second=0, microsecond=0)
DAY: Final = HOUR.replace(hour=0)
# The rebuilding, what it is of, the log that it consumes, and what reads the rows.
LEVELS: Final[dict[str, tuple[Callable[[Organization, datetime], int], datetime, Any, str]]] = {
    "hour": (rebuild_hour, HOUR, ChangedHour, "analytics.rollups.hours.aggregate_hour"),
    "day": (rebuild_day, DAY, ChangedDay, "analytics.rollups.days.aggregate_day"),
}


def waits(organization: Organization, level: str) -> bool:
    """Whether somebody else who rebuilds the same would have to wait."""

    def ask() -> bool:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
                lock(Level[level.upper()], organization.pk, LEVELS[level][1])
        except OperationalError:
            return True
        finally:
            connection.close()
        return False

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("level", LEVELS)
def test_nobody_else_rebuilds_what_is_being_read(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    organization = make.organization()
    make.request(organization, started_at=HOUR)
    rebuild, start, log, reading = LEVELS[level]
    if level == "day":
        rebuild_hour(organization, HOUR)
    module, _, function = reading.rpartition(".")
    real, seen = getattr(__import__(module, fromlist=[function]), function), []

    def looking(*arguments: Any) -> Any:
        seen.append((waits(organization, level), log.objects.filter(organization=organization).exists()))
        return real(*arguments)

    monkeypatch.setattr(reading, looking)
    rebuild(organization, start)
    assert seen == [(True, False)]  # locked, and the log consumed: what comes later leaves a row of its own


@pytest.mark.django_db(transaction=True)
def test_an_earlier_id_that_commits_later_is_counted() -> None:
    """Numbers are not given in the order of commits: whoever looks for newer ids than the last one misses it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    organization = make.organization()
    make.request(organization, started_at=HOUR - timedelta(hours=1))  # names are known from here on
    inserted, proceed = Event(), Event()

    def late() -> None:
        try:
            with transaction.atomic():
                make.request(organization, request_id="lower", started_at=HOUR)
                inserted.set()
                assert proceed.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(late)
        assert inserted.wait(20)
        make.request(organization, request_id="higher", started_at=HOUR)
        rollups.drain()
        proceed.set()
        done.result()
    rollups.drain()
    assert HourAggregate.objects.get(grain="total", bucket_start=HOUR).requests == 2
