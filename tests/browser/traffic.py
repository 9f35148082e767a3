"""A day of small traffic, the same every time but for the instant it ends at."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from ingestion.metadata import register
from ingestion.models import MetadataKey
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization

MODELS = ("gpt-5", "claude-sonnet-4-5", "gpt-4.1-mini")
COUNT = 180


def _record(number: int, model: str, suffix: str) -> RequestRecord:
    is_failing = number % 9 == 0
    return RequestRecord(
        request_id=f"call-{number}",
        started_at=timezone.now() - timedelta(minutes=8 * number + 1),
        model=model,
        provider="openai",
        virtual_model="chat-default",
        user=f"user-{number % 4}{suffix}",
        virtual_account="search-api",
        team=("Search", "Ads")[number % 2] + suffix,
        metadata={"tenant": f"tenant-{number // 3 % 3}{suffix}"},
        input_tokens=None if is_failing else 1_000 + number,
        output_tokens=None if is_failing else 100 + number,
        latency_ms=800.0 + 10 * number,
        ttft_ms=None if is_failing else 200.0 + number,
        streaming=True,
        status_code=(429, 500)[number % 2] if is_failing else 200,
        error_type=("RateLimitError", "ServerError")[number % 2] + suffix if is_failing else None,
        reported_cost_usd=None if is_failing else Decimal("0.0125"),
    )


def store(organization: Organization, models: tuple[str, ...] = MODELS, suffix: str = "") -> None:
    """Store COUNT requests over the last 24 hours, every ninth of them failed. `suffix` ends every name."""
    records = [_record(number, models[number % len(models)], suffix) for number in range(COUNT)]
    outcome = ingest_records(
        organization=organization, records=records, source="test", now=timezone.now(), past_days=None
    )
    assert outcome.accepted == COUNT
    register(MetadataKey.objects.get(organization=organization, name="tenant"), timezone.now())
