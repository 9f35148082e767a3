"""Compare every aggregate with the facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import QuerySet

from analytics.catalog.columns import HISTOGRAM_NAMES, Frame
from analytics.catalog.grains import BY_NAME, REQUESTS, Grain
from analytics.cells.cells import Cells, merge
from analytics.cells.packing import Packed
from analytics.cells.storage import SUMS, Kept, joined, read_grains
from analytics.models import ChangedDay, DayAggregate, HourAggregate, VerificationRun
from analytics.rollups.days import aggregate_day
from analytics.rollups.final import is_final, with_facts, with_hours
from analytics.rollups.hours import Hour, aggregate_hour
from ingestion.models import ChangedHour, LLMRequest
from metricsportal.lib.histogram import Entries
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
    for level, bucket, stored, expected in _comparisons(organization):
        if expected is None:
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


def _comparisons(organization: Organization) -> Iterator[tuple[str, datetime, QuerySet[Any], Hour | None]]:
    """Every bucket with its rows and with what they should hold, None while it waits for the rollup."""
    hours = _instants(LLMRequest, "hour_start", organization) | _instants(HourAggregate, "bucket_start", organization)
    waiting = _instants(ChangedHour, "hour_start", organization)
    for start in with_facts(organization.pk, hours):
        rows = HourAggregate.objects.filter(organization=organization, bucket_start=start)
        yield "hour", start, rows, None if start in waiting else aggregate_hour(organization.pk, start)
    tz = zone(organization.zone)
    days = {day_start(hour, tz) for hour in hours} | _instants(DayAggregate, "bucket_start", organization)
    waiting_days = _instants(ChangedDay, "day_start", organization) | {day_start(hour, tz) for hour in waiting}
    for start in with_hours(organization.pk, days):
        by_day = DayAggregate.objects.filter(organization=organization, bucket_start=start)
        if start in waiting_days:
            yield "day", start, by_day, None
        else:
            yield "day", start, by_day, Hour(organization.pk, start, aggregate_day(organization, start), {})


def _instants(model: Any, column: str, organization: Organization) -> set[datetime]:
    return {*model.objects.filter(organization=organization).order_by().values_list(column, flat=True).distinct()}


def _compare(level: str, bucket: datetime, stored: QuerySet[Any], expected: Hour) -> tuple[int, list[Difference]]:
    compared, differences = 0, []
    found = read_grains(stored)
    for grain, key_id, wanted in expected.grains:
        rows = found.pop((grain.name, key_id), [])
        raw = joined(rows, grain)
        compared += len(wanted)
        if len(rows) > 1 or len(raw) != len(merge(raw, raw.keys)):
            differences.append(Difference(level, bucket, grain.name, (), "rows", "doubled", "one row per cell"))
        differences += _differing(level, bucket, grain, merge(raw, raw.keys), wanted)
    differences += _miscounted(level, bucket, stored)
    if expected.requests:
        differences += _differing_requests(bucket, stored, expected.requests)
    known = {*BY_NAME, *([REQUESTS] if expected.requests else [])}
    strangers = {*found, *(pair for pair in _names(stored) if pair[0] not in known)}
    differences += [Difference(level, bucket, name, (), "rows", "present", "no such grain") for name, _ in strangers]
    return compared, differences


def _differing_requests(bucket: datetime, stored: QuerySet[Any], wanted: Frame) -> Iterator[Difference]:
    """Columns of the hour's single requests that are not those of its facts, in the order of both."""
    heads = [bytes(head) for (head,) in stored.filter(grain=REQUESTS).order_by().values_list("head")]
    kept = Kept([Packed(head) for head in heads])
    for name, should in sorted(wanted.items()):
        have = kept.column(name)
        if not np.array_equal(have, should):
            where = int(np.argmax(have != should)) if len(have) == len(should) else 0
            pair = (str(have[where : where + 1]), str(should[where : where + 1]))
            yield Difference("hour", bucket, REQUESTS, (where,), name, *pair)


def _names(stored: QuerySet[Any]) -> list[tuple[str, int | None]]:
    return list(stored.order_by().values_list("grain", "metadata_key_id"))


def _miscounted(level: str, bucket: datetime, stored: QuerySet[Any]) -> Iterator[Difference]:
    """Rows whose counters, by which the planner estimates, are not those of their cells."""
    rows = stored.filter(grain__in=BY_NAME).order_by("pk")
    for name, cells, requests, head in rows.values_list("grain", "cells", "requests", "head"):
        kept = Kept([Packed(bytes(head))])
        counted = (kept.size, int(kept.column("requests").sum()))
        if (cells, requests) != counted:
            yield Difference(level, bucket, name, (), "counters", f"{cells}, {requests}", "{}, {}".format(*counted))


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
    return numbers and all(_same_entries(stored.entries[name], wanted.entries[name]) for name in HISTOGRAM_NAMES)


def _same_entries(have: Entries, should: Entries) -> bool:
    pairs = ((have.lengths, should.lengths), (have.slots, should.slots), (have.counts, should.counts))
    return all(np.array_equal(one, other) for one, other in pairs)


def _by_key(cells: Cells) -> dict[tuple[int, ...], dict[str, object]]:
    columns: dict[str, list[object]] = {name: cells.sums[name].tolist() for name in SUMS}
    for name in HISTOGRAM_NAMES:
        columns[f"{name}_min"], columns[f"{name}_max"] = cells.mins[name].tolist(), cells.maxs[name].tolist()
        found = cells.entries[name]
        borders = np.cumsum(found.lengths)[:-1]
        pairs = zip(np.split(found.slots, borders), np.split(found.counts, borders), strict=True)
        columns[f"{name}_hist"] = [list(zip(*map(np.ndarray.tolist, pair), strict=True)) for pair in pairs]
    keys = [tuple(key) for key in cells.keys.tolist()]
    return {key: {name: values[place] for name, values in columns.items()} for place, key in enumerate(keys)}
