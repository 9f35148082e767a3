"""Where people and programs meet it: the API's refusals and lists, the dashboard, the page of ingest."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from ingestion.keeping import Line, keeping
from ingestion.models import LLMRequest, Watermark
from metricsportal.lib.localtime import hour_start, zone
from teams.models import Organization, User
from tests import make
from tests.retention.scene import FIRST, NOW, days_ago, floor, purge


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def purged(organization: Organization) -> Organization:
    """Requests of the last 90 days, hours and days of all of it."""
    purge(organization)
    return organization


@pytest.fixture
def boss(organization: Organization) -> User:
    """An administrator of it."""
    return make.member(organization, "admin")


@pytest.fixture
def signed_in(client: Client, boss: User) -> Client:
    """The administrator's browser."""
    client.force_login(boss)
    return client


def _query(client: Client, organization: Organization, boss: User, start: datetime, **fields: Any) -> Any:
    key = make.key(organization, "read", owner=boss)
    body: dict[str, Any] = {"startTs": start.isoformat(), "endTs": NOW.isoformat(), "type": "distribution"}
    body |= {"aggregations": [{"type": "sum", "column": "costInUSD"}], **fields}
    url = "/api/v1/metrics/query"
    return client.post(url, json.dumps(body), content_type="application/json", headers=make.bearer(key))


def test_the_api_refuses_with_what_to_change(client: Client, purged: Organization, boss: User) -> None:
    response = _query(client, purged, boss, FIRST)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"].endswith("/not-kept")
    assert problem["title"] == "What this question needs is not kept any more"
    assert "kept for 90 days" in problem["detail"]
    assert problem["kept_from"] == "2026-09-10T18:15:00.000000Z"
    assert problem["suggestions"][0] == "begin and end at full hours"
    aligned = _query(client, purged, boss, hour_start(FIRST, zone(purged.zone)))
    assert aligned.status_code == 200
    assert aligned.json()["data"]["summary"]["total"] == 60


def test_a_report_is_refused_before_its_first_byte(client: Client, purged: Organization, boss: User) -> None:
    key = make.bearer(make.key(purged, "read", "export", owner=boss))
    asked = {"start": FIRST.isoformat(), "end": NOW.isoformat(), "group_by": "week,model", "format": "csv"}
    response = client.get(f"/api/v1/report?{urlencode(asked)}", headers=key)
    assert response.status_code == 422
    asked["start"] = hour_start(FIRST, zone(purged.zone)).isoformat()
    response = client.get(f"/api/v1/report?{urlencode(asked)}", headers=key)
    assert response.status_code == 200
    lines = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert sum(int(line["requests"] or 0) for line in lines) == 60


def test_the_request_list_says_since_when(client: Client, organization: Organization, boss: User) -> None:
    key = make.bearer(make.key(organization, "read", "export", owner=boss))
    url = "/api/v1/requests?limit=1000&count=true"
    page = client.get(url, headers=key).json()
    assert (page["meta"]["kept_from"], page["meta"]["total_count"], len(page["results"])) == (None, 60, 60)
    purge(organization)
    page = client.get(url, headers=key).json()
    left = LLMRequest.objects.count()
    assert page["meta"]["kept_from"] == "2026-09-10T18:15:00.000000Z"
    assert page["meta"]["total_count"] == page["meta"]["row_count"] == len(page["results"]) == left
    old = client.get(f"{url}&{urlencode({'end': floor(organization).isoformat()})}", headers=key).json()
    assert (old["results"], old["meta"]["total_count"]) == ([], 0)
    file = client.get("/api/v1/requests?format=ndjson", headers=key)
    assert file["X-Portal-Kept-From"] == "2026-09-10T18:15:00.000000Z"
    *rows, last = b"".join(file).splitlines()
    assert (len(rows), json.loads(last)["meta"]["row_count"]) == (left, left)


