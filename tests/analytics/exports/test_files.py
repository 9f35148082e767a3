"""Files over HTTP: every format of report and requests holds what the JSON answer does, to the last digit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from analytics.exports import formats
from teams.services import IssuedKey
from tests import make
from tests.analytics.exports.reading import csv_rows, ndjson_rows, parquet_rows, xlsx_rows
from tests.analytics.world import END, HOSTILE, START, World

pytestmark = pytest.mark.usefixtures("kept_world")

PERIOD = {"start": START, "end": END}
GROUPED = {"group_by": "hour,team,user,metadata.environment"}
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def fetch(client: Client, key: IssuedKey, path: str, **parameters: Any) -> tuple[Any, bytes]:
    response: Any = client.get(f"/api/v1/{path}", PERIOD | parameters, headers=make.bearer(key))
    assert response.status_code == 200, response.content
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return response, content


def test_a_report_in_every_format(client: Client, world: World, read_key: IssuedKey) -> None:
    answer = json.loads(fetch(client, read_key, "report", **GROUPED)[1])
    rows, totals = answer["rows"], answer["totals"]
    assert len(rows) == 5
    assert HOSTILE in {row["user"] for row in rows}
    assert ndjson_rows(fetch(client, read_key, "report", **GROUPED, format="ndjson")[1]) == (
        rows,
        {"totals": totals, "meta": answer["meta"]},
    )
    found, manifest = parquet_rows(fetch(client, read_key, "report", **GROUPED, format="parquet")[1])
    assert found == rows
    assert (manifest["totals"], manifest["rows"], manifest["timezone"]) == (totals, 5, "Europe/Berlin")
    found, lines = xlsx_rows(fetch(client, read_key, "report", **GROUPED, format="xlsx")[1])
    assert found == rows
    assert {name: lines[f"totals.{name}"] for name in totals} == {
        name: None if value is None else str(value) for name, value in totals.items()
    }
    [mine] = [
        row
        for row in csv_rows(fetch(client, read_key, "report", **GROUPED, format="csv")[1])
        if row["user"].startswith("'")
    ]
    assert mine["user"] == f"'{HOSTILE}"


def test_requests_in_every_format(client: Client, world: World, read_key: IssuedKey) -> None:
    rows = json.loads(fetch(client, read_key, "requests")[1])["results"]
    flat = [
        row
        | {name: json.dumps(row[name], separators=(",", ":")) if row[name] else None for name in ("metadata", "units")}
        for row in rows
    ]
    lines, end = ndjson_rows(fetch(client, read_key, "requests", format="ndjson")[1])
    assert lines == rows
    found, manifest = parquet_rows(fetch(client, read_key, "requests", format="parquet")[1])
    assert found == flat
    assert manifest["totals"] == end["totals"]
    assert end["totals"]["requests"] == len(rows) == 6
    assert xlsx_rows(fetch(client, read_key, "requests", format="xlsx")[1])[0] == flat


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name != formats.JSON])
@pytest.mark.parametrize("path", ["report", "requests"])
def test_files_say_what_they_are(client: Client, world: World, read_key: IssuedKey, path: str, name: str) -> None:
    response, _ = fetch(client, read_key, path, format=name, filter="team:ne:x")
    assert response["Content-Type"] == formats.FORMATS[name].content_type
    assert response["Content-Disposition"].endswith(f'_acme_2026-11-20_2026-11-21.{name}"')
    manifest = json.loads(response["X-Portal-Manifest"])
    assert manifest["filters"] == ["team:ne:x"]
    assert manifest["timezone"] == "Europe/Berlin"
    assert len(manifest["query_sha256"]) == 64


@pytest.mark.parametrize("path", ["report", "requests"])
def test_without_the_library_the_refusal_names_the_extra(
    client: Client, world: World, read_key: IssuedKey, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    response = client.get(f"/api/v1/{path}", PERIOD | {"format": "parquet"}, headers=make.bearer(read_key))
    assert response.status_code == 415
    assert "requirements-exports.txt" in response.json()["detail"]
    assert "pyarrow" in response.json()["detail"]
    fetch(client, read_key, path, format="xlsx")  # needs none


@pytest.mark.parametrize("name", ["parquet", "xlsx"])
def test_files_need_the_right_to_export(client: Client, world: World, name: str) -> None:
    only_reading = make.key(world.acme, "read")
    for path in ("report", "requests"):
        response = client.get(f"/api/v1/{path}", PERIOD | {"format": name}, headers=make.bearer(only_reading))
        assert response.status_code == 403
