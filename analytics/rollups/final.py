"""Which aggregates are final: what they were made of was removed, so that they are neither rebuilt nor compared.

Asked after the rows that they are made of were read: the watermark moves before the first of these goes, so an answer
of "not final" means that all of them were there.
"""

from collections.abc import Iterable
from datetime import datetime

from ingestion.watermarks import kept


def hour_is_final(organization_id: int, hour_start: datetime) -> bool:
    """Whether facts of the hour were removed, or are being removed."""
    return hour_start < kept(organization_id).requests


def day_is_final(organization_id: int, day_start: datetime) -> bool:
    """The same for the hours of a day."""
    return day_start < kept(organization_id).hours


def is_final(level: str, organization_id: int, start: datetime) -> bool:
    """Of an `hour` or a `day`."""
    return (hour_is_final if level == "hour" else day_is_final)(organization_id, start)


def with_facts(organization_id: int, hours: Iterable[datetime]) -> list[datetime]:
    """The hours that can be compared with their facts, in order."""
    floor = kept(organization_id).requests
    return sorted(hour for hour in hours if hour >= floor)


def with_hours(organization_id: int, days: Iterable[datetime]) -> list[datetime]:
    """The days that can be compared with their hours, in order."""
    floor = kept(organization_id).hours
    return sorted(day for day in days if day >= floor)
