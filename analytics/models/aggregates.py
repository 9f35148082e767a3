"""Aggregates: additive facts per bucket and combination of a grain's dimensions. Disposable: rebuilt from facts."""

from django.db import models

from ingestion.models import ErrorType, GatewayUser, LLMModel, MetadataKey, MetadataValue, VirtualModel
from teams.models import Organization, Team, VirtualAccount


class Aggregate(models.Model):
    """One cell of a grain of `analytics.catalog.grains`.

    Axes that the grain does not have are NULL, so that adding a grain needs no migration. Only what adds up is kept:
    counts, sums and histogram records; durations in microseconds, money in picodollars. Foreign keys carry no
    database constraint: the rows are derived from facts that do.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    grain = models.CharField(max_length=16)
    bucket_start = models.DateTimeField()

    team = models.ForeignKey(
        Team, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    user = models.ForeignKey(
        GatewayUser, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    model = models.ForeignKey(
        LLMModel, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    virtual_model = models.ForeignKey(
        VirtualModel, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    metadata_key = models.ForeignKey(
        MetadataKey, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    metadata_value = models.ForeignKey(
        MetadataValue, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    error_type = models.ForeignKey(
        ErrorType, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    status_code = models.SmallIntegerField(null=True)

    requests = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    failed_cancelled = models.BigIntegerField(default=0)
    failed_timeout = models.BigIntegerField(default=0)
    failed_429 = models.BigIntegerField(default=0)
    failed_4xx = models.BigIntegerField(default=0)
    failed_5xx = models.BigIntegerField(default=0)
    failed_other = models.BigIntegerField(default=0)
    streaming = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    unknown_tokens = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    list_cost = models.BigIntegerField(default=0)
    contracted_cost = models.BigIntegerField(default=0)
    reported_cost = models.BigIntegerField(default=0)
    compared = models.BigIntegerField(default=0)
    compared_list_cost = models.BigIntegerField(default=0)
    compared_reported_cost = models.BigIntegerField(default=0)
    computed = models.BigIntegerField(default=0)
    reported = models.BigIntegerField(default=0)
    unpriced = models.BigIntegerField(default=0)
    unpriced_tokens = models.BigIntegerField(default=0)

    latency_ok_count = models.BigIntegerField(default=0)
    latency_ok_sum = models.BigIntegerField(default=0)
    latency_ok_min = models.BigIntegerField(null=True)
    latency_ok_max = models.BigIntegerField(null=True)
    latency_ok_hist = models.BinaryField(default=b"")
    latency_failed_count = models.BigIntegerField(default=0)
    latency_failed_sum = models.BigIntegerField(default=0)
    latency_failed_min = models.BigIntegerField(null=True)
    latency_failed_max = models.BigIntegerField(null=True)
    latency_failed_hist = models.BinaryField(default=b"")
    ttft_ok_count = models.BigIntegerField(default=0)
    ttft_ok_sum = models.BigIntegerField(default=0)
    ttft_ok_min = models.BigIntegerField(null=True)
    ttft_ok_max = models.BigIntegerField(null=True)
    ttft_ok_hist = models.BinaryField(default=b"")
    ttft_failed_count = models.BigIntegerField(default=0)
    ttft_failed_sum = models.BigIntegerField(default=0)
    ttft_failed_min = models.BigIntegerField(null=True)
    ttft_failed_max = models.BigIntegerField(null=True)
    ttft_failed_hist = models.BinaryField(default=b"")
    itl_count = models.BigIntegerField(default=0)
    itl_sum = models.BigIntegerField(default=0)
    itl_min = models.BigIntegerField(null=True)
    itl_max = models.BigIntegerField(null=True)
    itl_hist = models.BinaryField(default=b"")
    tpot_count = models.BigIntegerField(default=0)
    tpot_sum = models.BigIntegerField(default=0)
    tpot_min = models.BigIntegerField(null=True)
    tpot_max = models.BigIntegerField(null=True)
    tpot_hist = models.BinaryField(default=b"")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.grain} {self.bucket_start:%Y-%m-%dT%H:%MZ}: {self.requests} requests"


class HourAggregate(Aggregate):
    """Aggregate of a local hour."""

    class Meta:
        indexes = [
            models.Index(fields=["organization", "grain", "metadata_key", "bucket_start"], name="hour_aggregate_range"),
            models.Index(fields=["organization", "bucket_start"], name="hour_aggregate_bucket"),
        ]


class DayAggregate(Aggregate):
    """Aggregate of a local day."""

    class Meta:
        indexes = [
            models.Index(fields=["organization", "grain", "metadata_key", "bucket_start"], name="day_aggregate_range"),
            models.Index(fields=["organization", "bucket_start"], name="day_aggregate_bucket"),
        ]
