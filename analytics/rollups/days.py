"""One local day: hour aggregates to day aggregates, from a log of its own."""

from datetime import datetime

from django.db import transaction

from analytics.catalog.dimensions import registered_keys
from analytics.catalog.grains import BY_NAME, GRAINS
from analytics.cells.cells import Cells, merge
from analytics.cells.storage import joined, read_grains, store
from analytics.models import ChangedDay, DayAggregate, HourAggregate
from analytics.rollups.final import day_is_final
from analytics.rollups.hours import GrainCells, coarser, stored_rows
from analytics.rollups.locks import Level, lock
from metricsportal.lib.localtime import next_day_start, zone
from teams.models import Organization


def rebuild_day(organization: Organization, day_start: datetime) -> int:
    """Recompute the aggregates of one day from its hours; returns how many cells were written.

    Same five steps as an hour, under the day's own lock: a day rewritten under an hour's lock would miss the rows of
    another hour that are not committed yet.
    """
    with transaction.atomic(durable=True):
        lock(Level.DAY, organization.pk, day_start)
        ChangedDay.objects.filter(organization=organization, day_start=day_start).delete()
        grains = aggregate_day(organization, day_start)
        if day_is_final(organization.pk, day_start):  # asked after the hours were read
            return 0
        DayAggregate.objects.filter(organization=organization, bucket_start=day_start).delete()
        store(DayAggregate, stored_rows(grains, organization.pk, day_start))
    return sum(len(cells) for _, _, cells in grains)


def aggregate_day(organization: Organization, day_start: datetime) -> GrainCells:
    """The cells of every grain of one day, merged from its hours."""
    end = next_day_start(day_start, zone(organization.zone))
    basic = [grain.name for grain in GRAINS if not grain.parent]
    hours = HourAggregate.objects.filter(
        organization=organization, bucket_start__gte=day_start, bucket_start__lt=end, grain__in=basic
    )
    found = read_grains(hours)
    keys = [key.pk for key in registered_keys(organization.pk)]
    made: dict[tuple[str, int | None], Cells] = {}
    answer: GrainCells = []
    for grain in GRAINS:
        for key_id in keys if grain.per_metadata_key else [None]:
            if grain.parent:
                cells = coarser(grain, BY_NAME[grain.parent], made[grain.parent, key_id])
            else:
                hourly = joined(found.pop((grain.name, key_id), None), grain)
                cells = merge(hourly, hourly.keys)
            made[grain.name, key_id] = cells
            answer.append((grain, key_id, cells))
    return answer
