"""Locks that cover everything a rollup transaction rewrites."""

from datetime import datetime
from enum import IntEnum

from django.db import connection


class Level(IntEnum):
    """What is locked; hours and days of an organization are different locks."""

    HOUR = 1
    DAY = 2
    PERIOD = 3


def lock(level: Level, organization_id: int, start: datetime) -> None:
    """Hold until the transaction ends; call it first, as a statement of its own.

    What a statement sees is fixed when it starts, so a lock inside the aggregating statement comes too late. SQLite
    has one writer at a time: its IMMEDIATE transaction is the lock.
    """
    if connection.vendor != "postgresql":
        return
    key = (organization_id * 4 + level) % 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [key, int(start.timestamp()) // 60])
