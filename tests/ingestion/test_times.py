"""When a request started: the right hour of the reporting zone, or a named refusal; never moved, never twice."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from analytics import rollups
from analytics.models import HourAggregate
from ingestion.models import LLMRequest
from teams.models import Organization
from tests import make
from tests.ingestion.test_litellm import payload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
ZONES: Final = (
    *("UTC", "America/New_York", "America/Los_Angeles", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Africa/Cairo", "Africa/Casablanca", "America/Santiago", "Pacific/Chatham"),
    "Pacific/Kiritimati",
)
TICK: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1)


def sender(organization: Organization) -> dict[str, str]:
    """The headers of one."""
    return make.bearer(make.key(organization, "ingest"))


def post(client: Client, headers: dict[str, str], records: object, path: str = "/api/v1/requests") -> Any:
    answer = client.post(path, json.dumps(records), content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def at(*times: object) -> list[dict[str, object]]:
    """Records that differ by when they started."""
    return [{"request_id": f"r{number}", "started_at": time, "model": "m"} for number, time in enumerate(times)]


def codes(reply: Any) -> list[str]:
    """Of the rejected records; none of them stands for the whole batch."""
    assert reply["accepted"] == LLMRequest.objects.count()
    return [one["code"] for one in reply["rejected"]]


def hours(organization: Organization) -> dict[datetime, int]:
    """Requests per hour, of the aggregates, which are the facts."""
    rollups.drain()
    assert rollups.verify(organization, make.NOW).differences == ()
    return dict(HourAggregate.objects.filter(grain="total").values_list("bucket_start", "requests"))


def test_only_the_window_is_taken_and_nothing_is_moved_into_it(client: Client, acme: Organization) -> None:
    offsets = [
        -400 * DAY,
        -35 * DAY - TICK,
        -35 * DAY,
        -TICK,
        timedelta(minutes=5),
        timedelta(minutes=5) + TICK,
        400 * DAY,
    ]
    times = [make.NOW + offset for offset in offsets]
    reply = post(client, sender(acme), at(*[time.isoformat() for time in times]))
    assert [(one["index"], one["code"], one["field"]) for one in reply["rejected"]] == [
        (number, "time_window", "started_at") for number in (0, 1, 5, 6)
    ]
    assert sorted(LLMRequest.objects.values_list("started_at", flat=True)) == times[2:5]


@pytest.mark.parametrize(
    "time",
    [
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00"),
        *("9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z", "2262-04-12T00:00:00Z"),
    ],
)
def test_the_ends_of_all_time_are_outside(client: Client, acme: Organization, time: str) -> None:
    assert codes(post(client, sender(acme), at(time, make.NOW.isoformat()))) == ["time_window"]


@pytest.mark.parametrize(
    "time",
    [
        *("2026-11-24T11:59:00", "2026-11-24 11:59", "2026-11-24", "24.11.2026", "now", "", " ", "T", "Z"),
        *("2026-11-24T23:59:60Z", "2026-11-24T24:00:00Z", "2026-11-31T00:00:00Z", "2026-02-29T00:00:00Z"),
        *("2026-11-24T11:59:00+25:00", "2026-11-24T11:59:00+0530", "2026-W48-2T11:59:00Z", "\uff12026-11-24T11:59:00Z"),
        *("2026-11-24T11:59:00Z\0", "-2026-11-24T11:59:00Z", "1795521540", "1795521540000"),
        *(1_795_521_540, 1_795_521_540_000, 1_795_521_540.5, 0, -1, True, None, [], {}),
    ],
)
def test_what_is_no_instant_is_refused_by_name(client: Client, acme: Organization, time: object) -> None:
    reply = post(client, sender(acme), at(time, make.NOW.isoformat()))
    assert [(one["index"], one["code"], one["field"]) for one in reply["rejected"]] == [(0, "invalid", "started_at")]
    assert LLMRequest.objects.get().started_at == make.NOW


@pytest.mark.parametrize(
    "start", [0, -1, 1e11, 1.8e12, 1_795_521_540_000, 1e400, True, "2026-11-24T11:59:00Z", [], 10**30]
)
def test_seconds_of_litellm_are_seconds(client: Client, acme: Organization, start: object) -> None:
    good = payload(startTime=make.NOW.timestamp() - 60, endTime=make.NOW.timestamp())
    bad = payload(startTime=start, litellm_call_id="bad")
    reply = post(client, sender(acme), [bad, good], "/api/v1/ingest/litellm")
    assert (reply["accepted"], [one["code"] for one in reply["rejected"]]) == (1, ["invalid"])
    assert LLMRequest.objects.get().request_id == "call-1"


@pytest.mark.parametrize("start", [1.0, 946_684_800, 4_102_444_800])
def test_seconds_of_another_year_are_outside(client: Client, acme: Organization, start: float) -> None:
    sent = [payload(startTime=start, endTime=start + 1)]
    reply = post(client, sender(acme), sent, "/api/v1/ingest/litellm")
    assert [one["code"] for one in reply["rejected"]] == ["time_window"]


@pytest.mark.parametrize("zone", ZONES)
def test_the_last_instant_of_a_month_belongs_to_it(client: Client, zone: str) -> None:
    organization = make.organization(zone=zone)
    tz = ZoneInfo(zone)
    midnight = datetime(2026, 11, 1, tzinfo=tz).astimezone(UTC)
    # 100 ns before midnight: cut to the microsecond, not rounded into the next month.
    times = [f"{midnight - TICK:%Y-%m-%dT%H:%M:%S.%f}9Z", midnight.isoformat(), (midnight - TICK).isoformat()]
    headers = sender(organization)
    assert post(client, headers, at(*times))["accepted"] == 3
    assert post(client, headers, at(*times))["duplicate"] == 3
    months = [
        time.astimezone(tz).month
        for time in LLMRequest.objects.order_by("request_id").values_list("started_at", flat=True)
    ]
    assert months == [10, 11, 10]
    found = hours(organization)
    assert [(time.astimezone(tz).month, count) for time, count in sorted(found.items())] == [(10, 2), (11, 1)]
    assert max(found) == midnight


@pytest.mark.parametrize("zone", ZONES)
def test_an_hour_ends_where_the_next_one_starts(client: Client, zone: str) -> None:
    organization = make.organization(zone=zone)
    tz = ZoneInfo(zone)
    full = datetime(2026, 11, 10, 13, tzinfo=tz).astimezone(UTC)
    times = [
        full - TICK,
        full,
        full + timedelta(minutes=59, seconds=59, microseconds=999_999),
        full + timedelta(hours=1),
    ]
    assert post(client, sender(organization), at(*[time.isoformat() for time in times]))["accepted"] == 4
    steps = (timedelta(hours=-1), timedelta(), timedelta(hours=1))
    assert hours(organization) == dict(zip([full + step for step in steps], (1, 2, 1), strict=True))


def test_the_same_id_across_a_border_counts_once(client: Client, acme: Organization) -> None:
    border = datetime(2026, 11, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    headers = sender(acme)
    before, after = (at((border + step).isoformat()) for step in (-TICK, timedelta()))
    assert post(client, headers, before)["accepted"] == 1
    assert post(client, headers, after)["conflict"] == 1
    assert post(client, headers, before)["duplicate"] == 1
    assert sum(hours(acme).values()) == 1
