"""`requests` and `requests/{id}`: pages, cursors, files, one request, and who sees which."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client

from teams.models import User
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import END, START, World, at, store

pytestmark = pytest.mark.usefixtures("kept_world")

URL = "/api/v1/requests"
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def page(client: Client, key: IssuedKey, **parameters: Any) -> Json:
    response = client.get(URL, parameters, headers=make.bearer(key))
    assert response.status_code == 200, response.content
    document: Json = response.json()
    return document


def ids(document: Json) -> list[str]:
    return [row["request_id"] for row in document["results"]]


def test_a_page_in_full(client: Client, world: World, read_key: IssuedKey) -> None:
    document = page(client, read_key, start=START, end=END, filter=["failed:eq:true", "model:eq:gpt-5"], count="true")
    assert document == {
        "results": [
            {
                "request_id": "s2",
                "started_at": "2026-11-20T09:30:00.000000Z",
                "model": "gpt-5",
                "virtual_model": "chat-default",
                "provider": "openai",
                "team": "Search",
                "user": "ann",
                "virtual_account": "search-api",
                "status_code": 429,
                "error_type": "RateLimitError",
                "streaming": None,
                "attempt": None,
                "input_tokens": None,
                "output_tokens": None,
                "units": None,
                "latency_ms": 212.4,
                "ttft_ms": None,
                "itl_ms": None,
                "tpot_ms": None,
                "cost_usd": "0",
                "cost_state": "none",
                "metadata": {"environment": "prod"},
            }
        ],
        "next_cursor": None,
        "previous_cursor": None,
        "meta": {
            "timezone": "Europe/Berlin",
            "fresh_until": "2026-11-24T12:00:00.000000Z",
            "kept_from": None,
            "row_count": 1,
            "total_count": 1,
        },
    }


def test_newest_first_and_everything_without_borders(client: Client, world: World, read_key: IssuedKey) -> None:
    assert ids(page(client, read_key)) == ["u1", "a2", "s3", "s2", "a1", "s1"]
    assert ids(page(client, read_key, start="2026-11-20T09:30:00Z", end="2026-11-20T11:00:00Z")) == ["s3", "s2"]
    assert page(client, read_key, end="2020-01-01T00:00:00Z")["results"] == []


def test_pages_forward_and_back(client: Client, world: World, read_key: IssuedKey) -> None:
    first = page(client, read_key, limit=2)
    second = page(client, read_key, limit=2, cursor=first["next_cursor"])
    third = page(client, read_key, limit=2, cursor=second["next_cursor"])
    assert [ids(first), ids(second), ids(third)] == [["u1", "a2"], ["s3", "s2"], ["a1", "s1"]]
    assert (first["previous_cursor"], third["next_cursor"]) == (None, None)
    back = page(client, read_key, limit=2, cursor=third["previous_cursor"])
    assert ids(back) == ids(second)
    start = page(client, read_key, limit=2, cursor=back["previous_cursor"])
    assert (ids(start), start["previous_cursor"]) == (ids(first), None)
    assert ids(page(client, read_key, limit=2, cursor=start["next_cursor"])) == ids(second)


def test_rows_that_arrive_meanwhile_neither_repeat_nor_hide(client: Client, world: World, read_key: IssuedKey) -> None:
    same_instant = [{"request_id": f"same-{number}", "started_at": at(11, 30)} for number in range(3)]
    store(world.acme, *same_instant[:2])
    seen, cursor = list[str](), None
    while True:
        found = page(client, read_key, limit=2, **({"cursor": cursor} if cursor else {}))
        if cursor is None:
            store(world.acme, {"request_id": "late", "started_at": at(12)}, same_instant[2])
        seen, cursor = seen + ids(found), found["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert {"u1", "a2", "s3", "s2", "a1", "s1", "same-0", "same-1"} <= {*seen}
    assert "late" not in seen


def test_relative_borders_stay_where_they_were(client: Client, world: World, read_key: IssuedKey) -> None:
    first = page(client, read_key, start="now-5d", limit=1)
    with time_machine.travel("2026-12-24T12:00:00Z", tick=False):
        assert ids(page(client, read_key, start="now-5d", limit=9, cursor=first["next_cursor"])) == [
            "a2",
            "s3",
            "s2",
            "a1",
            "s1",
        ]


def test_cursors_of_others_are_refused(
    client: Client, world: World, read_key: IssuedKey, team_key: IssuedKey, outsider: User
) -> None:
    cursor = page(client, read_key, limit=1)["next_cursor"]
    rival_key = make.key(world.rival, owner=outsider)
    altered = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    forged = signing.dumps(["x", "2026-11-20T09:00:00Z", 1, False, START, END])
    tries = [
        (team_key, {"cursor": cursor}),  # another reach
        (rival_key, {"cursor": cursor}),  # another organization
        (read_key, {"cursor": cursor, "filter": "team:eq:Ads"}),  # another question
        (read_key, {"cursor": altered}),
        (read_key, {"cursor": forged}),
        (read_key, {"cursor": "' OR 1=1 --"}),
        (read_key, {"cursor": "x" * 5000}),
        (read_key, {"cursor": ""}),
    ]
    for key, parameters in tries:
        response = client.get(URL, parameters | {"limit": 1}, headers=make.bearer(key))
        assert response.status_code == 400, parameters
        assert response.json()["errors"][0]["code"] == "invalid_cursor"
    values = client.get("/api/v1/dimensions/model/values", {"cursor": cursor}, headers=make.bearer(read_key))
    assert values.status_code == 400


@pytest.mark.parametrize(
    ("parameters", "loc", "code"),
    [
        ({"limit": "0"}, ["limit"], "out_of_range"),
        ({"limit": "1001"}, ["limit"], "out_of_range"),
        ({"limit": "ten"}, ["limit"], "out_of_range"),
        ({"start": "yesterday"}, ["start"], "invalid_instant"),
        ({"start": "2026-11-20T00:00:00"}, ["start"], "no_offset"),
        ({"start": END, "end": START}, ["end"], "invalid_range"),
        ({"format": "feather"}, ["format"], "unknown_value"),
        ({"count": "maybe"}, ["count"], "unknown_value"),
        ({"filter": "modelName:eq:x"}, ["filter", 0], "unknown_dimension"),
        ({"filter": "team:is:x"}, ["filter", 0], "unknown_operator"),
        ({"team": "Search"}, ["team"], "unknown_parameter"),
    ],
)
def test_what_is_wrong_is_named(
    client: Client, world: World, read_key: IssuedKey, parameters: Json, loc: list[Any], code: str
) -> None:
    response = client.get(URL, parameters, headers=make.bearer(read_key))
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["loc"], error["code"]) == (loc, code)


def test_every_request_as_a_file(client: Client, world: World, read_key: IssuedKey) -> None:
    response: Any = client.get(URL, {"format": "csv", "start": START, "end": END}, headers=make.bearer(read_key))
    assert response["Content-Disposition"] == 'attachment; filename="requests_acme_2026-11-20_2026-11-21.csv"'
    content = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["request_id"] for row in rows] == ["u1", "a2", "s3", "s2", "a1", "s1"]
    assert (rows[1]["user"], rows[1]["cost_usd"]) == ("'=cmd|' /C calc'!A0", "")
    assert (rows[4]["cost_usd"], rows[5]["metadata"]) == ("1.000000000001", '{"environment":"prod"}')


def test_lines_end_with_their_number(client: Client, world: World, read_key: IssuedKey) -> None:
    response: Any = client.get(URL, {"format": "ndjson"}, headers=make.bearer(read_key))
    lines = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]
    assert lines[-1]["meta"]["row_count"] == 6
    assert lines[-1]["totals"] == {
        "requests": 6,
        "input_tokens": 1412,
        "output_tokens": 148,
        "cost_usd": "1.760000000001",
        "unpriced_requests": 1,
    }
    assert [line["request_id"] for line in lines[:-1]] == ["u1", "a2", "s3", "s2", "a1", "s1"]


def test_one_request_with_its_trace(client: Client, world: World, read_key: IssuedKey) -> None:
    document = client.get(f"{URL}/s1", headers=make.bearer(read_key)).json()
    assert (document["request_id"], document["team_attribution"], document["failed"]) == ("s1", "record", False)
    assert document["tokens"]["input_tokens"] == 100
    costs = ("cost_usd", "contracted_cost_usd", "reported_cost_usd", "list_cost_usd")
    assert [document[name] for name in costs] == ["0.5", "0.5", "0.5", None]
    assert document["trace"] == [
        {"request_id": "s2", "started_at": "2026-11-20T09:30:00.000000Z", "attempt": None, "status_code": 429}
    ]
    lonely = client.get(f"{URL}/u1", headers=make.bearer(read_key)).json()
    assert (lonely["team"], lonely["team_attribution"], lonely["trace"]) == ("Unassigned", "unassigned", [])


def test_absent_and_foreign_requests_look_alike(client: Client, world: World, team_key: IssuedKey) -> None:
    bodies = []
    for name in ("nothing", "rival-1", "a1", "x%00y", "../admin", "%27%20OR%201=1"):
        response = client.get(f"{URL}/{name}", headers=make.bearer(team_key))
        assert response.status_code == 404, name
        bodies.append({**response.json(), "request_id": "", "instance": ""})
    assert all(body == bodies[0] for body in bodies)


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("owner", ["u1", "a2", "s3", "s2", "a1", "s1"]),
        ("finance", ["u1", "a2", "s3", "s2", "a1", "s1"]),
        ("manager", ["s3", "s2", "s1"]),
        ("viewer", ["s3", "s2", "s1"]),
        ("member", ["a1"]),
        ("outsider", ["rival-1"]),
    ],
)
def test_every_role_sees_its_own(
    client: Client, world: World, request: pytest.FixtureRequest, who: str, seen: list[str]
) -> None:
    client.force_login(request.getfixturevalue(who))
    document = client.get(URL, {"count": "true"}).json()
    assert ids(document) == seen
    assert document["meta"]["total_count"] == len(seen)


def test_storing_and_asking_share_a_path(client: Client, world: World, read_key: IssuedKey) -> None:
    body = json.dumps([{"request_id": "new", "started_at": "2026-11-24T11:00:00Z"}])
    sending = make.bearer(make.key(world.acme, "ingest"))
    assert client.post(URL, body, content_type="application/json", headers=sending).status_code == 200
    assert ids(page(client, read_key, limit=1)) == ["new"]
    assert client.get(URL, headers=sending).status_code == 403
    assert client.delete(URL, headers=make.bearer(read_key)).status_code == 405
