"""One local hour: facts to aggregates of every grain."""

from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction

from analytics.catalog.dimensions import registered_keys
from analytics.catalog.grains import GRAINS, Grain
from analytics.cells import frame as frames
from analytics.cells.cells import Cells, from_facts
from analytics.cells.storage import STORED, rows_of
from analytics.models import ChangedDay, HourAggregate
from analytics.rollups.final import hour_is_final
from analytics.rollups.locks import Level, lock
from ingestion.models import ChangedHour, LLMRequest, MetadataKey, MetadataValue
from ingestion.writer.bulk import bulk_insert
from metricsportal.lib.localtime import day_start, zone
from teams.models import Organization

GrainCells = list[tuple[Grain, int | None, Cells]]


def rebuild_hour(organization: Organization, hour_start: datetime) -> int:
    """Recompute the aggregates of one hour from its facts; returns how many rows were written.

    Lock, consume the log, aggregate, replace: in this order, at READ COMMITTED. A log row and its facts commit
    together, so whoever is consumed is seen by the aggregation; whoever is not makes the hour run again.
    """
    with transaction.atomic(durable=True):
        lock(Level.HOUR, organization.pk, hour_start)
        ChangedHour.objects.filter(organization=organization, hour_start=hour_start).delete()
        grains = aggregate_hour(organization.pk, hour_start)
        if hour_is_final(organization.pk, hour_start):  # asked after the facts were read
            return 0
        HourAggregate.objects.filter(organization=organization, bucket_start=hour_start).delete()
        written = sum(
            bulk_insert(
                HourAggregate,
                STORED,
                rows_of(cells, organization_id=organization.pk, grain=grain, key_id=key_id, bucket_start=hour_start),
            )
            for grain, key_id, cells in grains
        )
        ChangedDay.objects.create(organization=organization, day_start=day_start(hour_start, zone(organization.zone)))
    return written


def aggregate_hour(organization_id: int, hour_start: datetime) -> GrainCells:
    """The cells of every grain of one hour, computed from facts. Values of metadata not seen before are interned."""
    keys = registered_keys(organization_id)
    facts = LLMRequest.objects.filter(organization_id=organization_id, hour_start=hour_start)
    axes = {axis for grain in GRAINS for axis in grain.axes if axis != "metadata_value_id"}
    frame, texts = frames.read(facts, sorted(axes), keys)
    answer: GrainCells = []
    for grain in GRAINS:
        for key in keys if grain.per_metadata_key else [None]:
            columns = {**frame} if key is None else {**frame, "metadata_value_id": _value_ids(key, texts)}
            answer.append((grain, key.pk if key else None, _cells(grain, columns)))
    return answer


def _cells(grain: Grain, columns: dict[str, Any]) -> Cells:
    if grain.only_failed:
        failed = columns["failed"] == 1
        columns = {name: values[failed] for name, values in columns.items()}
    keys = np.stack([columns[axis] for axis in grain.axes], axis=1)
    return from_facts(columns, keys)


def _value_ids(key: MetadataKey, texts: dict[str, list[str | None]]) -> Any:
    column = texts[frames.metadata_axis(key.pk)]
    wanted = {text for text in column if text is not None}
    known = dict(MetadataValue.objects.filter(key=key, name__in=wanted).values_list("name", "pk"))
    for text in sorted(wanted - known.keys()):
        value, _ = MetadataValue.objects.get_or_create(
            key=key, name=text, defaults={"organization_id": key.organization_id}
        )
        known[text] = value.pk
    return frames.number_texts(column, known)[0]
