"""The engine equals brute force over random requests: any grouping, filter, interval, population, scope and zone."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics import rollups
from analytics.catalog.measures import Population, Selection, select
from analytics.query import engine, keys
from analytics.query.flat import flat
from analytics.query.parsing import parse_filter
from analytics.query.values import Compare, Filter, LabelKind, QueryTooLargeError
from metricsportal.lib.histogram import RELATIVE_ERROR
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope, scope_of_organization
from teams.models import Organization
from tests import make
from tests.analytics import oracle
from tests.analytics.brute_force import COLUMNS, FILTERS, GROUPABLE, ask, assert_equal, store
from tests.make import NOW

pytestmark = pytest.mark.django_db

ZONES = ("UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.integers(min_value=0, max_value=9 * 1440))
    length = draw(st.integers(min_value=1, max_value=9 * 1440))
    return {
        "zone": draw(st.sampled_from(ZONES)),
        "seed": draw(st.integers(min_value=0, max_value=2**32)),
        "group_by": draw(st.lists(st.sampled_from(GROUPABLE), max_size=3, unique=True)),
        "interval": draw(st.sampled_from([None, *Interval])),
        "population": draw(st.sampled_from(list(Population))),
        "period": TimeRange(NOW - timedelta(minutes=start + length), NOW - timedelta(minutes=start)),
    }


def _many(function: Callable[..., None]) -> Callable[..., None]:
    # Shrinking replays the database work for minutes; the failing question is printed whole instead.
    quiet = settings(
        max_examples=8,  # each with facts of its own; test_any_question asks many about the same ones
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    return quiet(given(questions())(function))


def _known(organization: Organization, names: list[str]) -> list[str]:
    return [name for name in names if keys.find_any(name, organization.pk) is not None]


@_many
def test_any_grouping_equals_brute_force(question: dict[str, Any]) -> None:
    organization = make.organization(zone=question["zone"])
    make.price("gpt-5", "input", "1.25", organization=organization)
    make.price("gpt-5", "output", "10", organization=organization)
    requests = store(organization, random.Random(question["seed"]), 60)
    question["group_by"] = _known(organization, question["group_by"])
    if question["interval"] in (Interval.WEEK, Interval.MONTH) and not question["period"].seconds:
        return
    result = engine.run(ask(organization, question), NOW)
    expected = oracle.groups(
        requests, question["period"], question["group_by"], question["interval"], organization.zone
    )
    assert_equal(result, expected)
    inside = [one for one in requests if one.started_at in question["period"]]
    summary = dict(zip((one.name for one in COLUMNS), result.summary.total, strict=True))
    assert {name: summary[name] for name in oracle.sums(inside)} == oracle.sums(inside)


@_many
def test_shown_groups_and_the_rest_add_up_to_the_total(question: dict[str, Any]) -> None:
    organization = make.organization(zone=question["zone"])
    requests = store(organization, random.Random(question["seed"]), 60)
    question["group_by"] = _known(organization, question["group_by"][:1]) or ["user"]
    result = engine.run(ask(organization, question, limit=1), NOW)
    inside = [one for one in requests if one.started_at in question["period"]]
    assert len(result.series) <= 2
    assert all(one.labels[0].kind is LabelKind.OTHER for one in result.series[1:])
    assert sum(one.total_requests for one in result.series) == len(inside)
    if len(result.series) == 2:
        shown = result.series[0].labels[0].text
        rest = [one for one in inside if oracle.label(one, question["group_by"][0]) != shown]
        position = COLUMNS.index(select("latency", "p90"))
        exact = oracle.nearest_rank(oracle.durations(rest, "latency", question["population"]), 90)
        answer = result.series[1].total[position]
        assert (answer is None) == (exact is None)
        if exact is not None:
            assert answer is not None
            assert answer * 1000 == pytest.approx(exact, rel=RELATIVE_ERROR)


def test_every_filter_leaves_what_brute_force_leaves() -> None:
    organization = make.organization(zone="Asia/Kolkata")
    make.price("gpt-5", "input", "1.25", organization=organization)
    make.price("gpt-5", "output", "10", organization=organization)
    requests = store(organization, random.Random(7), 150)
    period = TimeRange(NOW - timedelta(days=8), NOW)
    for text, accepts in FILTERS:
        left = [one for one in requests if accepts(one)]
        filters = (parse_filter(text, scope_of_organization(organization)),)
        for group_by in ([], ["model"]):
            question = {"group_by": group_by, "interval": None, "population": Population.ALL, "period": period}
            result = engine.run(ask(organization, question, filters=filters), NOW)
            assert_equal(result, oracle.groups(left, period, group_by, None, organization.zone))


@pytest.mark.parametrize("reach", [Reach.TEAMS, Reach.CALLER, Reach.NOTHING])
def test_a_scope_sees_its_rows_only(reach: Reach) -> None:
    organization = make.organization()
    requests = store(organization, random.Random(3), 150)
    team = organization.teams.get(name="Search")
    scope = Scope(organization.pk, "UTC", reach, frozenset({team.pk}), "ann")
    period = TimeRange(NOW - timedelta(days=8), NOW)
    seen = {
        Reach.TEAMS: [one for one in requests if one.team_id == team.pk],
        Reach.CALLER: [one for one in requests if one.user is not None and one.user.name == "ann"],
        Reach.NOTHING: [],
    }[reach]
    for view in ("model", "virtual_model", "user", "virtual_account", "team", "metadata.environment"):
        question = {"group_by": [view], "interval": None, "population": Population.ALL, "period": period}
        result = engine.run(ask(organization, question, scope=scope), NOW)
        assert_equal(result, oracle.groups(seen, period, [view], None, "UTC"))


def test_other_organizations_are_never_read() -> None:
    mine, theirs = make.organization(), make.organization()
    make.request(theirs, model="secret")
    question = {
        "group_by": ["model"],
        "interval": None,
        "population": Population.ALL,
        "period": TimeRange(NOW - timedelta(days=1), NOW + timedelta(seconds=1)),
    }
    assert engine.run(ask(mine, question), NOW).series == ()


def test_comparison_shows_the_same_groups_before() -> None:
    organization = make.organization()
    for days, model in ((0, "new"), (0, "kept"), (1, "kept"), (1, "gone")):
        make.request(organization, model=model, started_at=NOW - timedelta(days=days, hours=1))
    question = {
        "group_by": ["model"],
        "interval": None,
        "population": Population.ALL,
        "period": TimeRange(NOW - timedelta(days=1), NOW),
    }
    result = engine.run(ask(organization, question, limit=2, compare=Compare.PREVIOUS_PERIOD), NOW)
    assert result.previous is not None
    assert [(one.labels[0].text, one.total_requests) for one in result.series] == [("kept", 1), ("new", 1)]
    assert [(one.labels[0].text, one.total_requests) for one in result.previous.series] == [("kept", 1), ("new", 0)]
    assert result.previous.summary.total_requests == 2


def test_a_question_beyond_the_budget_is_refused_with_an_estimate(settings: Any) -> None:
    organization = make.organization()
    store(organization, random.Random(5), 60)
    rollups.drain(organization.pk)
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 10
    question = {
        "group_by": ["streaming"],
        "interval": None,
        "population": Population.ALL,
        "period": TimeRange(NOW - timedelta(days=9), NOW),
    }
    with pytest.raises(QueryTooLargeError) as refusal:
        engine.run(ask(organization, question), NOW)
    assert refusal.value.budget == 10
    assert refusal.value.estimate > 10
    assert refusal.value.suggestions


def test_stale_hours_are_named_when_pending_facts_exceed_the_budget(settings: Any) -> None:
    organization = make.organization()
    store(organization, random.Random(5), 60)
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 5
    day = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    question = {
        "group_by": ["model"],
        "interval": None,
        "population": Population.ALL,
        "period": TimeRange(day - timedelta(days=8), day),
    }
    assert engine.run(ask(organization, question), NOW).meta.stale_hours > 0


def test_a_cost_without_any_price_is_unknown_not_zero() -> None:
    organization = make.organization()
    make.request(organization, model="nobody-knows")
    question = {
        "group_by": ["model"],
        "interval": None,
        "population": Population.ALL,
        "period": TimeRange(NOW - timedelta(days=1), NOW + timedelta(seconds=1)),
    }
    selections: tuple[Selection, ...] = (select("cost_usd"), select("cost_per_1000_usd"))
    result = engine.run(ask(organization, question, selections=selections), NOW)
    assert result.series[0].total == (None, None)
    assert result.meta.unpriced_requests == 1


@pytest.mark.parametrize("rows_at_once", [1, 20_000])
@pytest.mark.parametrize("interval", [None, Interval.HOUR, Interval.DAY])
def test_flat_rows_equal_brute_force(
    rows_at_once: int, interval: Interval | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = make.organization(zone="Australia/Lord_Howe")
    requests = store(organization, random.Random(11), 120)
    period = TimeRange(NOW - timedelta(days=8), NOW)
    question = {"group_by": ["team", "model"], "interval": interval, "population": Population.ALL, "period": period}
    monkeypatch.setattr("analytics.query.flat.ROWS_AT_ONCE", rows_at_once)
    query = ask(organization, question, order_by=select("requests"))
    expected = oracle.groups(requests, period, ["team", "model"], interval, organization.zone)
    found: dict[Any, dict[str, Any]] = {}
    order: list[Any] = []
    for part in flat(query, NOW):
        for when, who, *values in zip(part.bucket_of, part.group_of, *part.columns, strict=True):
            bucket, labels = part.buckets[when], part.groups[who]
            key = (tuple(label.text for label in labels), bucket.start if bucket and interval else None)
            assert key not in found
            found[key] = dict(zip((one.name for one in COLUMNS), values, strict=True))
            order.append((key[1] or NOW, -found[key]["requests"], key[0]))
    assert found.keys() == expected.keys()
    assert order == sorted(order)
    for key, row in found.items():
        for name, value in oracle.sums(expected[key]).items():
            assert row[name] == (pytest.approx(value) if isinstance(value, float) else value)
        exact = oracle.nearest_rank(oracle.durations(expected[key], "latency", Population.ALL), 50)
        assert row["latency_p50_ms"] == (None if exact is None else pytest.approx(exact / 1000, rel=0.0109))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite reads whole values")
@pytest.mark.parametrize("gap", [0, 10, 10**6])
def test_records_in_pieces_equal_whole_ones(gap: int, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.AGGREGATE_CACHE_MB = 0
    organization = make.organization()
    store(organization, random.Random(5), 150)
    rollups.drain(organization.pk)
    period = TimeRange(NOW - timedelta(days=8), NOW)
    question = {"group_by": ["user"], "interval": Interval.DAY, "population": Population.ALL, "period": period}
    filters = (parse_filter("model:eq:gpt-5", scope_of_organization(organization)),)
    query = ask(organization, question, limit=1, filters=filters)
    whole = engine.run(query, NOW)
    assert any(value for one in whole.series for value in one.total_samples)
    monkeypatch.setattr("analytics.query.stored._PIECE", -(10**9))
    monkeypatch.setattr("analytics.query.stored._GAP", gap)
    pieces = engine.run(query, NOW)
    assert (pieces.series, pieces.summary) == (whole.series, whole.summary)


def test_filters_are_values() -> None:
    organization = make.organization()
    one = parse_filter("model:in:a\\,b,c", scope_of_organization(organization))
    assert isinstance(one, Filter)
    assert one.values == ("a,b", "c")
