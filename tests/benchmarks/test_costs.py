"""The benchmarks of pricing and repricing measure what they say: on few records, whatever the figures."""

import argparse

import pytest
from django.db import connection

from analytics.models import FrozenMeters, Period, Statement
from benchmarks import closing, pricing, repricing, tenants
from ingestion import pipeline
from ingestion import services as ingestion
from ingestion.models import LLMRequest, PriceAdjustment, PriceEntry
from ingestion.pricing.catalogues.base import UnreadableError
from ingestion.traffic import Calendar, generate
from ingestion.traffic.company import settle
from teams.models import Organization
from tests import make

RECORDS = 120


@pytest.fixture
def calendar(acme: Organization) -> Calendar:
    """The company with its prices, before any traffic."""
    planned = tenants.calendar_of(acme, RECORDS, argparse.Namespace(days=2, seed=1, company="small"))
    settle(acme, planned)
    return planned


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One repetition of three batches, without the optional package."""

    def nothing() -> None:
        raise UnreadableError("not installed")

    monkeypatch.setattr(pricing, "read", nothing)
    for name, value in {"REPETITIONS": 1, "BATCH": 50, "MADE_UP": 40}.items():
        monkeypatch.setattr(pricing, name, value)


@pytest.mark.django_db
@pytest.mark.usefixtures("few")
def test_pricing_is_measured_with_each_book_and_is_there_again_afterwards(
    acme: Organization, calendar: Calendar
) -> None:
    own, held = PriceEntry.objects.count(), {name: getattr(pipeline, name) for name in ("price", "split")}
    catalogue, terms = pricing.measure(acme, calendar)
    assert (catalogue.entries, terms.entries) == (own + 160, own + 162)
    assert PriceAdjustment.objects.filter(organization=acme).count() == 2
    for one in (catalogue, terms):
        assert (one.records, len(one.whole), len(one.added), len(one.split)) == (RECORDS, 3, 3, 3)
        assert min(one.whole) > 0
        assert one.loading > 0
    assert {name: getattr(pipeline, name) for name in held} == held


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("as_owner")
@pytest.mark.skipif(connection.vendor != "postgresql", reason="writes tables anew")
def test_repricing_is_measured_over_every_request_of_the_file(
    acme: Organization, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repricing, "ROUNDS", 2)
    ingestion.ingest_records(
        organization=acme, records=generate(calendar), source="test", now=calendar.period.end, past_days=None
    )
    costs = set(LLMRequest.objects.values_list("request_id", "cost_state", "cost"))
    last = LLMRequest.objects.latest("id").pk
    make.request(acme, now=calendar.period.end, request_id="later", started_at=calendar.period.start)
    measured = repricing.measure(acme, calendar, last)
    assert set(LLMRequest.objects.values_list("request_id", "cost_state", "cost")) == costs
    assert measured.requests == LLMRequest.objects.exclude(cost_state="none").count() > RECORDS / 2
    assert [len(rates) for rates in (measured.updated, measured.repriced, measured.again)] == [2, 2, 2]
    assert measured.changed_again == 0


@pytest.mark.django_db
def test_closing_is_measured_over_every_month_of_the_traffic(acme: Organization, calendar: Calendar) -> None:
    ingestion.ingest_records(
        organization=acme, records=generate(calendar), source="test", now=calendar.period.end, past_days=None
    )
    tenant = tenants.Tenant(acme, calendar, RECORDS, {}, {})
    measured = closing.measure(tenant)
    periods = Period.objects.filter(organization=acme, closed_at__isnull=False)
    assert measured.requests == LLMRequest.objects.filter(organization=acme).count() == RECORDS
    assert measured.months == periods.count()
    charged = sum(Statement.objects.filter(period__in=periods).values_list("cost", flat=True))
    assert charged == sum(cost or 0 for cost in LLMRequest.objects.values_list("cost", flat=True)) > 0
    assert measured.days == FrozenMeters.objects.filter(period__in=periods).count()
    assert measured.seconds > 0
