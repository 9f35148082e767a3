"""Appending a catalogue: only what was shown, and once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from ingestion.models import PriceEntry
from ingestion.pricing.catalogues.base import Catalogue, Key, Point
from ingestion.pricing.imports import ChangedError, Plan, append, plan
from ingestion.pricing.loading import price_book
from teams.models import AuditEntry, Organization, User
from tests import make

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
IMPORTERS = 6


def planned(organization: Organization | None = None, *, models: int = 1, usd: str = "2", version: str = "1") -> Plan:
    found = Catalogue("test", version)
    for number in range(models):
        found.propose("it", Key("openai", "exact", f"m{number}", "input"), [Point(None, Decimal(usd))])
    return plan(catalogue=found, organization=organization, effective_from=SINCE)


@pytest.mark.django_db
def test_what_would_be_other_than_shown_is_not_appended(acme: Organization, finance: User) -> None:
    shown = planned(acme)
    other = planned(acme, usd="3", version="2")
    append(shown=other, digest=other.digest, actor=finance)
    with pytest.raises(ChangedError) as refusal:
        append(shown=shown, digest=shown.digest, actor=finance)
    assert [(change.old, change.new) for change in refusal.value.plan.diff.changes] == [(Decimal(3), Decimal(2))]
    assert [entry.price for entry in PriceEntry.objects.all()] == [Decimal(3)]
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db
def test_the_fingerprint_is_of_prices_dates_edition_and_scope(acme: Organization, rival: Organization) -> None:
    plans = [planned(acme), planned(rival), planned(None), planned(acme, usd="3"), planned(acme, version="2")]
    later = plan(catalogue=plans[0].catalogue, organization=acme, effective_from=make.NOW)
    assert len({one.digest for one in (*plans, later)}) == 6
    assert planned(acme).digest == planned(acme, usd="2.000").digest


@pytest.mark.django_db
def test_an_import_is_audited_with_its_figures(acme: Organization, finance: User) -> None:
    shown = planned(acme, models=3)
    append(shown=shown, digest=shown.digest, actor=finance)
    entry = AuditEntry.objects.get()
    assert (entry.organization, entry.actor, entry.action) == (acme, finance, "priceentry.import")
    assert entry.target == "catalogue:test@1"
    figures = {"new": 3, "changed": 0, "gone": 0, "unchanged": 0, "skipped": 0}
    assert entry.details == {"effective_from": "2026-11-01T00:00:00+00:00"} | figures
    assert {price.created_by for price in PriceEntry.objects.all()} == {finance}


@pytest.mark.django_db(transaction=True)
def test_several_people_who_confirm_at_once_append_it_once(acme: Organization) -> None:
    shown = planned(acme, models=200)

    def confirm(_: int) -> int:
        try:
            return len(append(shown=shown, digest=shown.digest, actor=None).diff.changes)
        except ChangedError:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(IMPORTERS) as pool:
        appended = sorted(pool.map(confirm, range(IMPORTERS)))
    assert appended == [0] * (IMPORTERS - 1) + [200]
    assert PriceEntry.objects.count() == 200


@pytest.mark.django_db(transaction=True)
def test_books_that_are_loaded_are_read_again(acme: Organization, rival: Organization) -> None:
    books = {organization: price_book(organization.pk) for organization in (acme, rival)}
    shown = planned(acme)
    append(shown=shown, digest=shown.digest, actor=None)
    assert price_book(rival.pk) is books[rival]
    assert price_book(acme.pk).version == PriceEntry.objects.get().pk
    shared = planned(None)
    append(shown=shared, digest=shared.digest, actor=None)
    assert price_book(rival.pk).version == PriceEntry.objects.get(organization=None).pk
