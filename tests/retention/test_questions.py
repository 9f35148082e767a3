"""Questions to a time that is not kept: the same answer as before, or a refusal that says what to change."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from analytics.catalog.dimensions import BY_NAME, Dimension, metadata_dimension
from analytics.catalog.measures import select
from analytics.models import ChangedDay
from analytics.query import engine
from analytics.query.values import Compare, Filter, NotKeptError, Operator, Query, Result
from ingestion.metadata import register
from ingestion.models import ChangedHour, LLMRequest, MetadataKey
from metricsportal.lib.localtime import Interval, day_start, hour_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization
from tests.analytics import oracle
from tests.retention.scene import FIRST, NOW, days_ago, floor, purge

SELECTIONS = tuple(select(name) for name in ("requests", "failed_requests", "input_tokens", "cost_usd"))
GROUPS = ("model", "team", "user", "status_code", "operation", "metadata.environment")
FILTERS = (
    Filter(BY_NAME["model"], Operator.EQ, ("gpt-5",)),
    Filter(BY_NAME["team"], Operator.NE, ("Search",)),
    Filter(BY_NAME["failed"], Operator.EQ, ("true",)),
    Filter(BY_NAME["latency_ms"], Operator.GT, ("1000",)),
)
INTERVALS = (None, Interval.QUARTER_HOUR, Interval.HOUR, Interval.DAY, Interval.WEEK)


def query(organization: Organization, start: datetime, end: datetime, **fields: Any) -> Query:
    """A question about a range, whole unless told otherwise."""
    scope = scope_of_organization(organization)
    return Query(scope, TimeRange(start, end), SELECTIONS, limit=None, **fields)


def dimension(name: str) -> Dimension:
    """A dimension by its name, the registered metadata key included."""
    return BY_NAME[name] if name in BY_NAME else metadata_dimension(MetadataKey.objects.get(name="environment"))


def by_chance(organization: Organization, dice: random.Random) -> Query:
    """Borders in any form, groups, filters and intervals of all kinds."""
    tz = zone(organization.zone)

    def border() -> datetime:
        instant = FIRST + timedelta(seconds=dice.randrange(-(10**5), int((NOW - FIRST).total_seconds())))
        return dice.choice([day_start(instant, tz), hour_start(instant, tz), instant])

    start, end = sorted((border(), border()))
    interval = dice.choice(INTERVALS)
    if interval is Interval.QUARTER_HOUR:
        end = min(end, start + timedelta(hours=30))
    return query(
        organization,
        start,
        end,
        group_by=tuple(dimension(name) for name in dice.sample(GROUPS, dice.choice([0, 0, 1, 2]))),
        filters=tuple(dice.sample(FILTERS, dice.choice([0, 0, 0, 1]))),
        interval=interval,
    )


def told(result: Result) -> object:
    """All that an answer says, but not how it was read."""
    return result.query, result.buckets, result.series, result.summary


def _told_or_why(asked: Query) -> object:
    try:
        return told(engine.run(asked, NOW))
    except NotKeptError as error:
        return error


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_every_question_has_the_same_answer_as_before_or_is_refused(
    organization: Organization, short_hours: int, count: int
) -> None:
    dice = random.Random(5)
    questions = [by_chance(organization, dice) for _ in range(count)]
    before = [told(engine.run(one, NOW)) for one in questions]
    purge(organization)
    assert short_hours
    counted: Counter[str] = Counter()
    for asked, expected in zip(questions, before, strict=True):
        answer = _told_or_why(asked)
        if isinstance(answer, NotKeptError):
            assert answer.suggestions
            assert asked.period.start < answer.kept_from
            counted["refused"] += 1
        else:
            assert answer == expected
            counted["old" if asked.period.start < floor(organization) else "young"] += 1
    assert min(counted[name] for name in ("refused", "old", "young")) > count // 20, counted


def test_whole_days_equal_the_requests_that_are_gone(organization: Organization, short_hours: int) -> None:
    """Against plain Python over the requests as they were before they went."""
    requests = list(LLMRequest.objects.select_related("model", "team", "user"))
    purge(organization)
    assert short_hours
    asked = query(organization, days_ago(organization, 140), days_ago(organization, 0), interval=Interval.DAY)
    asked = replace(asked, group_by=(BY_NAME["team"],))
    result = engine.run(asked, NOW)
    wanted = oracle.groups(requests, asked.period, ["team"], Interval.DAY, organization.zone)
    names = [one.name for one in SELECTIONS]
    found = {
        ((series.labels[0].text,), bucket.start): dict(zip(names, values, strict=True))
        for series in result.series
        for bucket, values, count in zip(result.buckets, series.values, series.requests, strict=True)
        if count
    }
    assert found.keys() == wanted.keys()
    assert len(found) > 20
    for key, values in found.items():
        sums = oracle.sums(wanted[key])
        assert values == {name: sums[name] for name in names}


def _refused(asked: Query) -> NotKeptError:
    with pytest.raises(NotKeptError) as refusal:
        engine.run(asked, NOW)
    return refusal.value


def old_hours(organization: Organization) -> tuple[datetime, datetime]:
    """Two days before the floor, whole."""
    return days_ago(organization, 100), days_ago(organization, 98)


def test_a_filter_that_no_aggregate_has(organization: Organization) -> None:
    purge(organization)
    start, end = old_hours(organization)
    error = _refused(query(organization, start, end, filters=(FILTERS[3],)))
    assert str(error).startswith("Single requests are kept for 90 days, from 2026-09-11 00:00 (Asia/Kathmandu) on")
    assert error.suggestions[0].startswith("remove the filter on ")
    assert error.suggestions[1] == "begin at 2026-09-11 00:00 (Asia/Kathmandu) or later"
    assert error.kept_from == floor(organization)


@pytest.mark.parametrize(("start", "end"), [(30, 0), (0, 30)])
def test_a_border_inside_an_hour(organization: Organization, start: int, end: int) -> None:
    purge(organization)
    first, last = old_hours(organization)
    shifted = query(organization, first + timedelta(minutes=start), last - timedelta(minutes=end))
    assert "begin and end at full hours" in _refused(shifted).suggestions
    engine.run(query(organization, first + timedelta(hours=1), last - timedelta(hours=3)), NOW)


def test_an_interval_below_an_hour(organization: Organization) -> None:
    purge(organization)
    start, end = old_hours(organization)
    asked = query(organization, start, end, interval=Interval.QUARTER_HOUR)
    assert "use an interval of an hour or more" in _refused(asked).suggestions
    automatic = engine.run(replace(asked, interval_automatic=True), NOW)
    assert automatic.query.interval is Interval.HOUR
    assert automatic.summary == engine.run(replace(asked, interval=Interval.HOUR), NOW).summary


def test_hours_that_are_gone(organization: Organization, short_hours: int) -> None:
    purge(organization)
    assert short_hours
    start, end = days_ago(organization, 130), days_ago(organization, 128)
    asked = query(organization, start, end, interval=Interval.HOUR)
    error = _refused(asked)
    assert str(error).startswith("Hours are kept for 120 days, from 2026-08-12 00:00 (Asia/Kathmandu) on")
    assert "use an interval of a day or more" in error.suggestions
    assert engine.run(replace(asked, interval_automatic=True), NOW).query.interval is Interval.DAY
    part = replace(asked, interval=None, period=TimeRange(start + timedelta(hours=5), end))
    assert "begin and end at midnight in Asia/Kathmandu" in _refused(part).suggestions
    assert engine.run(replace(asked, interval=None), NOW).meta.source.startswith("day (")


def test_a_key_that_was_registered_too_late(organization: Organization) -> None:
    purge(organization)
    key = MetadataKey.objects.create(organization=organization, name="tenant")
    register(key, NOW)
    start, end = old_hours(organization)
    for asked in (
        query(organization, start, end, group_by=(metadata_dimension(key),)),
        query(organization, start, NOW, filters=(Filter(metadata_dimension(key), Operator.NULL),)),
    ):
        error = _refused(asked)
        assert "tenant" in str(error)
        assert error.kept_from == floor(organization)
    young = query(organization, floor(organization), days_ago(organization, 0), group_by=(metadata_dimension(key),))
    wanted = LLMRequest.objects.filter(started_at__lt=days_ago(organization, 0)).count()
    assert engine.run(young, NOW).summary.total_requests == wanted
    known = query(organization, start, end, group_by=(dimension("metadata.environment"),))
    engine.run(known, NOW)


def test_stale_log_rows_of_purged_hours_and_days_change_no_answer(organization: Organization, short_hours: int) -> None:
    asked = query(organization, days_ago(organization, 140), days_ago(organization, 0), group_by=(BY_NAME["model"],))
    purge(organization)
    assert short_hours
    before, tz = told(engine.run(asked, NOW)), zone(organization.zone)
    ChangedHour.objects.create(organization=organization, hour_start=hour_start(FIRST, tz))
    assert told(engine.run(asked, NOW)) == before
    ChangedHour.objects.all().delete()
    ChangedDay.objects.create(organization=organization, day_start=day_start(FIRST, tz))
    assert told(engine.run(asked, NOW)) == before


def _kept_period(organization: Organization) -> Sequence[datetime]:
    return floor(organization) + timedelta(days=1, minutes=17), NOW - timedelta(minutes=3)


def test_the_period_before_begins_with_a_full_hour(organization: Organization, settings: Settings) -> None:
    """A comparison with a time of which only hours are kept needs nobody to count minutes."""
    purge(organization)
    start, end = _kept_period(organization)
    asked = query(organization, start, end, compare=Compare.PREVIOUS_PERIOD)
    result = engine.run(asked, NOW)
    assert result.previous is not None
    earlier = result.previous.query.period
    assert (earlier.start.minute, earlier.end) == (15, start)
    assert timedelta(0) <= start - (end - start) - earlier.start < timedelta(hours=1)
    settings.KEEP_HOURS_DAYS = 95
    purge(organization)
    again = engine.run(asked, NOW).previous
    assert again is not None
    assert again.query.period.start == day_start(earlier.start, zone(organization.zone))
