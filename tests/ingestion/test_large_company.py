"""The large company of benchmarks: its size, what is tied to what, and that calls are as real as the small one's."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ingestion.models import LLMRequest, PriceEntry
from ingestion.records import CostState, RequestRecord
from ingestion.traffic import COMPANIES, generate, plan
from ingestion.traffic.large import LARGE
from teams.models import Organization, Team, VirtualAccount
from tests.ingestion.test_generate_traffic import COUNTS, command

BERLIN = ZoneInfo("Europe/Berlin")
END = datetime(2026, 11, 24, 4, 37, tzinfo=UTC)
METADATA = {"environment": 3, "region": 5, "feature": 30, "app": 50, "tenant": 200}


@pytest.fixture(scope="module")
def records() -> list[RequestRecord]:
    return list(generate(plan(requests=40_000, days=30, end=END, zone=BERLIN, seed=7, company=LARGE)))


def test_the_company_is_as_large_as_it_says(records: list[RequestRecord]) -> None:
    assert {record.model for record in records} == {model.name for model in LARGE.models} | {None}
    assert len({model.name for model in LARGE.models}) == 50
    assert {record.virtual_model for record in records} == {alias.name for alias in LARGE.virtual_models} | {None}
    assert len({alias.name for alias in LARGE.virtual_models}) == 20
    assert len({record.virtual_account for record in records} - {None}) == 300
    assert len(set(LARGE.teams)) == 50
    assert len(set(LARGE.users)) == 2_000
    assert len({record.user for record in records}) > 1_700
    values = defaultdict(set)
    for record in records:
        for name, value in record.metadata.items():
            values[name].add(value)
    assert {name: len(found) for name, found in values.items()} == METADATA


def test_tenant_and_app_follow_from_the_account_and_region_and_feature_do_not(records: list[RequestRecord]) -> None:
    tied, free = defaultdict(set), defaultdict(set)
    for record in records:
        tied[record.virtual_account].add((record.metadata.get("tenant"), record.metadata.get("app")))
        free[record.virtual_account].add(record.metadata["region"])
    assert tied[None] == {(None, None)}
    assert all(len(found) == 1 for found in tied.values())
    assert sum(len(found) == 5 for found in free.values()) > 150


def test_few_users_make_most_calls_and_most_of_them_keep_office_hours(records: list[RequestRecord]) -> None:
    calls = Counter(record.user for record in records if record.user)
    assert sum(count for _, count in calls.most_common(200)) > calls.total() / 2
    hours = Counter(record.started_at.astimezone(BERLIN).hour for record in records if record.user)
    assert hours[3] < hours[10] / 10
    shifts = {team for team in range(len(LARGE.teams)) if hours_of(records, team)[3] > hours_of(records, team)[10] / 4}
    assert 0 < len(shifts) < 10


def hours_of(records: list[RequestRecord], team: int) -> Counter[int]:
    members = {user for place, user in enumerate(LARGE.users) if LARGE.team_of_user(place) == team}
    own = (record for record in records if record.user in members and record.virtual_account is None)
    return Counter(record.started_at.astimezone(BERLIN).hour for record in own)


def test_calls_fail_stream_and_cache_as_in_the_small_company(records: list[RequestRecord]) -> None:
    assert {record.status_code for record in records} == {200, 400, 401, 429, 499, 500, 503, 504}
    assert 0.005 < sum(record.status_code != 200 for record in records) / len(records) < 0.03
    assert 0.4 < sum(bool(record.streaming) for record in records) / len(records) < 0.7
    assert any(record.cache_read_tokens for record in records)
    assert any(record.cache_write_1h_tokens for record in records)
    firsts = {record.trace_id: record for record in records if record.attempt == 1}
    seconds = [record for record in records if record.attempt == 2]
    assert seconds
    for second in seconds:
        first = firsts[second.trace_id]
        assert first.provider != second.provider
        assert first.metadata == second.metadata


def test_the_same_seed_gives_the_same_bytes_and_no_record_shares_its_metadata() -> None:
    calendar = plan(requests=500, days=2, end=END, zone=BERLIN, seed=7, company=LARGE)
    first, again = list(generate(calendar)), list(generate(calendar))
    assert list(map(msgspec.json.encode, first)) == list(map(msgspec.json.encode, again))
    assert len({id(record.metadata) for record in first}) == len(first)


@pytest.mark.django_db
def test_the_command_settles_the_large_company(acme: Organization) -> None:
    assert command(requests=1_500, days=5, organization="acme", company="large") == COUNTS
    assert Team.objects.filter(organization=acme, name__in=LARGE.teams).count() == 50
    assert VirtualAccount.objects.filter(organization=acme).count() == 300
    priced = set(PriceEntry.objects.filter(organization=acme).values_list("model_match", flat=True))
    own = {model.name for model in LARGE.models if model.provider == "vllm"}
    assert priced == {model.name for model in LARGE.models} - own
    unpriced = LLMRequest.objects.filter(organization=acme, cost_state=CostState.UNPRICED)
    assert set(unpriced.values_list("model__name", flat=True)) == own
    assert COMPANIES["large"] is LARGE
