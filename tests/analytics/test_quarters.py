"""Quarters of an hour come from cells of their own where there are few of them, and say what single requests say."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics import rollups
from analytics.catalog.grains import QUARTERS, by_quarter
from analytics.catalog.measures import Population, select
from analytics.models import DayAggregate, HourAggregate
from analytics.query import engine, planner
from analytics.query.parsing import parse_filter
from ingestion.models import ChangedHour, LLMRequest
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope, scope_of_organization
from teams.models import Organization
from tests import make
from tests.analytics import oracle
from tests.analytics.brute_force import ask, assert_equal, store
from tests.analytics.tampering import other, plus, tamper

pytestmark = pytest.mark.django_db

SWITCHES = {
    "Europe/Berlin": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2026, 6, 1, tzinfo=UTC),
    "America/St_Johns": datetime(2026, 3, 8, 5, 30, tzinfo=UTC),
}
"""Instants at which clocks change, and one of a zone whose hours begin with a quarter of ours."""
COVERED = ("model", "virtual_model", "virtual_account", "team", "metadata.tenant", "provider")


def question(organization: Organization, period: TimeRange, group_by: list[str]) -> dict[str, Any]:
    return {
        "group_by": group_by,
        "interval": Interval.QUARTER_HOUR,
        "population": Population.ALL,
        "period": period,
    }


def dense(organization: Organization, middle: datetime, size: int = 120) -> tuple[list[LLMRequest], TimeRange]:
    """Requests of six hours, most of them rolled up, and a range that cuts a quarter at both ends."""
    length = timedelta(hours=6)
    requests = store(organization, random.Random(11), size, end=middle + length / 2, length=length)
    rollups.drain(organization.pk)
    edge = timedelta(minutes=7, seconds=13)
    return requests, TimeRange(middle - length / 2 + edge, middle + length / 2 - edge)


@pytest.mark.parametrize("zone", SWITCHES)
def test_they_equal_brute_force_where_clocks_change(zone: str) -> None:
    organization = make.organization(zone=zone)
    requests, period = dense(organization, SWITCHES[zone])
    for group_by in ([], *([name] for name in COVERED), ["team", "model"]):
        asked = ask(organization, question(organization, period, group_by))
        made = planner.plan(asked)
        assert made.quarters
        assert not made.facts
        result = engine.run(asked, period.end)
        assert_equal(result, oracle.groups(requests, period, group_by, Interval.QUARTER_HOUR, zone))


@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        ("model:eq:gpt-5", lambda one: oracle.label(one, "model") == "gpt-5"),
        ("team:null:", lambda one: one.team is None),
        ("virtual_account:in:bot,nobody", lambda one: oracle.label(one, "virtual_account") == "bot"),
    ],
)
def test_filters_leave_what_brute_force_leaves(text: str, accepts: Callable[[LLMRequest], bool]) -> None:
    organization = make.organization()
    requests, period = dense(organization, SWITCHES["Europe/Berlin"])
    filters = (parse_filter(text, scope_of_organization(organization)),)
    asked = ask(organization, question(organization, period, ["team"]), filters=filters)
    assert planner.plan(asked).quarters
    left = [one for one in requests if accepts(one)]
    assert_equal(engine.run(asked, period.end), oracle.groups(left, period, ["team"], Interval.QUARTER_HOUR, "UTC"))


def test_failures_come_from_few_cells_as_well() -> None:
    organization = make.organization()
    requests, period = dense(organization, SWITCHES["Europe/Berlin"])
    asked = ask(organization, question(organization, period, ["status_code"]))
    asked = replace(asked, selections=(select("failed_requests"),))
    assert planner.plan(asked).grain_name == "errors"
    result = engine.run(asked, period.end)
    failed = [one for one in requests if one.failed and one.started_at in period]
    assert result.summary.total == (len(failed),)
    assert {one.labels[0].text: one.total[0] for one in result.series} == {
        code: sum(oracle.label(one, "status_code") == code for one in failed)
        for code in {oracle.label(one, "status_code") for one in failed}
    }


def test_a_team_sees_its_own(acme: Organization) -> None:
    requests, period = dense(acme, SWITCHES["Europe/Berlin"])
    team = acme.teams.get(name="Search")
    scope = Scope(acme.pk, acme.zone, Reach.TEAMS, frozenset({team.pk}), "ann")
    own = [one for one in requests if one.team_id == team.pk]
    for name in ("model", "virtual_account", "team"):
        asked = ask(acme, question(acme, period, [name]), scope=scope)
        assert planner.plan(asked).quarters
        assert_equal(
            engine.run(asked, period.end), oracle.groups(own, period, [name], Interval.QUARTER_HOUR, acme.zone)
        )


def test_callers_and_finer_intervals_are_answered_from_single_requests(acme: Organization) -> None:
    """Of callers there would be nearly as many cells as requests."""
    _, period = dense(acme, SWITCHES["Europe/Berlin"], 30)
    by_user = ask(acme, question(acme, period, ["user"]))
    by_minutes = replace(ask(acme, question(acme, period, ["team"])), interval=Interval.FIVE_MINUTES)
    for asked in (by_user, by_minutes):
        made = planner.plan(asked)
        assert (made.quarters, made.requests) == ((), (period,))


def test_hours_that_wait_for_the_rollup_are_answered_from_facts(acme: Organization) -> None:
    requests, period = dense(acme, SWITCHES["Europe/Berlin"])
    late = make.request(acme, request_id="late", team="Search", started_at=period.start + timedelta(hours=2, minutes=1))
    asked = ask(acme, question(acme, period, ["team"]))
    made = planner.plan(asked)
    assert [one.start <= late.started_at < one.end for one in made.facts] == [True]
    assert len(made.quarters) == 2
    everything = [*requests, LLMRequest.objects.select_related("team").get(pk=late.pk)]
    assert_equal(
        engine.run(asked, period.end), oracle.groups(everything, period, ["team"], Interval.QUARTER_HOUR, acme.zone)
    )


def test_every_quarter_adds_up_to_its_hour_and_days_have_none(acme: Organization) -> None:
    dense(acme, SWITCHES["Europe/Berlin"])
    for grain in QUARTERS:
        hours = HourAggregate.objects.filter(grain=grain.name.removesuffix("/4"))
        quarters = HourAggregate.objects.filter(grain=grain.name)
        wanted = dict(hours.values_list("bucket_start", "requests"))
        if not grain.per_metadata_key:
            assert dict(quarters.values_list("bucket_start", "requests")) == wanted
        assert quarters.exists()
    assert not DayAggregate.objects.filter(grain__in=[grain.name for grain in QUARTERS]).exists()


@pytest.mark.parametrize("wrong", [plus("requests"), plus("cost"), other("quarter")])
def test_verification_finds_wrong_ones(acme: Organization, wrong: Any) -> None:
    dense(acme, SWITCHES["Europe/Berlin"], 30)
    assert rollups.verify(acme, make.NOW).differences == ()
    tamper(HourAggregate.objects.filter(grain=by_quarter("team")).order_by("pk")[0], wrong)
    assert {one.grain for one in rollups.verify(acme, make.NOW).differences} == {"team/4"}


def test_an_upgrade_computes_every_hour_that_has_requests(acme: Organization) -> None:
    """Hours of before have none, and would be empty."""
    from importlib import import_module

    from django.apps import apps

    requests, period = dense(acme, SWITCHES["Europe/Berlin"])
    HourAggregate.objects.filter(grain__in=[grain.name for grain in QUARTERS]).delete()
    import_module("analytics.migrations.0008_quarters_of_hours").mark(apps, None)
    asked = ask(acme, question(acme, period, ["team"]))
    expected = oracle.groups(requests, period, ["team"], Interval.QUARTER_HOUR, acme.zone)
    assert_equal(engine.run(asked, period.end), expected)
    rollups.drain()
    assert not ChangedHour.objects.exists()
    assert_equal(engine.run(asked, period.end), expected)
