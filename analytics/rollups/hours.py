"""One local hour: facts to aggregates of every grain."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from django.db import transaction

from analytics.catalog.columns import Frame
from analytics.catalog.dimensions import registered_keys
from analytics.catalog.grains import BY_NAME, GRAINS, QUARTER, QUARTER_SECONDS, QUARTERS, Grain, by_quarter
from analytics.cells import frame as frames
from analytics.cells.cells import Cells, columns_of_facts, from_facts, merge, samples_of_facts
from analytics.cells.frame import INSTANT, metadata_axis
from analytics.cells.storage import row_of, row_of_requests, store
from analytics.models import ChangedDay, ChangedSpend, HourAggregate
from analytics.rollups.final import hour_is_final
from analytics.rollups.locks import Level, lock
from ingestion.models import ChangedHour, LLMRequest, MetadataKey, MetadataValue
from metricsportal.lib.localtime import day_start, zone
from teams.models import Organization

GrainCells = list[tuple[Grain, int | None, Cells]]
_QUARTER_US: Final = QUARTER_SECONDS * 10**6


def rebuild_hour(organization: Organization, hour_start: datetime) -> int:
    """Recompute the aggregates of one hour from its facts; returns how many cells were written.

    Lock, consume the log, aggregate, replace: in this order, at READ COMMITTED. A log row and its facts commit
    together, so whoever is consumed is seen by the aggregation; whoever is not makes the hour run again.
    """
    with transaction.atomic(durable=True):
        lock(Level.HOUR, organization.pk, hour_start)
        ChangedHour.objects.filter(organization=organization, hour_start=hour_start).delete()
        hour = aggregate_hour(organization.pk, hour_start)
        if hour_is_final(organization.pk, hour_start):  # asked after the facts were read
            return 0
        HourAggregate.objects.filter(organization=organization, bucket_start=hour_start).delete()
        store(HourAggregate, [*stored_rows(hour.grains, organization.pk, hour_start), *hour.rows()])
        ChangedDay.objects.create(organization=organization, day_start=day_start(hour_start, zone(organization.zone)))
        ChangedSpend.objects.create(organization=organization, hour_start=hour_start)
    return sum(len(cells) for _, _, cells in hour.grains)


def stored_rows(grains: GrainCells, organization_id: int, bucket_start: datetime) -> Iterator[tuple[object, ...]]:
    """Rows of a table of aggregates; a grain without cells has none."""
    for grain, key_id, cells in grains:
        if len(cells):
            yield row_of(cells, organization_id=organization_id, grain=grain, key_id=key_id, bucket_start=bucket_start)


class Hour(NamedTuple):
    """What is kept of an hour: the cells of every grain, and its requests one by one as columns."""

    organization_id: int
    start: datetime
    grains: GrainCells
    requests: Frame

    def rows(self) -> Iterator[tuple[object, ...]]:
        """The row of the requests, if there are any."""
        if len(self.requests["failed"]):
            yield row_of_requests(self.requests, organization_id=self.organization_id, bucket_start=self.start)


def aggregate_hour(organization_id: int, hour_start: datetime) -> Hour:
    """Everything that is kept of one hour, computed from facts. Values of metadata not seen before are interned."""
    keys = registered_keys(organization_id)
    facts = LLMRequest.objects.filter(organization_id=organization_id, hour_start=hour_start)
    frame = _in_order_of_time(frames.read_numbered(facts, keys, _ids_of))
    return Hour(
        organization_id, hour_start, lattice(frame, {key.pk: frame[metadata_axis(key.pk)] for key in keys}), frame
    )


def _in_order_of_time(frame: Frame) -> Frame:
    """So that those between two instants lie together."""
    order = np.argsort(frame[INSTANT], kind="stable")
    return {name: column[order] for name, column in frame.items()}


def lattice(frame: Frame, values: dict[int, Any]) -> GrainCells:
    """The cells of every grain, by hour and by quarter. `values`: per metadata key the id of each fact's value."""
    frame = {**frame, QUARTER: frame[INSTANT] // _QUARTER_US}
    failed = frame["failed"] == 1
    failures = {name: column[failed] for name, column in frame.items()}
    sources = {
        wanted: (one, columns_of_facts(one), samples_of_facts(one)) for wanted, one in ((0, frame), (1, failures))
    }
    made: dict[tuple[str, int | None], Cells] = {}
    for grain in (*QUARTERS, *GRAINS):
        parent = by_quarter(grain.name) if grain.quarters else grain.parent
        for key_id in values if grain.per_metadata_key else (None,):
            if parent:
                made[grain.name, key_id] = coarser(grain, BY_NAME[parent], made[parent, key_id])
                continue
            one, columns, samples = sources[grain.only_failed]
            ids = values.get(key_id or 0)
            if ids is not None:
                one = {**one, "metadata_value_id": ids[failed] if grain.only_failed else ids}
            made[grain.name, key_id] = from_facts(columns, samples, keys_of(one, grain.axes, len(one["failed"])))
    return [(BY_NAME[name], key_id, cells) for (name, key_id), cells in made.items()]


def coarser(grain: Grain, finer: Grain, cells: Cells) -> Cells:
    """Cells of a grain from those of another, which has all of its axes."""
    return merge(cells, cells.keys[:, [finer.axes.index(axis) for axis in grain.axes]])


def keys_of(columns: Frame, axes: tuple[str, ...], size: int) -> Any:
    """A matrix of keys, one row per entry of the columns."""
    return np.stack([columns[axis] for axis in axes], axis=1) if axes else np.empty((size, 0), dtype=np.int64)


def _ids_of(key: MetadataKey, texts: set[str]) -> dict[str, int]:
    known = dict(MetadataValue.objects.filter(key=key, name__in=texts).values_list("name", "pk"))
    for text in sorted(texts - known.keys()):
        value, _ = MetadataValue.objects.get_or_create(
            key=key, name=text, defaults={"organization_id": key.organization_id}
        )
        known[text] = value.pk
    return known
