"""What is measured of the engine is what the page says is measured: cases, refusals, hours, processor time."""

import argparse
import json
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from analytics.models import ChangedDay, HourAggregate
from benchmarks import menus, pages, processor, rollups, tenants
from benchmarks.clock import Runs
from benchmarks.pages import ORGANIZATION, RANGES, READERS, VIEWS, Case
from benchmarks.tenants import Tenant
from ingestion import services
from ingestion.models import ChangedHour, LLMRequest
from ingestion.traffic import generate
from ingestion.traffic.company import settle
from teams.models import Organization
from teams.services import add_member


@pytest.fixture
def tenant(acme: Organization) -> Tenant:
    """A day of the small company."""
    calendar = tenants.calendar_of(acme, 400, argparse.Namespace(days=1, seed=1, company="small"))
    settle(acme, calendar)
    services.ingest_records(
        organization=acme, records=generate(calendar), source="test", now=calendar.period.end, past_days=None
    )
    return Tenant(acme, calendar, 400, {}, {})


@pytest.mark.django_db
def test_every_page_is_asked_of_every_organization_and_reader_side_by_side(tenant: Tenant) -> None:
    cases = pages.cases_of([tenant, tenant])
    assert len(cases) == len(VIEWS) * len(RANGES) * len(READERS) * 2
    assert cases[0::2] == cases[1::2]
    assert Counter(case.reader for case in cases) == {reader: len(cases) // 2 for reader in READERS}


@pytest.mark.django_db
def test_filters_are_understood_and_name_what_occurs(tenant: Tenant) -> None:
    client = Client()
    client.force_login(add_member(actor=None, organization=tenant.organization, email="o@x.test", role="owner").user)
    cases = [*pages.filtered_cases(tenant), *pages.uncovered_cases(tenant)]
    assert {len(case.filters) for case in cases} == {1, 2}
    for case in (one for one in cases if one.range == "30d"):
        answer = json.loads(client.get(case.path).content)
        assert answer["messages"] == []
        assert [chip["text"] for chip in answer["state"]["filters"]] == list(case.filters)
        assert answer["counters"] or len(case.filters) == 2


def body(**state: Any) -> bytes:
    """A page's answer."""
    meta = {"source": "facts", "rows_read": 3}
    return json.dumps({"problem": None, "empty": None, "panels": [{}] * 11, "meta": meta} | state).encode()


def test_a_page_without_charts_is_no_measurement() -> None:
    case = Case("bench", ORGANIZATION, "model", "7d")
    assert pages.page_of(case, Runs((1.0,)), body()).rows_read == 3
    problem = {"detail": "Too many."}
    for broken in (body(empty="nothing_in_range"), body(panels=[])):
        with pytest.raises(RuntimeError, match="has no charts"):
            pages.page_of(case, Runs((1.0,)), broken)
    assert pages.page_of(case, Runs((1.0,)), body(problem=problem)).refusal == "Too many."


@pytest.mark.django_db(transaction=True)
def test_an_hour_is_rolled_up_as_often_as_it_is_scanned(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "ROUNDS", 2)
    measured = rollups.hour(tenant)
    assert len(measured.rollup) == len(measured.scan) == 2
    assert min(measured.rollup + measured.scan) > 0
    counted = Counter(LLMRequest.objects.values_list("hour_start", flat=True))
    closed = {hour: count for hour, count in counted.items() if hour < max(counted)}
    assert measured.requests in closed.values()
    assert {*HourAggregate.objects.values_list("bucket_start", flat=True)} == {*counted}
    assert not ChangedHour.objects.exists()
    assert not ChangedDay.objects.exists()


@pytest.mark.django_db
def test_menus_name_dimensions_that_exist_and_columns_to_compare_with(tenant: Tenant) -> None:
    known = {column: menus.distinct(tenant, column) for column in menus.COLUMNS.values()}
    assert len(known) == 6
    assert all(seconds > 0 for seconds in known.values())


def test_processor_time_of_ended_commands_adds_up() -> None:
    before = processor.of_children()
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    assert processor.of_children() > before


@pytest.mark.django_db
def test_processor_time_of_the_database_is_that_of_its_server() -> None:
    before = processor.of_database()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        if connection.vendor == "sqlite":
            assert before == 0.0
            return
        cursor.execute("SELECT count(md5(n::text)) FROM generate_series(1, 500000) AS n")
    after = processor.of_database()
    assert before is not None
    assert after is not None
    assert after > before
