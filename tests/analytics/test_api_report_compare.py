"""`report`: the earlier period beside the asked one, buckets below an hour, and how an answer was read."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import time_machine
from django.test import Client

from analytics import rollups
from analytics.query import comparing
from teams.services import IssuedKey
from tests import make
from tests.analytics import asking
from tests.analytics.test_api_report import ask, document, table, text
from tests.analytics.world import World, at, store

pytestmark = pytest.mark.usefixtures("kept_world")

Json = dict[str, Any]
NEXT_DAY = {"start_date": "2026-11-21", "end_date": "2026-11-21"}
COMPARED = NEXT_DAY | {"compare": "previous_period"}


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def two_days(world: World) -> World:
    """The world with a day after its own: Search again, and Labs for the first time; Ads no more."""
    day = timedelta(days=1)
    paid = {"model": "gpt-5", "status_code": 200, "latency_ms": 500.0, "input_tokens": 9}
    store(
        world.acme,
        paid | {"request_id": "n1", "started_at": at(9) + day, "team": "Search", "reported_cost_usd": Decimal("0.125")},
        paid | {"request_id": "n2", "started_at": at(13) + day, "team": "Labs", "reported_cost_usd": Decimal(2)},
    )
    rollups.drain()
    return world


def test_groups_of_either_period_in_full(client: Client, two_days: World, read_key: IssuedKey) -> None:
    found = document(client, read_key, group_by="team", measures="requests,cost_usd,latency_p50_ms", **COMPARED)
    names = ("requests", "cost_usd", "latency_p50_ms")
    keys = ("team", *names, *(f"{name}_previous" for name in names))
    assert [tuple(row) for row in found["rows"]] == [keys] * 4
    assert [tuple(row.values()) for row in found["rows"]] == [
        ("Labs", 1, "2", 500.0, 0, "0", None),
        ("Search", 1, "0.125", 500.0, 3, "0.75", 1000.0),
        ("Ads", 0, "0", None, 2, "1.000000000001", pytest.approx(10, rel=0.0109)),
        ("Unassigned", 0, "0", None, 1, "0.01", 70.0),
    ]
    totals = dict(zip(keys[1:], (2, "2.125", 500.0, 6, "1.760000000001", 1000), strict=True))
    assert found["totals"] == totals | {"latency_p50_ms_previous": pytest.approx(1000, rel=0.0109)}
    assert found["meta"]["previous"] == {"start": "2026-11-19T23:00:00Z", "end": "2026-11-20T23:00:00Z"}
    assert found["meta"]["row_count"] == 4


def test_files_have_the_same_columns(client: Client, two_days: World, read_key: IssuedKey) -> None:
    question = COMPARED | {"group_by": "team", "measures": "requests,cost_usd"}
    rows = document(client, read_key, **question)["rows"]
    header, *lines = table(client, read_key, **question)
    assert header == ["team", "requests", "cost_usd", "requests_previous", "cost_usd_previous"]
    assert lines == [[str(value) for value in row.values()] for row in rows]
    *read, last = text(ask(client, read_key, format="ndjson", **question)).splitlines()
    assert [json.loads(line) for line in read] == rows
    assert json.loads(last)["totals"] == {
        "requests": 2,
        "cost_usd": "2.125",
        "requests_previous": 6,
        "cost_usd_previous": "1.760000000001",
    }


def test_the_comparison_is_part_of_the_question(client: Client, two_days: World, read_key: IssuedKey) -> None:
    manifests = [
        json.loads(ask(client, read_key, measures="requests", compare=word)["X-Portal-Manifest"])
        for word in ("previous_period", "previous_calendar")
    ]
    assert len({one["query_sha256"] for one in manifests}) == 2
    assert [one["totals"] for one in manifests] == [{"requests": 6, "requests_previous": 0}] * 2


def test_hours_stand_beside_hours_at_the_same_place(client: Client, two_days: World, read_key: IssuedKey) -> None:
    rows = document(client, read_key, group_by="hour,team", measures="requests", **COMPARED)["rows"]
    assert [tuple(row.values()) for row in rows] == [
        ("2026-11-21T10:00:00+01:00", "Search", 1, 2),
        ("2026-11-21T10:00:00+01:00", "Ads", 0, 1),
        ("2026-11-21T11:00:00+01:00", "Search", 0, 1),
        ("2026-11-21T12:00:00+01:00", "Ads", 0, 1),
        ("2026-11-21T12:00:00+01:00", "Unassigned", 0, 1),
        ("2026-11-21T14:00:00+01:00", "Labs", 1, 0),
    ]


@pytest.mark.parametrize(
    ("word", "compare", "days"),
    [
        ("hour", "previous_period", ("2026-10-26", "2026-10-26")),
        ("day", "previous_calendar", ("2026-10-03", "2026-11-02")),
        ("week", "previous_period", ("2026-11-01", "2026-11-24")),
    ],
)
def test_both_columns_are_those_of_two_reports(
    client: Client, acme: Any, read_key: IssuedKey, word: str, compare: str, days: tuple[str, str]
) -> None:
    """Summer time ends on 25 October, and months differ by a day: places differ, nothing is lost."""
    random = Random(word)
    asked = {
        "start_date": days[0],
        "end_date": days[1],
        "group_by": f"{word},team",
        "measures": "requests,input_tokens",
    }
    first = datetime.fromisoformat(f"{days[0]}T00:00:00+01:00")
    length = datetime.fromisoformat(days[1]) - datetime.fromisoformat(days[0]) + timedelta(days=1)
    moments = [first + length * random.uniform(-1.2, 1) for _ in range(60)]
    teams = ("Search", "Ads", "Labs")
    store(
        acme,
        *(
            {"request_id": f"r{number}", "started_at": moment, "team": random.choice(teams), "input_tokens": number}
            for number, moment in enumerate(moments)
        ),
    )
    rollups.drain()
    found = document(client, read_key, **asked, compare=compare)
    before = found["meta"]["previous"] | {name: asked[name] for name in ("group_by", "measures")}
    response: Any = client.get("/api/v1/report", before, headers=make.bearer(read_key))
    earlier = json.loads(text(response))
    now = document(client, read_key, **asked)
    assert _added(found["rows"], word) == _added(now["rows"], word) != {}
    counted = [(row["team"], row["requests_previous"], row["input_tokens_previous"]) for row in found["rows"]]
    expected = [(row["team"], row["requests"], row["input_tokens"]) for row in earlier["rows"]]
    assert sorted(one for one in counted if one[1]) == sorted(expected) != []
    for name in ("requests", "input_tokens"):
        assert found["totals"][f"{name}_previous"] == earlier["totals"][name]
        assert found["totals"][name] == now["totals"][name]


def _added(rows: list[Json], word: str) -> dict[Any, list[int]]:
    added: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        for number, name in enumerate(("requests", "input_tokens")):
            added[row[word], row["team"]][number] += row[name] or 0
    return {key: values for key, values in added.items() if values[0]}


def test_a_place_that_the_asked_month_does_not_have(client: Client, world: World, read_key: IssuedKey) -> None:
    store(world.acme, {"request_id": "o31", "started_at": datetime.fromisoformat("2026-10-31T12:00:00Z")})
    rollups.drain()
    november = {"start_date": "2026-11-01", "end_date": "2026-11-30", "compare": "previous_calendar"}
    rows = document(client, read_key, group_by="day", measures="requests,latency_p50_ms", **november)["rows"]
    assert [tuple(row.values()) for row in rows] == [
        ("2026-11-20", 6, pytest.approx(1000, rel=0.0109), 0, None),
        (None, None, None, 1, None),
    ]


@pytest.mark.parametrize(("word", "minutes"), [("minute", 1), ("5_minute", 5), ("15_minute", 15)])
def test_buckets_below_an_hour(client: Client, world: World, read_key: IssuedKey, word: str, minutes: int) -> None:
    store(world.acme, {"request_id": "late", "started_at": at(9, 34), "team": "Search"})
    rows = document(client, read_key, group_by=f"{word},team", measures="requests")["rows"]
    local = [(9, 0, "Search"), (9, 15, "Ads"), (9, 30, "Search"), (9, 34, "Search")]
    local += [(10, 10, "Search"), (11, 0, "Ads"), (11, 30, "Unassigned")]
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for hour, minute, team in local:
        expected[f"2026-11-20T{hour + 1:02}:{minute // minutes * minutes:02}:00+01:00", team] += 1
    assert {(row[word], row["team"]): row["requests"] for row in rows} == dict(expected)


def test_too_many_requests_for_minutes_are_refused_before_the_first_byte(
    client: Client, world: World, read_key: IssuedKey, settings: Any
) -> None:
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 5
    refused = ask(client, read_key, group_by="minute", measures="requests", format="csv")
    assert refused.status_code == 422
    assert refused.json()["budget_rows"] == 5
    assert refused.json()["suggestions"]
    compared = ask(client, read_key, group_by="minute", measures="requests", **COMPARED)
    assert compared.status_code == 422  # the earlier day holds them
    assert len(document(client, read_key, group_by="hour", measures="requests")["rows"]) == 3


def test_how_a_report_was_read(client: Client, world: World, read_key: IssuedKey) -> None:
    store(world.acme, {"request_id": "fresh", "started_at": at(10, 59), "team": "Search"})
    question = {"group_by": "hour,team", "measures": "requests", "explain": "true"}
    parts = document(client, read_key, **question)["meta"]["explain"]["parts"]
    assert {(one["source"], one["facts"]) for one in parts} == {("hour", False), ("facts", True)}
    by_source = {one["source"]: one for one in parts}
    assert by_source["facts"]["rows_read"] == 4  # both facts of the changed hour, for the totals and for the rows
    assert by_source["facts"]["grain"] is None
    assert (by_source["facts"]["start"], by_source["facts"]["end"]) == ("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")
    assert "explain" not in document(client, read_key, group_by="team")["meta"]


def test_how_an_answer_was_read(client: Client, world: World, read_key: IssuedKey) -> None:
    meta = asking.answer(client, read_key, groupBy=["team"], explain=True, compare="previous_period")["meta"]
    parts = meta["explain"]["parts"]
    assert {one["source"] for one in parts} == {"hour"}  # whole days of Berlin are not whole days of UTC
    assert {one["facts"] for one in parts} == {False}
    now, before = parts[0], parts[-1]
    assert (now["startTimestamp"], now["endTimestamp"]) == ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z")
    assert (before["startTimestamp"], before["endTimestamp"]) == ("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z")
    assert sum(one["rowsRead"] for one in parts) >= meta["rowsRead"] > 0
    assert all(one["elapsedMs"] >= 0 and "team" in one["grain"] for one in parts)
    assert "explain" not in asking.answer(client, read_key)["meta"]
    assert asking.ask(client, read_key, explain="yes").status_code == 400


def test_what_a_period_does_not_have_is_empty_in_a_file(client: Client, two_days: World, read_key: IssuedKey) -> None:
    _, *rows = table(client, read_key, group_by="team", measures="latency_p50_ms", **COMPARED)
    filled = [(team, bool(now), bool(before)) for team, now, before in rows]
    expected = [("Labs", True, False), ("Search", True, True), ("Ads", False, True), ("Unassigned", False, True)]
    assert sorted(filled) == sorted(expected)


def test_many_groups_are_read_a_few_buckets_at_a_time(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = {"group_by": "15_minute,model,team", "measures": "requests,cost_usd,latency_p90_ms"}
    at_once = document(client, read_key, **question)["rows"]
    monkeypatch.setattr(comparing, "ROWS_AT_ONCE", 1)
    one_by_one = document(client, read_key, **question)["rows"]
    assert sorted(map(str, one_by_one)) == sorted(map(str, at_once))
    assert len(at_once) == 6
