"""Compare every aggregate with the facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import QuerySet

from analytics.catalog.columns import HISTOGRAM_NAMES
from analytics.catalog.grains import Grain
from analytics.cells.cells import Cells, merge
from analytics.cells.storage import SUMS, no_cells, read_grains
from analytics.models import ChangedDay, DayAggregate, HourAggregate, VerificationRun
from analytics.rollups.days import aggregate_day
from analytics.rollups.final import is_final, with_facts, with_hours
from analytics.rollups.hours import GrainCells, aggregate_hour
from ingestion.models import ChangedHour, LLMRequest
from metricsportal.lib.localtime import day_start, zone
from teams.models import Organization


@dataclass(frozen=True, slots=True)
class Difference:
    """One aggregate cell that is not what the facts say."""

    level: str
    bucket_start: datetime
    grain: str
    key: tuple[int, ...]
    column: str
    stored: str
    expected: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification saw: cells compared, hours skipped because they are waiting for the rollup, differences."""

    cells: int
    skipped: int
    differences: tuple[Difference, ...]


def verify(organization: Organization, now: datetime) -> Verification:
    """Compare all hours with their facts and all days with their hours; records the run. Pending ones are skipped.

    Final ones, whose facts or hours were removed, have nothing to be compared with.
    """
    cells, skipped = 0, 0
    differences: list[Difference] = []
    for level, bucket, pending, stored, expected in _comparisons(organization):
        if pending:
            skipped += 1
            continue
        compared, found = _compare(level, bucket, stored, expected)
        if found and is_final(level, organization.pk, bucket):  # what it is made of was removed meanwhile
            continue
        cells += compared
        differences += found
    VerificationRun.objects.create(
        organization=organization, started_at=now, finished_at=now, cells=cells, differences=len(differences)
    )
    return Verification(cells, skipped, tuple(differences))


def _comparisons(organization: Organization) -> Iterator[tuple[str, datetime, bool, QuerySet[Any], GrainCells]]:
    hours = _instants(LLMRequest, "hour_start", organization) | _instants(HourAggregate, "bucket_start", organization)
    waiting = _instants(ChangedHour, "hour_start", organization)
    for start in with_facts(organization.pk, hours):
        rows = HourAggregate.objects.filter(organization=organization, bucket_start=start)
        pending = start in waiting
        yield "hour", start, pending, rows, [] if pending else aggregate_hour(organization.pk, start)
    tz = zone(organization.zone)
    days = {day_start(hour, tz) for hour in hours} | _instants(DayAggregate, "bucket_start", organization)
    waiting_days = _instants(ChangedDay, "day_start", organization) | {day_start(hour, tz) for hour in waiting}
    for start in with_hours(organization.pk, days):
        by_day = DayAggregate.objects.filter(organization=organization, bucket_start=start)
        pending = start in waiting_days
        yield "day", start, pending, by_day, [] if pending else aggregate_day(organization, start)


def _instants(model: Any, column: str, organization: Organization) -> set[datetime]:
    return {*model.objects.filter(organization=organization).order_by().values_list(column, flat=True).distinct()}


def _compare(level: str, bucket: datetime, stored: QuerySet[Any], expected: GrainCells) -> tuple[int, list[Difference]]:
    compared, differences = 0, []
    found = read_grains(stored)
    for grain, key_id, wanted in expected:
        raw = found.pop((grain.name, key_id), None) or no_cells(grain)
        compared += len(wanted)
        if len(raw) != len(merge(raw, raw.keys)):
            differences.append(Difference(level, bucket, grain.name, (), "rows", "doubled", "one row per cell"))
        differences += _differing(level, bucket, grain, merge(raw, raw.keys), wanted)
    differences += [Difference(level, bucket, name, (), "rows", "present", "no such grain") for name, _ in found]
    return compared, differences


def _differing(level: str, bucket: datetime, grain: Grain, stored: Cells, wanted: Cells) -> Iterator[Difference]:
    if _equal(stored, wanted):
        return
    found, expected = _by_key(stored), _by_key(wanted)
    for key in sorted(found.keys() | expected.keys()):
        have, should = found.get(key, {}), expected.get(key, {})
        for column in sorted(have.keys() | should.keys()):
            if have.get(column) != should.get(column):
                values = (str(have.get(column, "no row")), str(should.get(column, "no row")))
                yield Difference(level, bucket, grain.name, key, column, *values)


def _equal(stored: Cells, wanted: Cells) -> bool:
    """Whether two merged sets of cells are the same, column by column; both are in the order of their keys."""
    if not np.array_equal(stored.keys, wanted.keys):
        return False
    columns = ((stored.sums, wanted.sums), (stored.mins, wanted.mins), (stored.maxs, wanted.maxs))
    numbers = all(np.array_equal(have[name], should[name]) for have, should in columns for name in should)
    return numbers and stored.records == wanted.records


def _by_key(cells: Cells) -> dict[tuple[int, ...], dict[str, object]]:
    if not len(cells):
        return {}
    columns: dict[str, list[object]] = {name: cells.sums[name].tolist() for name in SUMS}
    for name in HISTOGRAM_NAMES:
        columns[f"{name}_min"], columns[f"{name}_max"] = cells.mins[name].tolist(), cells.maxs[name].tolist()
        columns[f"{name}_hist"] = [*cells.records[name]]
    rows = zip(*columns.values(), strict=True)
    keys = (tuple(key) for key in cells.keys.tolist())
    return {key: dict(zip(columns, row, strict=True)) for key, row in zip(keys, rows, strict=True)}
