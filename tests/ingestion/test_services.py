"""Ingest as a whole: identity, outcomes, what is stored with the facts, and what a failure leaves behind."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError

from ingestion import services
from ingestion.formats import NATIVE
from ingestion.models import ChangedHour, IngestBatch, LLMRequest
from ingestion.records import Code, RequestRecord
from ingestion.services import Outcome
from ingestion.writer import store
from teams.models import Organization, Team
from tests import make

pytestmark = pytest.mark.django_db


def send(organization: Organization, *records: RequestRecord, now: datetime = make.NOW) -> Outcome:
    return services.ingest_records(organization=organization, records=records, source="test", now=now, past_days=35)


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.accepted, outcome.duplicate, outcome.conflict, len(outcome.rejected)


def test_a_fact_holds_everything_that_was_sent(acme: Organization) -> None:
    make.price("gpt-4o", "input", "2.50")
    make.price("gpt-4o", "cache_read", "1.25")
    version = make.price("gpt-4o", "output", "10").pk
    request = make.request(
        acme,
        started_at=datetime(2026, 11, 24, 11, 47, 12, 345_678, tzinfo=UTC),
        virtual_model="chat",
        user="alice",
        user_email="alice@acme.example",
        virtual_account="bot",
        team="Search",
        metadata={"env": "prod"},
        cache_read_tokens=400,
        reported_cost_usd=Decimal("0.005"),
        attempt=2,
        trace_id="t",
        span_id="s",
        service_tier="Standard",
    )
    stored = LLMRequest.objects.select_related("model", "virtual_model", "user", "virtual_account", "team").get()
    assert stored == request
    assert (str(stored.model), str(stored.virtual_model), str(stored.user)) == ("gpt-4o (openai)", "chat", "alice")
    assert stored.user is not None
    assert stored.user.email == "alice@acme.example"
    assert (str(stored.virtual_account), str(stored.team), stored.attribution) == ("bot", "Search", "record")
    # Berlin is one hour ahead of UTC: its local hours start with those of UTC.
    assert stored.hour_start == datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert (stored.started_at.microsecond, stored.received_at) == (345_678, make.NOW)
    assert (stored.metadata, stored.operation, stored.streaming) == ({"env": "prod"}, "chat", True)
    assert (stored.attempt, stored.trace_id, stored.span_id, stored.service_tier) == (2, "t", "s", "standard")
    assert (stored.failed, stored.failure_class, stored.error_type, stored.status_code) == (False, None, None, 200)
    assert (stored.latency_us, stored.ttft_us, stored.itl_us, stored.tpot_us) == (2_000_000, 200_000, 18_182, 18_182)
    assert (stored.cost_state, stored.price_book_version) == ("computed", version)
    assert stored.cost == stored.list_cost == 600 * 2_500_000 + 400 * 1_250_000 + 100 * 10_000_000
    assert stored.reported_cost == 5_000_000_000
    assert (stored.input_tokens, stored.cache_read_tokens, stored.cache_write_tokens) == (1_000, 400, None)
    assert stored.token_anomaly is False


def test_unknown_stays_unknown(acme: Organization) -> None:
    request = make.request(
        acme,
        model=None,
        provider=None,
        input_tokens=None,
        output_tokens=None,
        latency_ms=None,
        ttft_ms=None,
        streaming=None,
        status_code=None,
    )
    unknown = ("model", "team", "user", "input_tokens", "output_tokens", "latency_us", "latency_bucket", "cost")
    assert [getattr(request, name) for name in unknown] == [None] * len(unknown)
    assert (request.cost_state, request.attribution, request.metadata) == ("unpriced", "unassigned", {})


def test_failures_have_a_class_and_a_type(acme: Organization) -> None:
    named = make.request(acme, status_code=429, error_type="RateLimitError", error_message="slow down")
    unnamed = make.request(acme, status_code=503)
    assert (named.failed, named.failure_class, str(named.error_type)) == (True, "429", "RateLimitError")
    assert named.error_message == "slow down"
    assert (unnamed.failed, unnamed.failure_class, str(unnamed.error_type)) == (True, "5xx", "http_503")


def test_contradictory_tokens_are_flagged(acme: Organization) -> None:
    apart = make.request(acme, input_tokens=100, cache_read_tokens=900)
    assert (apart.token_anomaly, apart.input_tokens) == (True, 1_000)
    assert make.request(acme, output_tokens=10, reasoning_tokens=11).token_anomaly is True


def test_gateway_cache_hits_cost_nothing(acme: Organization) -> None:
    make.price("gpt-4o", "input", "1")
    make.price("gpt-4o", "output", "1")
    hit = make.request(acme, metadata={"gateway_cache": "hit"}, reported_cost_usd=Decimal(1))
    assert (hit.cost_state, hit.cost, hit.input_tokens) == ("none", 0, 1_000)


def test_costs_beyond_64_bits_are_refused(acme: Organization) -> None:
    make.price("gpt-4o", "input", "9000000")
    make.price("gpt-4o", "output", "1")
    outcome = send(acme, make.record(input_tokens=10**12), make.record(input_tokens=1))
    assert counts(outcome) == (1, 0, 0, 1)
    assert outcome.rejected[0].code is Code.INVALID


IDENTITY: list[tuple[str, list[dict[str, Any]], tuple[int, int, int, int]]] = [
    ("same id, same body", [{}, {}], (1, 1, 0, 0)),
    ("same id, other body", [{}, {"model": "o3"}], (1, 0, 1, 0)),
    ("same id, other time", [{}, {"started_at": make.NOW - timedelta(hours=1)}], (1, 0, 1, 0)),
    ("same instant in another zone", [{}, {"started_at": "2026-11-24T13:00:00+01:00"}], (1, 1, 0, 0)),
    ("same number written otherwise", [{"latency_ms": 2000}, {"latency_ms": 2000.0}], (1, 1, 0, 0)),
    ("other key order", [{"metadata": {"a": "1", "b": "2"}}, {"metadata": {"b": "2", "a": 1}}], (1, 1, 0, 0)),
    ("conflict, then duplicate of the first", [{}, {"model": "o3"}, {}], (1, 1, 1, 0)),
    ("conflicts twice", [{}, {"model": "o3"}, {"model": "o3"}], (1, 0, 2, 0)),
    ("no id", [{"request_id": ""}, {"request_id": "None"}, {"request_id": "null"}], (0, 0, 0, 3)),
    ("bad ids", [{"request_id": "x" * 300}, {"request_id": "a\0"}, {}], (1, 0, 0, 2)),
    ("ids that differ in case", [{"request_id": "A"}, {"request_id": "a"}], (2, 0, 0, 0)),
]


def body(records: list[dict[str, Any]]) -> bytes:
    base = {"request_id": "r", "started_at": "2026-11-24T12:00:00Z", "model": "gpt-4o", "metadata": {}}
    return json.dumps([base | record for record in records], default=str).encode()


@pytest.mark.parametrize(("records", "expected"), [row[1:] for row in IDENTITY], ids=[row[0] for row in IDENTITY])
@pytest.mark.parametrize("batches", ["one batch", "a batch each"])
def test_identity(acme: Organization, records: list[dict[str, Any]], expected: tuple[int, ...], batches: str) -> None:
    bodies = [body(records)] if batches == "one batch" else [body([record]) for record in records]
    outcomes = [
        services.ingest(organization=acme, items=NATIVE.read(one), source="test", now=make.NOW, past_days=35)
        for one in bodies
    ]
    assert tuple(map(sum, zip(*map(counts, outcomes), strict=True))) == expected
    assert LLMRequest.objects.count() == expected[0]
    if expected[0] == 1:
        kept = LLMRequest.objects.get()
        assert str(kept.model) == "gpt-4o"
        assert kept.started_at == make.NOW
    sums = IngestBatch.objects.values_list("accepted", "duplicate", "conflict", "rejected")
    assert tuple(map(sum, zip(*sums, strict=True))) == expected


def test_the_same_id_in_another_organization_is_another_request(acme: Organization, rival: Organization) -> None:
    record = make.record()
    assert counts(send(acme, record)) == counts(send(rival, record)) == (1, 0, 0, 0)
    assert LLMRequest.objects.count() == 2


def test_only_hours_of_new_facts_are_logged(acme: Organization) -> None:
    early, late = make.NOW - timedelta(hours=3), make.NOW - timedelta(minutes=1)
    known = make.record(started_at=early)
    send(acme, known, make.record(started_at=early))
    assert list(ChangedHour.objects.values_list("organization", "hour_start")) == [(acme.pk, early)]
    send(acme, known, make.record(started_at=late))
    hours = ChangedHour.objects.order_by("id").values_list("hour_start", flat=True)
    assert list(hours) == [early, datetime(2026, 11, 24, 11, tzinfo=UTC)]
    send(acme, known)
    assert ChangedHour.objects.count() == 2


def test_hours_are_local_to_the_reporting_zone() -> None:
    nepal = make.organization("nepal", zone="Asia/Kathmandu")
    request = make.request(nepal, started_at=datetime(2026, 11, 24, 11, 10, tzinfo=UTC))
    assert request.hour_start == datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
    assert ChangedHour.objects.get().hour_start == request.hour_start


def test_outcomes_are_logged_per_batch(acme: Organization) -> None:
    bad_time, bad_number = make.record(started_at=make.NOW + timedelta(days=1)), make.record(input_tokens=-1)
    good = make.record()
    send(acme, good, bad_time, bad_number, good)
    assert IngestBatch.objects.values(
        "organization", "received_at", "source", "accepted", "duplicate", "conflict", "rejected", "rejected_by_code"
    ).get() == {
        "organization": acme.pk,
        "received_at": make.NOW,
        "source": "test",
        "accepted": 1,
        "duplicate": 1,
        "conflict": 0,
        "rejected": 2,
        "rejected_by_code": {"time_window": 1, "negative": 1},
    }


def test_an_empty_batch_leaves_nothing(acme: Organization) -> None:
    outcome = services.ingest(organization=acme, items=[], source="test", now=make.NOW, past_days=35)
    assert outcome.received == 0
    assert not IngestBatch.objects.exists()


def test_a_batch_of_refusals_is_counted(acme: Organization) -> None:
    assert counts(send(acme, make.record(request_id=""))) == (0, 0, 0, 1)
    assert IngestBatch.objects.get().rejected == 1
    assert not LLMRequest.objects.exists()


@pytest.mark.parametrize("step", ["_log_changed_hours", "_log_outcome"])
def test_facts_are_committed_with_their_log_or_not_at_all(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(store, step, fail)
    with pytest.raises(services.UnavailableError):
        send(acme, make.record())
    assert not LLMRequest.objects.exists()
    assert not ChangedHour.objects.exists()
    assert not IngestBatch.objects.exists()


@pytest.mark.parametrize("bad", [{0}, {3}, {6}, {1, 2, 5}, set(range(7))])
def test_a_record_that_the_database_refuses_is_found_and_refused_alone(acme: Organization, bad: set[int]) -> None:
    drafts = services.prepare(
        organization=acme,
        items=enumerate(make.record(request_id=f"r{number}") for number in range(7)),
        source="test",
        now=make.NOW,
        past_days=35,
    )
    for index in bad:  # past the checks, against a constraint of the table
        drafts.drafts[index].record.output_tokens = -1
    outcome = services.store(drafts)
    assert [one.index for one in outcome.rejected] == sorted(bad)
    assert {one.code for one in outcome.rejected} == {Code.INVALID}
    assert outcome.accepted == LLMRequest.objects.count() == 7 - len(bad)


def test_many_records_take_many_transactions(acme: Organization) -> None:
    records = [make.record() for _ in range(7)]
    assert [len(batch) for batch in services.batches(enumerate(records), 3)] == [3, 3, 1]
    assert counts(send(acme, *records)) == (7, 0, 0, 0)


def test_the_team_of_a_request_is_decided_once(acme: Organization, search: Team, ads: Team) -> None:
    account = make.virtual_account(acme, "bot", team=ads)
    make.request(acme, user="bob")
    bob = LLMRequest.objects.get().user
    assert bob is not None
    bob.team = search
    bob.save()
    found = {
        name: make.request(acme, user="bob", virtual_account=account_name, team=team)
        for name, account_name, team in (
            ("record", "bot", "Search"),
            ("virtual_account", "bot", None),
            ("user", "other", None),
            ("user again", None, None),
        )
    }
    assert {name: (str(one.team), one.attribution) for name, one in found.items()} == {
        "record": ("Search", "record"),
        "virtual_account": ("Ads", "virtual_account"),
        "user": ("Search", "user"),
        "user again": ("Search", "user"),
    }
    account.team = search
    account.save()
    stored = LLMRequest.objects.get(pk=found["virtual_account"].pk)
    assert stored.team == ads
    assert make.request(acme, virtual_account="bot").team == search
