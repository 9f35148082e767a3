"""Batches that were sent before, wholly or in part: every record is counted as what it is."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion import services
from ingestion.models import IngestBatch, LLMRequest
from ingestion.records import RequestRecord
from ingestion.services import Outcome
from teams.models import Organization
from tests import make


def send(organization: Organization, contents: list[tuple[int, int]]) -> Outcome:
    """A batch of (id, content)."""
    records = [make.record(request_id=f"r{number:03}", input_tokens=content) for number, content in contents]
    return ingest(organization, records)


def ingest(organization: Organization, records: list[RequestRecord]) -> Outcome:
    return services.ingest_records(
        organization=organization, records=records, source="test", now=make.NOW, past_days=None
    )


@pytest.mark.parametrize("seed", range(12))
def test_any_mixture_counts_as_one_by_one(acme: Organization, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        share = chance.choice([0.0, 0.1, 0.9, 1.0])  # of ids that may be known
        batch = [
            (chance.randrange(60 if chance.random() < share else 1_000), chance.choice([1, 1, 1, 2])) for _ in range(50)
        ]
        expected = one_by_one(stored_before(acme), batch)
        outcome = send(acme, batch)
        assert (outcome.accepted, outcome.duplicate, outcome.conflict) == expected


def stored_before(organization: Organization) -> dict[str, int | None]:
    rows = LLMRequest.objects.filter(organization=organization)
    return dict(rows.values_list("request_id", "input_tokens"))


def one_by_one(known: dict[str, int | None], batch: list[tuple[int, int]]) -> tuple[int, int, int]:
    """Accepted, duplicate, conflict, as if every record came alone."""
    counts = [0, 0, 0]
    for number, content in batch:
        name = f"r{number:03}"
        if name not in known:
            known[name] = content
            counts[0] += 1
        else:
            counts[1 if known[name] == content else 2] += 1
    return counts[0], counts[1], counts[2]


def test_a_repeat_writes_nothing_but_its_outcome(acme: Organization) -> None:
    batch = [(number, 1) for number in range(100)]
    send(acme, batch)
    with CaptureQueriesContext(connection) as queries:
        assert send(acme, batch).duplicate == 100
    written = [one["sql"] for one in queries.captured_queries if one["sql"].startswith(("INSERT", "UPDATE", "COPY"))]
    assert len(written) == 1
    assert IngestBatch._meta.db_table in written[0]
    assert IngestBatch.objects.filter(organization=acme, duplicate=100, accepted=0).count() == 1


def test_the_same_ids_in_another_organization_are_new(acme: Organization, rival: Organization) -> None:
    batch = [(number, 1) for number in range(40)]
    assert send(acme, batch).accepted == send(rival, batch).accepted == 40
