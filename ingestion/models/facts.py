"""The fact: one immutable, priced row per request."""

from functools import reduce
from operator import and_

from django.db import models

from ingestion.models.dimensions import ErrorType, GatewayUser, LLMModel, VirtualModel
from ingestion.records import TOKEN_FIELDS, CostState
from teams.models import Organization, Team, VirtualAccount


def _none_negative(*columns: str) -> models.Q:
    """A condition of the database; an unknown value is none that is negative."""
    parts = (models.Q(**{f"{column}__isnull": True}) | models.Q(**{f"{column}__gte": 0}) for column in columns)
    return reduce(and_, parts)


class LLMRequest(models.Model):
    """One attempt to get an answer from one model target.

    Durations are integer microseconds beside their histogram bucket number (-1 = exactly zero); money is integer
    picodollars. NULL means that the source did not say; it is never zero. Rows are written by `ingestion.writer` only.

    The database checks no foreign key per row (two thirds of the time of an insert on PostgreSQL): the writer holds
    the rows that a batch points at until its commit, once per batch, and the ORM protects them from deletion.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    request_id = models.CharField(max_length=128)
    payload_hash = models.BinaryField(max_length=16)
    started_at = models.DateTimeField()
    hour_start = models.DateTimeField(help_text="UTC instant at which the local hour of the reporting zone starts.")
    received_at = models.DateTimeField()

    model = models.ForeignKey(
        LLMModel, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    virtual_model = models.ForeignKey(
        VirtualModel, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    user = models.ForeignKey(
        GatewayUser, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    virtual_account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    attribution = models.CharField(max_length=16)
    metadata = models.JSONField(default=dict)

    operation = models.CharField(max_length=24)
    streaming = models.BooleanField(null=True)
    service_tier = models.CharField(max_length=32, null=True)  # noqa: DJ001 - NULL: the source does not say
    attempt = models.SmallIntegerField(null=True)
    trace_id = models.CharField(max_length=128, null=True)  # noqa: DJ001 - NULL: the source does not say
    span_id = models.CharField(max_length=128, null=True)  # noqa: DJ001 - NULL: the source does not say

    failed = models.BooleanField()
    failure_class = models.CharField(max_length=16, null=True)  # noqa: DJ001 - NULL: not failed
    status_code = models.SmallIntegerField(null=True)
    error_type = models.ForeignKey(
        ErrorType, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    error_message = models.CharField(max_length=1024, null=True)  # noqa: DJ001 - NULL: not failed

    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cache_read_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    cache_write_1h_tokens = models.BigIntegerField(null=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    audio_input_tokens = models.BigIntegerField(null=True)
    audio_output_tokens = models.BigIntegerField(null=True)
    image_input_tokens = models.BigIntegerField(null=True)
    image_output_tokens = models.BigIntegerField(null=True)
    units = models.JSONField(null=True, help_text="Counts of what is billed by the piece: {name: count}.")
    usage = models.JSONField(null=True, help_text="The usage object as it came, kept for audit.")
    token_anomaly = models.BooleanField(default=False, help_text="Token counts contradict each other.")

    latency_us = models.BigIntegerField(null=True)
    ttft_us = models.BigIntegerField(null=True)
    itl_us = models.BigIntegerField(null=True)
    tpot_us = models.BigIntegerField(null=True)
    latency_bucket = models.SmallIntegerField(null=True)
    ttft_bucket = models.SmallIntegerField(null=True)
    itl_bucket = models.SmallIntegerField(null=True)
    tpot_bucket = models.SmallIntegerField(null=True)

    cost_state = models.CharField(max_length=8)
    cost = models.BigIntegerField(null=True, help_text="Billed cost in picodollars; NULL = unpriced.")
    list_cost = models.BigIntegerField(null=True, help_text="Price book cost in picodollars; NULL = not in the book.")
    contracted_cost = models.BigIntegerField(null=True, help_text="After discount, before markup; NULL = unpriced.")
    reported_cost = models.BigIntegerField(null=True, help_text="The gateway's own figure in picodollars.")
    price_book_version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "request"
        constraints = [
            models.UniqueConstraint(fields=["organization", "request_id"], name="request_once_per_organization"),
            models.CheckConstraint(
                condition=_none_negative("cost", "list_cost", "contracted_cost", "reported_cost"),
                name="request_cost_not_negative",
            ),
            models.CheckConstraint(condition=_none_negative(*TOKEN_FIELDS), name="request_tokens_not_negative"),
        ]
        indexes = [
            models.Index(fields=["organization", "hour_start"], name="request_hour"),
            models.Index(fields=["organization", "started_at", "id"], name="request_newest"),
            models.Index(fields=["organization", "user", "started_at"], name="request_of_user"),
            models.Index(
                fields=["organization", "model", "started_at"],
                condition=models.Q(cost_state=CostState.UNPRICED.value),
                name="request_unpriced",
            ),
        ]

    def __str__(self) -> str:
        return self.request_id
