"""The removal itself: in chunks, resumed, twice; what it adds up to stays byte for byte."""

import json
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from pytest_django import Settings

from analytics import retention, tasks
from analytics.catalog.grains import REQUESTS, by_quarter
from analytics.models import DayAggregate, HourAggregate
from analytics.retention import passes
from ingestion import purging
from ingestion.models import LLMRequest, Watermark
from ingestion.purging import Subject
from teams.models import Organization
from tests import make
from tests.retention.scene import NOW, aggregates, days_ago, floor, four_months, old, purge


def test_aggregates_stay_byte_for_byte(organization: Organization) -> None:
    before = aggregates()
    purge(organization)
    assert aggregates() == before
    mark = Watermark.objects.get(subject=Subject.REQUESTS)
    assert mark.removed == 60 - LLMRequest.objects.count()
    assert mark.finished_at == NOW


@pytest.mark.usefixtures("short_hours")
def test_days_stay_when_their_hours_go(organization: Organization) -> None:
    days, hours = aggregates(DayAggregate), len(aggregates(HourAggregate))
    purge(organization)
    assert aggregates(DayAggregate) == days
    assert HourAggregate.objects.order_by("bucket_start")[0].bucket_start >= days_ago(organization, 120)
    mark = Watermark.objects.get(subject=Subject.HOURS)
    assert mark.before == days_ago(organization, 120)
    assert mark.removed == hours - len(aggregates(HourAggregate)) > 0


def test_a_bounded_pass_removes_the_oldest_and_the_next_one_goes_on(
    organization: Organization, small_chunks: int
) -> None:
    before = days_ago(organization, 90)
    gone = old(organization, before)
    oldest = LLMRequest.objects.order_by("hour_start").values_list("hour_start", flat=True)[small_chunks - 1]
    passed = purge(organization, chunks=1)
    assert (passed.complete, passed.removed[Subject.REQUESTS]) == (False, small_chunks)
    assert floor(organization) == before
    assert old(organization, before) == gone - small_chunks
    assert LLMRequest.objects.order_by("hour_start")[0].hour_start >= oldest
    assert Watermark.objects.get().finished_at is None
    passed = purge(organization)
    assert passed.removed[Subject.REQUESTS] == gone - small_chunks
    assert old(organization, before) == 0
    assert Watermark.objects.get(subject=Subject.REQUESTS).removed == gone
    assert purge(organization).removed[Subject.REQUESTS] == 0


def test_the_watermark_moves_before_the_first_request_goes(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def look(kind: purging.Kind, organization_id: int, reached: object) -> purging.Removed:
        seen.append((kind.subject, floor(organization), old(organization, days_ago(organization, 90))))
        return purging.Removed(0, None)

    gone = old(organization, days_ago(organization, 90))
    monkeypatch.setattr(purging, "remove", look)
    purge(organization)
    assert seen == [(Subject.REQUESTS, days_ago(organization, 90), gone)]


def test_it_rests_as_long_as_it_works(organization: Organization, small_chunks: int) -> None:
    rests: list[float] = []
    passed = retention.purge(organization, NOW, wait=rests.append)
    assert small_chunks
    assert len(rests) == passed.chunks - 1 > 1
    assert min(rests) >= passes.LEAST_REST


@pytest.mark.usefixtures("small_chunks")
def test_the_task_rings_again_until_all_is_gone(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(tasks, "CHUNKS", 1)
    monkeypatch.setattr(tasks.purge, "delay", lambda: rung.append(1))
    before = days_ago(organization, 90)
    with time_machine.travel(NOW, tick=False):
        while old(organization, before):
            assert tasks.purge() > 0
            assert len(rung) < 20
        assert len(rung) > 1
        rung.clear()
        tasks.purge()
    assert not rung
    assert old(organization, before) == 0


@pytest.mark.usefixtures("small_chunks")
def test_one_organization_in_trouble_does_not_keep_the_others(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = four_months(10)
    original = passes.purge

    def fails(one: Organization, *args: Any, **options: Any) -> retention.Passed:
        if one == organization:
            raise RuntimeError("its disk is full")
        return original(one, *args, **options)

    monkeypatch.setattr(passes, "purge", fails)
    retention.purge_all(NOW, chunks=100, wait=lambda seconds: None)
    assert floor(organization).year == 1970
    assert floor(other) == days_ago(other, 90)


def _command(*words: str) -> str:
    out = StringIO()
    with time_machine.travel(NOW, tick=False):
        call_command("purge", *words, stdout=out)
    return out.getvalue()


def test_the_command_says_first_and_does_then(organization: Organization) -> None:
    gone, name = old(organization, days_ago(organization, 90)), organization.slug
    said = json.loads(_command("--organization", name, "--dry-run", "--json"))
    assert said[name]["requests"]["rows"] == gone
    assert said[name]["requests"]["why"] == "90 days"
    assert LLMRequest.objects.count() == 60
    assert not Watermark.objects.exists()
    assert f"{gone} rows of requests" in _command("--dry-run")
    done = json.loads(_command("--json"))
    assert done[name]["requests"]["removed"] == gone
    assert done[name]["hours"]["before"] is None
    assert LLMRequest.objects.count() == 60 - gone
    assert "0 rows of requests removed" in _command()


@pytest.mark.django_db
def test_the_command_knows_its_organizations(settings: Settings) -> None:
    make.organization("acme")
    with pytest.raises(CommandError, match="no organization 'nobody'"):
        _command("--organization", "nobody")
    assert "acme: nothing to remove of requests." in _command()


@pytest.mark.parametrize("name", [REQUESTS, by_quarter("team")])
def test_the_columns_of_single_requests_and_quarters_of_hours_go_with_them(
    organization: Organization, name: str
) -> None:
    kept = HourAggregate.objects.filter(grain=name)
    before = kept.count()
    purge(organization)
    floor = Watermark.objects.get(subject=Subject.REQUESTS).before
    assert floor is not None
    assert 0 < kept.count() < before
    assert not kept.filter(bucket_start__lt=floor).exists()
