"""FOCUS files by API and in the background: who gets what, and what is refused."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from ingestion.models import MetadataKey
from teams.models import Organization, Team, User
from teams.services import IssuedKey
from tests import make
from tests.analytics.exports.asking import asked, described, fetched, get, post, prepare
from tests.focus import year

pytestmark = pytest.mark.usefixtures("db")
URL = "/api/v1/focus"
DAYS = {"start_date": "2026-11-24", "end_date": "2026-11-24"}


@pytest.fixture
def traffic(acme: Organization, search: Team, ads: Team) -> None:
    make.price("gpt-4o", "input", "2.5")
    make.price("gpt-4o", "output", "10")
    for team in ("Search", "Ads", None):
        make.request(acme, team=team)
    make.request(acme, team="Search", model="nobody/priced-this")


def streamed(client: Client, key: IssuedKey, **parameters: str) -> bytes:
    response: Any = client.get(URL, DAYS | parameters, headers=make.bearer(key))
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def test_a_stream(client: Client, traffic: None, acme: Organization) -> None:
    key = make.key(acme)
    response: Any = client.get(URL, DAYS, headers=make.bearer(key))
    assert response["Content-Disposition"] == 'attachment; filename="focus-1.2_acme_2026-11-24_2026-11-24.csv"'
    about = json.loads(response["X-Portal-Manifest"])
    assert {name: about[name] for name in ("focus_version", "timezone", "start", "end", "unpriced")} == {
        "focus_version": "1.2",
        "timezone": "UTC",
        "start": "2026-11-24T00:00:00Z",
        "end": "2026-11-25T00:00:00Z",
        "unpriced": "include",
    }
    rows = list(year.parsed(b"".join(response.streaming_content)))
    assert [(row["SubAccountName"], row["SkuMeter"], row["BilledCost"], row["x_RequestCount"]) for row in rows] == [
        (None, "Input Tokens", "0.0025", "1"),
        (None, "Output Tokens", "0.001", "0"),
        ("Search", "Input Tokens", "0.0025", "1"),
        ("Search", "Output Tokens", "0.001", "0"),
        ("Search", "Input Tokens", "0", "1"),
        ("Search", "Output Tokens", "0", "0"),
        ("Ads", "Input Tokens", "0.0025", "1"),
        ("Ads", "Output Tokens", "0.001", "0"),
    ]


def test_a_job_with_its_manifest(client: Client, traffic: None, acme: Organization, folder: Any) -> None:
    key = make.key(acme)
    for form in ("csv", "ndjson", "parquet"):
        job = asked(client, key, {"of": "focus", "format": form, **DAYS})
        assert prepare(job) == 8
        assert fetched(client, key, job) == streamed(client, key, format=form)
    job = asked(client, key, {"of": "focus", "unpriced": "exclude", "dimensions": ["virtual_account"], **DAYS})
    assert prepare(job) == 6
    about = get(client, key, described(client, key, job)["manifest_url"]).json()
    assert about["totals"] == {"BilledCost": "0.0105"}
    assert {name: about[name] for name in ("rows", "unpriced_requests", "unpriced_tokens", "dimensions")} == {
        "rows": 6,
        "unpriced_requests": 1,
        "unpriced_tokens": 1_100,
        "dimensions": ["virtual_account"],
    }
    assert len(about["file"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("persona", "teams"),
    [
        ("owner", {"Search", "Ads", None}),
        ("finance", {"Search", "Ads", None}),
        ("manager", {"Search"}),
        ("viewer", {"Search"}),
    ],
)
def test_people_get_the_rows_of_their_teams(
    client: Client, traffic: None, persona: str, teams: set[str | None], request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(persona))
    response: Any = client.get(URL, DAYS | {"organization": "acme"})
    rows = list(year.parsed(b"".join(response.streaming_content)))
    assert {row["SubAccountName"] for row in rows} == teams


def test_who_sees_no_team_gets_none(client: Client, traffic: None, acme: Organization, member: User) -> None:
    client.force_login(member)
    assert client.get(URL, DAYS | {"organization": "acme"}).status_code == 403
    key = make.key(acme, "read", "export", owner=member)
    assert client.get(URL, DAYS, headers=make.bearer(key)).status_code == 403
    assert post(client, key, {"of": "focus", **DAYS}).status_code == 403
    reading = make.key(acme, "read")
    assert client.get(URL, DAYS, headers=make.bearer(reading)).status_code == 403


def test_others_find_nothing(client: Client, traffic: None, outsider: User, ingest_key: IssuedKey) -> None:
    client.force_login(outsider)
    assert client.get(URL, DAYS | {"organization": "acme"}).status_code == 404


@pytest.mark.parametrize(
    ("sent", "where", "code"),
    [
        ({"start_date": ""}, "start_date", "invalid_day"),
        ({"start_date": "2026-11-25"}, "end_date", "invalid_range"),
        ({"start_date": "1990-01-01"}, "end_date", "invalid_range"),
        ({"focus_version": "1.4"}, "focus_version", "unknown_value"),
        ({"unpriced": "maybe"}, "unpriced", "unknown_value"),
        ({"format": "xlsx"}, "format", "unknown_value"),
        ({"dimensions": "user"}, "dimensions", "unknown_value"),
        ({"dimensions": "metadata.nothing"}, "dimensions", "unknown_dimension"),
        ({"dimensions": "virtual_model,virtual_model"}, "dimensions", "out_of_range"),
        ({"filter": "team:eq:Search"}, "filter", "unknown_parameter"),
    ],
)
def test_what_is_wrong_is_named(
    client: Client, traffic: None, acme: Organization, sent: dict[str, str], where: str, code: str
) -> None:
    MetadataKey.objects.create(organization=acme, name="environment", registered=True)
    response = client.get(URL, DAYS | sent, headers=make.bearer(make.key(acme)))
    assert response.status_code == 400
    assert [(error["loc"][0], error["code"]) for error in response.json()["errors"]] == [(where, code)]


def test_days_are_needed(client: Client, traffic: None, acme: Organization) -> None:
    response = client.get(URL, headers=make.bearer(make.key(acme)))
    assert [error["code"] for error in response.json()["errors"]] == ["required", "required"]


def test_what_takes_long_is_prepared_in_the_background(
    client: Client, traffic: None, acme: Organization, settings: Settings
) -> None:
    settings.QUERY_REQUEST_BUDGET = 3
    key = make.key(acme)
    response = client.get(URL, DAYS, headers=make.bearer(key))
    assert response.status_code == 422
    assert "POST /api/v1/exports" in response.json()["suggestions"][0]
    assert asked(client, key, {"of": "focus", **DAYS})["of"] == "focus"
