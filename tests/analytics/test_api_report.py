"""`report`: rows, totals, files, refusals, and what each role sees."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from analytics.catalog.measures import NATIVE
from analytics.exports import slots
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import World, at, store

pytestmark = pytest.mark.usefixtures("kept_world")

URL = "/api/v1/report"
DAY = {"start_date": "2026-11-20", "end_date": "2026-11-20"}
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def ask(client: Client, key: IssuedKey, **parameters: Any) -> Any:
    return client.get(URL, DAY | parameters, headers=make.bearer(key))


def text(response: Any) -> str:
    assert response.status_code == 200, response.getvalue()
    return b"".join(response.streaming_content).decode()


def document(client: Client, key: IssuedKey, **parameters: Any) -> Json:
    found: Json = json.loads(text(ask(client, key, **parameters)))
    return found


def table(client: Client, key: IssuedKey, **parameters: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text(ask(client, key, format="csv", **parameters)), newline="")))


def test_json_in_full(client: Client, world: World, read_key: IssuedKey) -> None:
    found = document(
        client,
        read_key,
        group_by="team,metadata.environment",
        measures="requests,cost_usd,latency_p90_ms,failure_rate",
        filter=["model:in:gpt-5,claude-sonnet-4-5"],
    )
    assert sorted(found["rows"], key=lambda row: (row["team"], str(row["metadata.environment"]))) == [
        {
            "team": "Ads",
            "metadata.environment": "dev",
            "requests": 1,
            "cost_usd": "1.000000000001",
            "latency_p90_ms": 4000.0,
            "failure_rate": 0.0,
        },
        {
            "team": "Search",
            "metadata.environment": None,
            "requests": 1,
            "cost_usd": "0.25",
            "latency_p90_ms": 2000.0,
            "failure_rate": 0.0,
        },
        {
            "team": "Search",
            "metadata.environment": "prod",
            "requests": 2,
            "cost_usd": "0.5",
            "latency_p90_ms": 1000.0,
            "failure_rate": 0.5,
        },
        {
            "team": "Unassigned",
            "metadata.environment": None,
            "requests": 1,
            "cost_usd": "0.01",
            "latency_p90_ms": 70.0,
            "failure_rate": 0.0,
        },
    ]
    totals = found["totals"]
    assert totals.pop("latency_p90_ms") == pytest.approx(4000, rel=0.0109)
    assert totals == {"requests": 5, "cost_usd": "1.760000000001", "failure_rate": 0.2}
    assert found["meta"] == {
        "timezone": "Europe/Berlin",
        "interval": None,
        "start": "2026-11-19T23:00:00Z",
        "end": "2026-11-20T23:00:00Z",
        "fresh_until": "2026-11-24T12:00:00.000000Z",
        "priced_share": 1.0,
        "unpriced_requests": 0,
        "unpriced_tokens": 0,
        "price_book_version": found["meta"]["price_book_version"],
        "row_count": 4,
        "percentile_error": 0.0109,
        "last_verified": None,
    }


def test_csv_in_full(client: Client, world: World, read_key: IssuedKey) -> None:
    response = ask(client, read_key, format="csv", group_by="hour,model", measures="requests,cost_usd,latency_p50_ms")
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="metrics_acme_2026-11-20_2026-11-20.csv"'
    lines = text(response).split("\r\n")
    assert lines[0] == "hour,model,requests,cost_usd,latency_p50_ms"
    assert sorted(lines[1:-1]) == [
        "2026-11-20T10:00:00+01:00,gpt-5,3,1.500000000001,1000",
        "2026-11-20T11:00:00+01:00,claude-sonnet-4-5,1,0.25,2000",
        "2026-11-20T12:00:00+01:00,gpt-5,1,0.01,70",
        "2026-11-20T12:00:00+01:00,mystery,1,,10",
    ]
    assert lines[-1] == ""


def test_all_measures_by_default(client: Client, world: World, read_key: IssuedKey) -> None:
    header, row = table(client, read_key)
    assert header == list(NATIVE)
    cells = dict(zip(header, row, strict=True))
    assert (cells["requests"], cells["failed_requests"], cells["cost_usd"]) == ("6", "1", "1.760000000001")
    assert (cells["ttft_p99_ms"], cells["itl_p50_ms"]) == ("200", "88.889")


def test_hostile_names_are_text_in_the_file(client: Client, world: World, read_key: IssuedKey) -> None:
    store(
        world.acme,
        {"request_id": "h1", "started_at": at(12), "user": "\tplain", "metadata": {"=key": "@value"}},
        {"request_id": "h2", "started_at": at(12), "user": 'a"b,\r\nc', "metadata": {"=key": "-1"}},
    )
    found = table(client, read_key, group_by="user,metadata.=key", measures="requests,cost_usd")
    assert found[0] == ["user", "metadata.=key", "requests", "cost_usd"]
    rows = {tuple(row[:2]) for row in found[1:]}
    assert ("'=cmd|' /C calc'!A0", "") in rows
    assert {cell for row in rows for cell in row if cell.startswith("'")} >= {"'@value", "'-1"}
    assert all(len(row) == 4 for row in found)
    assert sum(int(row[2]) for row in found[1:]) == 8


def test_ndjson_ends_with_its_proof(client: Client, world: World, read_key: IssuedKey) -> None:
    lines = text(ask(client, read_key, format="ndjson", group_by="team", measures="requests")).splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows[:-1] == [
        {"team": "Search", "requests": 3},
        {"team": "Ads", "requests": 2},
        {"team": "Unassigned", "requests": 1},
    ]
    assert rows[-1]["totals"] == {"requests": 6}
    assert rows[-1]["meta"]["row_count"] == 3


def test_page_api_and_file_have_the_same_numbers(client: Client, world: World, read_key: IssuedKey) -> None:
    measures = "requests,cost_usd,latency_p50_ms,latency_p99_ms,tpot_p90_ms"
    rows = document(client, read_key, group_by="model", measures=measures)["rows"]
    header, *lines = table(client, read_key, group_by="model", measures=measures)
    read = [dict(zip(header, line, strict=True)) for line in lines]
    assert [row["cost_usd"] or "" for row in rows] == [row["cost_usd"] for row in read]
    for name in ("latency_p50_ms", "latency_p99_ms", "tpot_p90_ms"):
        assert [row[name] for row in rows] == [float(row[name]) if row[name] else None for row in read]


@pytest.mark.parametrize("word", ["day", "week", "month"])
def test_longer_buckets_are_named_by_their_first_day(
    client: Client, world: World, read_key: IssuedKey, word: str
) -> None:
    [row] = document(client, read_key, group_by=word, measures="requests")["rows"]
    assert row == {word: {"day": "2026-11-20", "week": "2026-11-16", "month": "2026-11-01"}[word], "requests": 6}


def test_instants_and_explanation(client: Client, world: World, read_key: IssuedKey) -> None:
    borders = {"start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z", "explain": "true"}
    response = client.get(URL, borders | {"measures": "requests"}, headers=make.bearer(read_key))
    found = json.loads(text(response))
    assert found["rows"] == [{"requests": 3}]
    assert found["meta"]["source"].startswith("hour")


def test_the_manifest(client: Client, world: World, read_key: IssuedKey) -> None:
    responses = [
        ask(client, read_key, group_by="team", measures="requests", filter=condition)
        for condition in ("model:eq:gpt-5", "model:eq:gpt-5", "model:eq:ü\r\nX: y")
    ]
    first, again, hostile = (json.loads(response["X-Portal-Manifest"]) for response in responses)
    assert first["totals"] == {"requests": 4}
    assert first["filters"] == ["model:eq:gpt-5"]
    assert first["query_sha256"] == again["query_sha256"] != hostile["query_sha256"]
    assert hostile["filters"] == ["model:eq:ü\r\nX: y"]
    assert [text(response)[:8] for response in responses] == ['{"rows":'] * 3


@pytest.mark.parametrize(
    ("parameters", "loc", "code", "allowed"),
    [
        ({"group_by": "team,modelName"}, ["group_by", 1], "unknown_dimension", "model"),
        ({"group_by": "day,hour"}, ["group_by", 1], "repeated", "week"),
        ({"group_by": "team,team"}, ["group_by", 1], "repeated", ""),
        ({"group_by": "metadata.nothing"}, ["group_by", 0], "unknown_dimension", "metadata.environment"),
        ({"group_by": "trace_id"}, ["group_by", 0], "not_groupable", "team"),
        ({"measures": "requests,costs"}, ["measures", 1], "unknown_measure", "cost_usd"),
        ({"filter": "model:like:x"}, ["filter", 0], "unknown_operator", "contains"),
        ({"filter": "modell:eq:x"}, ["filter", 0], "unknown_dimension", "model"),
        ({"filter": "latency_ms:contains:x"}, ["filter", 0], "operator_not_allowed", "gt"),
        ({"start_date": "20.11.2026"}, ["start_date"], "invalid_day", ""),
        ({"end_date": "2026-11-19"}, ["end_date"], "invalid_range", ""),
        ({"start": "2026-11-20T00:00:00Z"}, ["start_date"], "required", "start"),
        ({"population": "some"}, ["population"], "unknown_value", "failed"),
        ({"compare": "last_year"}, ["compare"], "unknown_value", "previous_calendar"),
        ({"groupby": "team"}, ["groupby"], "unknown_parameter", "group_by"),
        ({"measures": ["requests", "cost_usd"]}, ["measures"], "repeated", ""),
    ],
)
def test_what_is_wrong_is_named(
    client: Client, world: World, read_key: IssuedKey, parameters: Json, loc: list[Any], code: str, allowed: str
) -> None:
    response = ask(client, read_key, **parameters)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["loc"], error["code"]) == (loc, code)
    assert allowed in error.get("allowed", [""])


@pytest.mark.parametrize("name", ["focus", "CSV", "", "xml"])
def test_formats_that_are_not_written(client: Client, world: World, read_key: IssuedKey, name: str) -> None:
    response = ask(client, read_key, format=name)
    assert response.status_code == 415
    assert response["Content-Type"] == "application/problem+json"
    assert "json, csv, ndjson, xlsx, parquet" in response.json()["detail"]


def test_too_many_buckets(client: Client, world: World, read_key: IssuedKey) -> None:
    assert ask(client, read_key, start_date="2000-01-01", group_by="hour", format="csv").status_code == 422


def test_files_need_the_right_to_export(client: Client, world: World) -> None:
    only_reading = make.key(world.acme, "read")
    assert ask(client, only_reading, format="csv").status_code == 403
    assert document(client, only_reading, measures="requests")["totals"] == {"requests": 6}


@pytest.mark.parametrize(
    ("who", "rows"),
    [
        ("owner", {"Search": 3, "Ads": 2, "Unassigned": 1}),
        ("admin", {"Search": 3, "Ads": 2, "Unassigned": 1}),
        ("finance", {"Search": 3, "Ads": 2, "Unassigned": 1}),
        ("manager", {"Search": 3}),
        ("viewer", {"Search": 3}),
        ("member", {"Ads": 1}),
    ],
)
def test_every_role_gets_its_own_file(
    client: Client, world: World, request: pytest.FixtureRequest, who: str, rows: dict[str, int]
) -> None:
    client.force_login(request.getfixturevalue(who))
    parameters = DAY | {"group_by": "team", "measures": "requests", "format": "csv", "organization": "acme"}
    content = text(client.get(URL, parameters))
    assert "rival" not in content
    assert {line.split(",")[0]: int(line.split(",")[1]) for line in content.split("\r\n")[1:-1]} == rows


def test_the_key_of_a_team(client: Client, world: World, team_key: IssuedKey, ingest_key: IssuedKey) -> None:
    found = document(client, team_key, group_by="team", measures="requests,cost_usd")
    assert found["rows"] == [{"team": "Search", "requests": 3, "cost_usd": "0.75"}]
    assert found["totals"] == {"requests": 3, "cost_usd": "0.75"}
    assert ask(client, ingest_key).status_code == 403


def test_a_few_files_at_once(client: Client, world: World, read_key: IssuedKey) -> None:
    opened = [ask(client, read_key, format="csv") for _ in range(slots.MOST)]
    refused = ask(client, read_key, format="csv")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert text(opened[0]).startswith("requests,")  # read to its end, it gives its place back
    again = ask(client, read_key, format="csv", measures="requests")
    assert text(again) == "requests\r\n6\r\n"
    assert [text(response)[:9] for response in opened[1:]] == ["requests,"] * 2


def test_a_reader_who_goes_away_gives_the_place_back() -> None:
    opened = [slots.take(7, iter([b"x"])) for _ in range(slots.MOST)]
    assert slots.take(7, iter([])) is None
    assert slots.take(8, iter([])) is not None  # another organization has its own
    for slot in opened:
        assert slot is not None
        slot.close()
        slot.close()  # twice is once
    assert all(slots.take(7, iter([])) for _ in range(slots.MOST))
    assert slots.take(7, iter([])) is None