def test_a_request_that_is_being_removed_is_in_no_list(
    client: Client, organization: Organization, boss: User, small_chunks: int
) -> None:
    key = make.bearer(make.key(organization, "read", owner=boss))
    purge(organization, chunks=1)
    assert small_chunks
    page = client.get("/api/v1/requests?limit=1000", headers=key).json()
    kept = LLMRequest.objects.filter(hour_start__gte=floor(organization)).count()
    assert len(page["results"]) == kept < LLMRequest.objects.count()


def _data(client: Client, organization: Organization, **asked: str) -> Any:
    response = client.get(f"/o/{organization.slug}/data", asked)
    assert response.status_code == 200
    return response.json()


@pytest.mark.parametrize("start", ["now-134d", "now-100d", "now-60d", "2026-07-28T07:31:00Z"])
def test_the_dashboard_shows_whole_hours_of_a_time_without_requests(
    signed_in: Client, purged: Organization, start: str
) -> None:
    data = _data(signed_in, purged, **{"from": start})
    assert data["problem"] is None
    shown = datetime.fromisoformat(data["range"]["start"])
    if shown < floor(purged):
        assert shown == hour_start(shown, zone(purged.zone))
    assert data["counters"]


def test_the_dashboard_falls_back_to_hours_and_to_days(
    signed_in: Client, organization: Organization, short_hours: int
) -> None:
    purge(organization)
    assert short_hours
    at = days_ago(organization, 100)
    data = _data(signed_in, organization, **{"from": at.isoformat(), "to": (at + timedelta(hours=5)).isoformat()})
    assert (data["problem"], data["interval"]["name"]) == (None, "1 hour")
    at = days_ago(organization, 130)
    data = _data(signed_in, organization, **{"from": at.isoformat(), "to": (at + timedelta(days=3)).isoformat()})
    assert (data["problem"], data["interval"]["name"]) == (None, "1 day")


def test_the_dashboard_says_why_it_cannot(signed_in: Client, purged: Organization) -> None:
    data = _data(signed_in, purged, **{"from": "now-100d", "f": "failed:eq:false"})
    assert data["problem"]["title"] == "What this question needs is not kept any more"
    assert "kept for 90 days" in data["problem"]["detail"]
    assert data["problem"]["suggestions"][0] == "remove the filter on Failed"


def test_a_filter_without_an_aggregate_still_works_where_only_the_time_before_is_gone(
    signed_in: Client, purged: Organization
) -> None:
    """The period before cannot be answered: the page is shown without a comparison."""
    data = _data(signed_in, purged, **{"from": "now-60d", "f": "failed:eq:false"})
    assert data["problem"] is None
    assert {counter["previous_text"] for counter in data["counters"]} == {None}


def test_an_empty_page_knows_that_there_was_something(signed_in: Client, purged: Organization) -> None:
    LLMRequest.objects.all().delete()
    data = _data(signed_in, purged, **{"from": "2026-07-01T00:00:00Z", "to": "2026-07-02T00:00:00Z"})
    assert data["empty"] == "nothing_in_range"
    assert data["empty_hint"]["first"] is not None


def test_the_page_of_ingest_says_how_long_what_is_kept(
    signed_in: Client, organization: Organization, settings: Settings, short_hours: int
) -> None:
    assert short_hours
    assert keeping(organization, NOW).lines == (
        Line("Single requests", "90 days"),
        Line("Totals of hours", "120 days"),
        Line("Totals of days", "for ever"),
    )
    purge(organization)
    gone = 60 - LLMRequest.objects.count()
    first = keeping(organization, NOW).lines[0]
    assert first == Line("Single requests", "90 days", "11 September 2026", str(gone), NOW)
    page = signed_in.get(f"/o/{organization.slug}/ingestion/").content.decode()
    for text in ("How long it is kept", "11 September 2026", "12 August 2026", "11 December, 03:40 UTC"):
        assert text in page, text
    Watermark.objects.update(finished_at=None)
    assert "under way" in signed_in.get(f"/o/{organization.slug}/ingestion/").content.decode()
    settings.KEEP_REQUESTS_DAYS = settings.KEEP_HOURS_DAYS = 0
    assert keeping(organization, NOW).next_at is None
    assert "every night" not in signed_in.get(f"/o/{organization.slug}/ingestion/").content.decode()
