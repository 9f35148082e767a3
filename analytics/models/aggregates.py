"""Aggregates: additive facts per bucket and combination of a grain's dimensions. Disposable: rebuilt from facts."""

from django.db import models

from ingestion.models import MetadataKey
from teams.models import Organization


class Aggregate(models.Model):
    """All cells of one grain in one bucket (`analytics.cells.storage`).

    Only what adds up is kept: counts, sums and histogram entries; durations in microseconds, money in picodollars.
    One row holds many cells because that is how they are written and read: a row per cell took eight times the room
    and most of the time of a rollup (docs/decisions/0009). Foreign keys carry no database constraint: the rows are
    derived from facts that do.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    grain = models.CharField(max_length=16)
    metadata_key = models.ForeignKey(
        MetadataKey, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    bucket_start = models.DateTimeField()
    cells = models.IntegerField()
    requests = models.BigIntegerField()
    head = models.BinaryField()
    records = models.BinaryField()
    stamp = models.BigIntegerField()
    """Random: together with the id it tells this writing of the row from every other (`analytics.query.blocks`)."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.grain} {self.bucket_start:%Y-%m-%dT%H:%MZ}: {self.requests} requests in {self.cells} cells"


def _one_per_bucket(level: str) -> list[models.BaseConstraint]:
    """NULL is never equal to NULL: grains without a metadata key need a constraint of their own."""
    return [
        models.UniqueConstraint(
            fields=["organization", "grain", "bucket_start"],
            condition=models.Q(metadata_key__isnull=True),
            name=f"{level}_aggregate_of_grain",
        ),
        models.UniqueConstraint(
            fields=["organization", "grain", "metadata_key", "bucket_start"],
            condition=models.Q(metadata_key__isnull=False),
            name=f"{level}_aggregate_of_key",
        ),
    ]


class HourAggregate(Aggregate):
    """Aggregate of a local hour."""

    class Meta:
        constraints = _one_per_bucket("hour")
        indexes = [models.Index(fields=["organization", "bucket_start"], name="hour_aggregate_bucket")]


class DayAggregate(Aggregate):
    """Aggregate of a local day."""

    class Meta:
        constraints = _one_per_bucket("day")
        indexes = [models.Index(fields=["organization", "bucket_start"], name="day_aggregate_bucket")]
