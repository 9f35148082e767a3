"""Several writers at once, over real transactions."""

import random
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from ingestion import names, pipeline, services
from ingestion.models import ChangedHour, GatewayUser, IngestBatch, LLMRequest, MetadataKey
from ingestion.pipeline import Context, Draft
from ingestion.pricing.loading import price_book
from ingestion.services import Outcome
from ingestion.writer.references import hold
from teams.models import Organization
from tests import make

WRITERS = 6


@pytest.mark.django_db
def test_a_batch_is_inserted_in_one_order_whatever_order_it_came_in(acme: Organization) -> None:
    """Overlapping batches of many writers then wait for each other, where they would lock each other out."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    sent = [make.record(request_id=name) for name in ("c", "a", "D", "b", "_", "9")]
    services.ingest_records(organization=acme, records=sent, source="test", now=make.NOW, past_days=35)
    assert list(LLMRequest.objects.order_by("pk").values_list("request_id", flat=True)) == [
        "9",
        "D",
        "_",
        "a",
        "b",
        "c",
    ]


@pytest.mark.django_db(transaction=True)
def test_overlapping_batches_store_every_request_once(acme: Organization) -> None:
    ids = [f"r{number:03}" for number in range(200)]

    def write(seed: int) -> list[Outcome]:
        chance = random.Random(seed)
        try:
            return [
                services.ingest_records(
                    organization=acme,
                    records=[
                        make.record(request_id=name, user=f"u{name[-1]}", team="T", metadata={"env": "prod"})
                        for name in chance.sample(ids, len(ids))
                    ],
                    source="test",
                    now=make.NOW,
                    past_days=35,
                )
                for _ in range(3)
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        outcomes = [outcome for found in pool.map(write, range(WRITERS)) for outcome in found]
    assert sum(outcome.accepted for outcome in outcomes) == len(ids) == LLMRequest.objects.count()
    assert sum(outcome.duplicate for outcome in outcomes) == len(ids) * (len(outcomes) - 1)
    assert {(outcome.conflict, len(outcome.rejected)) for outcome in outcomes} == {(0, 0)}
    assert IngestBatch.objects.count() == len(outcomes)
    assert GatewayUser.objects.count() == 10
    assert MetadataKey.objects.get().registered
    # Every batch that stored something said so: the rollup cannot miss it.
    assert ChangedHour.objects.count() >= sum(outcome.accepted > 0 for outcome in outcomes)


@pytest.mark.django_db(transaction=True)
def test_a_name_that_vanishes_in_between_is_looked_up_again(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    intern = names.intern
    deleted: list[object] = []

    def delete_once(organization_id: int, drafts: list[Draft], now: object) -> names.BatchNames:
        found = intern(organization_id, drafts, make.NOW)
        if not deleted:
            deleted.append(GatewayUser.objects.all().delete())
        return found

    monkeypatch.setattr(names, "intern", delete_once)
    monkeypatch.setattr("ingestion.writer.retries._jitter", lambda: None)
    assert str(make.request(acme, user="alice").user) == "alice"
    assert GatewayUser.objects.count() == LLMRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_names_are_held_until_the_commit(acme: Organization) -> None:
    def delete() -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
                cursor.execute("DELETE FROM ingestion_gatewayuser")
            return "deleted"
        except OperationalError:
            return "refused"
        finally:
            connection.close()

    batch = services.prepare(
        organization=acme, items=[(0, make.record(user="alice"))], source="t", now=make.NOW, past_days=35
    )
    found = names.intern(acme.pk, batch.drafts, make.NOW)
    rows = [
        row
        for _, row in pipeline.rows(
            batch.drafts, Context(acme.pk, ZoneInfo(acme.zone), make.NOW, found, price_book(acme.pk))
        )[0]
    ]
    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        hold(rows)
        assert pool.submit(delete).result() == "refused"
    GatewayUser.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        hold(rows)
