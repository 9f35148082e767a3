"""Generated calls: the same calls for the same seed, records without contradictions, and a shape people recognise."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from ingestion.records import RequestRecord
from ingestion.traffic import Calendar, generate, plan
from ingestion.traffic.assembly import identifiers
from ingestion.traffic.profile import TENANTS, USERS
from ingestion.traffic.targets import MODELS, VIRTUAL_MODELS

BERLIN = ZoneInfo("Europe/Berlin")
END = datetime(2026, 11, 24, 4, 37, tzinfo=UTC)
HOUR = timedelta(hours=1)
PREFIXES = {"openai": ("gpt-", "text-embedding-"), "anthropic": ("claude-",), "google": ("gemini-",), "vllm": ("qwen",)}


def calendar(requests: int = 40_000, days: int = 30, seed: int = 7, zone: ZoneInfo = BERLIN) -> Calendar:
    return plan(requests=requests, days=days, end=END, zone=zone, seed=seed)


@pytest.fixture(scope="module")
def month() -> Calendar:
    return calendar()


@pytest.fixture(scope="module")
def records(month: Calendar) -> list[RequestRecord]:
    return list(generate(month))


def failed(record: RequestRecord) -> bool:
    return record.status_code != 200


@pytest.mark.parametrize(("requests", "days"), [(1, 1), (7, 1), (500, 2), (999, 30), (2_000, 60)])
def test_exactly_as_many_calls_as_asked_inside_the_period_in_order_of_time(requests: int, days: int) -> None:
    started = [record.started_at for record in generate(calendar(requests, days))]
    assert len(started) == requests
    assert started == sorted(started)
    assert END - timedelta(days=days) <= started[0]
    assert started[-1] < END


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others() -> None:
    first, again, other = (
        [msgspec.json.encode(record) for record in generate(calendar(2_000, 3, seed))] for seed in (7, 7, 8)
    )
    assert first == again
    assert not set(first) & set(other)


def test_ids_are_unique_within_and_across_seeds(records: list[RequestRecord]) -> None:
    ids = {record.request_id for record in records}
    assert len(ids) == len(records)
    assert all(len(request_id) == 32 for request_id in ids)
    others = {record.request_id for record in generate(calendar(seed=8))}
    assert not ids & others


def test_identifiers_are_a_bijection_of_their_numbers() -> None:
    numbers = np.arange(200_000)
    assert len({text[:16] for text in identifiers(numbers, seed=1)}) == len(numbers)
    assert identifiers(numbers[500:510], seed=1) == identifiers(numbers, seed=1)[500:510]


def test_the_company_has_its_size(records: list[RequestRecord]) -> None:
    models = {(record.provider, record.model) for record in records if record.model}
    assert len(models) == len(MODELS) == 8
    assert all(model.startswith(PREFIXES[provider or ""]) for provider, model in models if model)
    assert {record.virtual_model for record in records} == {alias.name for alias in VIRTUAL_MODELS} | {None}
    assert {record.user for record in records} == {*USERS, None}
    assert len(set(USERS)) == 60
    assert len({record.virtual_account for record in records} - {None}) == 20
    assert {record.metadata.get("tenant") for record in records} == {*TENANTS, None}
    assert len(set(TENANTS)) == 25
    assert {record.metadata["environment"] for record in records} == {"prod", "staging", "dev"}
    assert {record.operation for record in records} == {"chat", "embeddings"}
    assert 0.55 < sum(bool(record.streaming) for record in records) / len(records) < 0.65


def test_every_tenant_and_caller_belongs_to_its_application(records: list[RequestRecord]) -> None:
    tenants = defaultdict(set)
    for record in records:
        tenants[record.virtual_account].add(record.metadata.get("tenant"))
    assert tenants[None] == {None}
    assert max(map(len, tenants.values())) <= 8


def test_counts_contain_their_parts(records: list[RequestRecord]) -> None:
    for record in records:
        if record.input_tokens is None:
            assert record.output_tokens is None
            assert record.cache_read_tokens is None
            assert failed(record)
            continue
        assert record.output_tokens is not None
        cached = (record.cache_read_tokens or 0) + (record.cache_write_tokens or 0)
        assert 0 <= cached <= record.input_tokens
        assert (record.cache_write_1h_tokens or 0) <= (record.cache_write_tokens or 0)
        assert 0 <= (record.reasoning_tokens or 0) <= record.output_tokens
        assert (record.operation == "embeddings") == (record.output_tokens == 0)


def test_durations_agree_with_each_other(records: list[RequestRecord]) -> None:
    for record in records:
        assert record.latency_ms is not None
        assert record.latency_ms > 0
        first = record.ttft_ms
        assert (first is not None) == (bool(record.streaming) and record.input_tokens is not None)
        if first is not None:
            assert 0 < first < record.latency_ms
        if record.itl_ms is not None:
            assert first is not None
            assert record.output_tokens
            assert first + record.itl_ms * (record.output_tokens - 1) <= record.latency_ms + 0.01


def test_failures_say_what_they_are(records: list[RequestRecord]) -> None:
    kinds = Counter((record.status_code, record.error_type) for record in records)
    assert {status for status, _ in kinds} == {200, 400, 401, 429, 499, 500, 503, 504}
    assert all((status == 200) == (error is None) for status, error in kinds)
    assert 0.005 < sum(map(failed, records)) / len(records) < 0.03
    cancelled = [record for record in records if record.status_code == 499]
    assert all(record.output_tokens and record.streaming for record in cancelled)
    assert all(record.model is None for record in records if record.status_code == 401)


def test_a_gateway_cache_answers_at_once_and_never_fails(records: list[RequestRecord]) -> None:
    hits = [record for record in records if record.metadata.get("gateway_cache") == "hit"]
    assert 0.01 < len(hits) / len(records) < 0.05
    assert not any(map(failed, hits))
    assert max(record.latency_ms or 0 for record in hits) < 100


def test_office_hours_are_busier_than_nights_and_weekends(records: list[RequestRecord]) -> None:
    local = [record.started_at.astimezone(BERLIN) for record in records if record.virtual_account == "support-copilot"]
    days = Counter(instant.weekday() for instant in local)
    hours = Counter(instant.hour for instant in local)
    assert days[5] + days[6] < days[1] / 2
    assert hours[3] < hours[10] / 10
    night = Counter(record.started_at.astimezone(BERLIN).hour for record in records if record.service_tier == "batch")
    assert night[2] > 5 * night[14] > 0


def test_the_rhythm_follows_the_zone() -> None:
    tokyo = calendar(20_000, 14, zone=ZoneInfo("Asia/Tokyo"))
    assert peak(calendar(20_000, 14)) != peak(tokyo)


def peak(planned: Calendar) -> int:
    by_hour: Counter[int] = Counter()
    for hour, count in zip(planned.hours, planned.calls.sum(axis=1).tolist(), strict=True):
        by_hour[hour.start.hour] += count
    return by_hour.most_common(1)[0][0]


def test_traffic_grows_over_the_period(month: Calendar) -> None:
    days = len(month.hours) // 24
    first = month.calls[: 24 * 7].sum()
    last = month.calls[24 * (days - 7) : 24 * days].sum()
    assert 1.1 < last / first < 1.7


def test_the_incident_is_one_provider_failing_slowly_with_fallbacks(
    month: Calendar, records: list[RequestRecord]
) -> None:
    assert month.incident.length == 2 * HOUR
    assert month.incident.start.astimezone(BERLIN).weekday() < 5
    during = [record for record in records if record.started_at in month.incident]
    theirs = [record for record in during if record.provider == "anthropic" and (record.attempt or 1) == 1]
    others = [record for record in during if record.provider not in ("anthropic", None)]
    broken = [record for record in theirs if (record.status_code or 0) >= 500]
    assert len(broken) / len(theirs) > 0.35
    assert sum((record.status_code or 0) >= 500 for record in others) / len(others) < 0.05
    waits = [record.ttft_ms for record in theirs if record.ttft_ms and record.model == "claude-haiku-4-5"]
    usual = [record.ttft_ms for record in records if record.ttft_ms and record.model == "claude-haiku-4-5"]
    assert median(waits) > 2 * median(usual)


def test_a_fallback_follows_its_failed_first_attempt_at_another_provider(records: list[RequestRecord]) -> None:
    seconds = [record for record in records if record.attempt == 2]
    assert len(seconds) > 20
    firsts = {record.trace_id: record for record in records if record.attempt == 1}
    for second in seconds:
        first = firsts[second.trace_id]
        assert failed(first)
        assert not failed(second)
        assert first.provider != second.provider
        assert (first.user, first.virtual_account, first.virtual_model, first.metadata) == (
            second.user,
            second.virtual_account,
            second.virtual_model,
            second.metadata,
        )
        assert first.latency_ms is not None
        ended = first.started_at + timedelta(milliseconds=first.latency_ms)
        assert abs(second.started_at - ended) < timedelta(milliseconds=1)


def test_rate_limits_come_in_bursts(month: Calendar, records: list[RequestRecord]) -> None:
    limited = [record.started_at for record in records if record.status_code == 429]
    inside = sum(any(instant in burst.period for burst in month.bursts) for instant in limited)
    assert inside / len(limited) > 0.4
    assert all(burst.period.length < timedelta(minutes=15) for burst in month.bursts)
    assert END - month.bursts[-1].period.start < timedelta(hours=12)


def test_the_routing_change_moves_one_virtual_model(month: Calendar, records: list[RequestRecord]) -> None:
    asked = [record for record in records if record.virtual_model == "assistant-smart" and record.attempt == 1]
    before = Counter(record.model for record in asked if record.started_at < month.routing_change)
    after = Counter(record.model for record in asked if record.started_at >= month.routing_change)
    assert before["gemini-2.5-pro"] == 0
    assert after["gemini-2.5-pro"] / after.total() > 0.25
    assert before["claude-sonnet-4-5"] / before.total() > 0.55
    assert after["claude-sonnet-4-5"] / after.total() < 0.3


def test_some_calls_name_their_team_and_some_can_have_none(records: list[RequestRecord]) -> None:
    assert {record.team for record in records} == {None, "Data Science"}
    orphans = [record for record in records if not (record.team or record.virtual_account or record.user)]
    assert 0 < len(orphans) < len(records) / 100


@pytest.mark.parametrize(("requests", "days", "seed"), [(0, 1, 1), (1, 0, 1), (1, 1, -1)])
def test_impossible_plans_are_refused(requests: int, days: int, seed: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        calendar(requests, days, seed)
