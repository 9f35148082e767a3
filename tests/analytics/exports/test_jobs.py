"""Exports in the background: what is asked for, prepared, fetched, refused and deleted."""

import hashlib
import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from analytics import tasks
from analytics.exports import formats
from analytics.exports.jobs import acts, queue, running, sweeping
from analytics.models import ExportJob
from ingestion import leasing
from teams.models import ApiKey, Membership, Team, TeamMembership, User
from teams.services import IssuedKey
from tests import make
from tests.analytics.exports.asking import (
    LATER,
    REPORT,
    REQUESTS,
    URL,
    asked,
    described,
    fetched,
    get,
    job_of,
    post,
    prepare,
)
from tests.analytics.world import END, START, World

pytestmark = pytest.mark.usefixtures("frozen", "folder", "kept_world")


def streamed(client: Client, key: IssuedKey, path: str, **parameters: Any) -> bytes:
    response: Any = client.get(f"/api/v1/{path}", {"start": START, "end": END} | parameters, headers=make.bearer(key))
    assert response.status_code == 200
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_the_file_is_what_the_stream_would_have_been(
    client: Client, world: World, read_key: IssuedKey, name: str
) -> None:
    job = asked(client, read_key, REPORT | {"format": name, "filter": ["team:ne:x"]})
    assert prepare(job) == 5
    direct = streamed(client, read_key, "report", group_by="hour,team,user", format=name, filter="team:ne:x")
    assert fetched(client, read_key, job) == direct


def test_requests_too(client: Client, world: World, read_key: IssuedKey) -> None:
    job = asked(client, read_key, REQUESTS)
    assert prepare(job) == 6
    assert fetched(client, read_key, job) == streamed(client, read_key, "requests", format="csv")


def test_from_asking_to_deleting(client: Client, world: World, read_key: IssuedKey, folder: Path) -> None:
    job = asked(client, read_key)
    waiting = described(client, read_key, job)
    assert waiting == job
    assert waiting | {"id": "", "self": ""} == {
        "id": "",
        "self": "",
        "of": "report",
        "format": "csv",
        "name": "metrics_acme_2026-11-20_2026-11-21.csv",
        "state": "queued",
        "progress": 0,
        "rows": 0,
        "bytes": None,
        "sha256": None,
        "url": None,
        "manifest_url": None,
        "created_at": "2026-11-24T12:00:00.000000Z",
        "expires_at": "2026-12-01T12:00:00.000000Z",
        "problem": None,
    }
    for what in ("file", "manifest"):
        assert get(client, read_key, f"{URL}/{job['id']}/{what}").status_code == 404
    prepare(job)
    done = described(client, read_key, job)
    content = fetched(client, read_key, job)
    assert (done["state"], done["progress"], done["rows"], done["bytes"]) == ("done", 1, 5, len(content))
    assert done["sha256"] == hashlib.sha256(content).hexdigest()
    assert done["expires_at"] == "2026-12-01T12:05:00.000000Z"
    response = get(client, read_key, done["url"])
    assert response["Content-Disposition"] == 'attachment; filename="metrics_acme_2026-11-20_2026-11-21.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert json.loads(response["X-Portal-Manifest"])["rows"] == 5
    assert b"".join(response.streaming_content) == content
    assert get(client, read_key, URL).json() == {"results": [done]}
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert modes == {uuid.UUID(job["id"]).hex: 0o700, "file": 0o600, "manifest.json": 0o600}
    assert client.delete(job["self"], headers=make.bearer(read_key)).status_code == 204
    assert get(client, read_key, job["self"]).status_code == 404
    assert list(folder.iterdir()) == []


def test_the_manifest_beside_the_file(client: Client, world: World, read_key: IssuedKey) -> None:
    body = REPORT | {"measures": ["requests", "cost_usd"], "filter": ["model:eq:gpt-5"]}
    job = asked(client, read_key, body)
    prepare(job)
    done = described(client, read_key, job)
    manifest = get(client, read_key, done["manifest_url"]).json()
    assert manifest["totals"] == {"requests": 4, "cost_usd": "1.510000000001"}
    assert (manifest["rows"], manifest["filters"], manifest["timezone"]) == (3, ["model:eq:gpt-5"], "Europe/Berlin")
    assert len(manifest["query_sha256"]) == 64
    assert manifest["file"] == {"name": done["name"], "format": "csv", "bytes": done["bytes"], "sha256": done["sha256"]}
    assert "price_book_version" in manifest


@pytest.mark.parametrize(
    ("body", "loc", "code"),
    [
        ([], [], "invalid_type"),
        ({}, ["of"], "unknown_value"),
        ({"of": "prompts"}, ["of"], "unknown_value"),
        ({"of": ["report"]}, ["of"], "unknown_value"),
        (REPORT | {"limit": "7"}, ["limit"], "unknown_field"),
        (REQUESTS | {"cursor": "x"}, ["cursor"], "unknown_field"),
        (REQUESTS | {"group_by": "team"}, ["group_by"], "unknown_field"),
        (REPORT | {"start": 7}, ["start"], "invalid_type"),
        (REPORT | {"filter": [["team"]]}, ["filter"], "invalid_type"),
        (REPORT | {"population": ["all"]}, ["population"], "invalid_type"),
        (REPORT | {"group_by": ["teem"]}, ["group_by", 0], "unknown_dimension"),
        (REPORT | {"measures": ["requests", "costs"]}, ["measures", 1], "unknown_measure"),
        (REPORT | {"filter": ["team:like:x"]}, ["filter", 0], "unknown_operator"),
        (REQUESTS | {"end": START}, ["end"], "invalid_range"),
    ],
)
def test_what_is_wrong_is_named(
    client: Client, world: World, read_key: IssuedKey, body: Any, loc: list[Any], code: str
) -> None:
    if body == REQUESTS | {"end": START}:
        body = body | {"start": END}
    response = post(client, read_key, body)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["loc"], error["code"]) == (loc, code)
    assert not ExportJob.objects.exists()


def test_formats_that_cannot_be_written(
    client: Client, world: World, read_key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(client, read_key, REPORT | {"format": "focus"}).status_code == 415
    job = asked(client, read_key, REPORT | {"format": "parquet"})
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    refused = post(client, read_key, REPORT | {"format": "parquet"})
    assert refused.status_code == 415
    assert "requirements-exports.txt" in refused.json()["detail"]
    prepare(job)  # by a worker on which it is not installed
    assert "pyarrow" in described(client, read_key, job)["problem"]["detail"]


def test_flags_lists_and_texts_are_the_same(client: Client, world: World, read_key: IssuedKey) -> None:
    lists = asked(client, read_key, REPORT | {"measures": ["requests", "cost_usd"], "explain": False})
    texts = asked(client, read_key, REPORT | {"group_by": "hour,team,user", "measures": "requests,cost_usd"})
    assert job_of(lists).question == job_of(texts).question


def test_a_report_too_long_for_a_stream_points_to_the_background(
    client: Client, world: World, read_key: IssuedKey
) -> None:
    long = {"start": "2020-01-01T00:00:00Z", "end": END, "group_by": "hour", "measures": "requests", "format": "csv"}
    refused = client.get("/api/v1/report", long, headers=make.bearer(read_key))
    assert refused.status_code == 422
    assert any("/api/v1/exports" in one for one in refused.json()["suggestions"])
    asked(client, read_key, long | {"of": "report"})
    older = post(client, read_key, long | {"of": "report", "start": "1972-01-01T00:00:00Z"})
    assert older.status_code == 422
    assert not any("/api/v1/exports" in one for one in older.json()["suggestions"])


def test_a_few_at_a_time_per_organization(client: Client, world: World, read_key: IssuedKey, outsider: User) -> None:
    jobs = [asked(client, read_key) for _ in range(acts.MOST)]
    refused = post(client, read_key, REPORT)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) >= 30
    assert ExportJob.objects.count() == acts.MOST
    rival = make.key(world.rival, owner=outsider)
    assert post(client, rival, REPORT).status_code == 202  # another organization has its own
    prepare(jobs[0])
    assert post(client, read_key, REPORT).status_code == 202


def test_expired_files_are_deleted(
    client: Client, world: World, read_key: IssuedKey, folder: Path, settings: Settings
) -> None:
    settings.EXPORT_KEEP_DAYS = 2
    job, other = asked(client, read_key), asked(client, read_key, REQUESTS)
    prepare(job)
    sweeping.sweep(LATER + timedelta(days=2) - timedelta(seconds=1))
    assert ExportJob.objects.filter(pk=job["id"]).exists()
    over = LATER + timedelta(days=2)
    with time_machine.travel(over, tick=False):
        assert get(client, read_key, job["self"]).status_code == 404  # before any sweep
    sweeping.sweep(over)
    assert not ExportJob.objects.exists()
    assert list(folder.iterdir()) == []
    assert prepare(other) == 0


def test_folders_of_nobody_are_deleted_after_a_while(folder: Path, db: None) -> None:
    stray, foreign = folder / uuid.uuid4().hex, folder / "notes"
    for path in (stray, foreign):
        path.mkdir(parents=True)
    now = make.NOW.fromtimestamp(stray.stat().st_mtime, tz=make.NOW.tzinfo)
    sweeping.sweep(now + timedelta(minutes=59))
    assert stray.exists()
    sweeping.sweep(now + timedelta(minutes=61))
    assert [path.name for path in folder.iterdir()] == ["notes"]


# Who may have it


def revoke(key: IssuedKey) -> None:
    ApiKey.objects.filter(pk=key.key.pk).update(revoked_at=make.NOW)


def demote(key: IssuedKey) -> None:
    Membership.objects.filter(user=key.key.owner).update(role="member")


def leave(key: IssuedKey) -> None:
    Membership.objects.filter(user=key.key.owner).delete()


@pytest.mark.parametrize("loss", [revoke, demote, leave, lambda key: key.key.delete()])
def test_who_lost_the_right_gets_no_file_prepared(
    client: Client, world: World, read_key: IssuedKey, loss: Any, folder: Path
) -> None:
    job = asked(client, read_key)
    loss(read_key)
    assert prepare(job) == 0
    found = job_of(job)
    assert (found.state, found.error) == ("failed", running.NOT_ANY_MORE)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_demoted_owner_gets_404(client: Client, world: World, owner: User) -> None:
    client.force_login(owner)
    job = post(client, None, REPORT, "?organization=acme").json()
    prepare(job)
    paths = [job["self"], *(f"{URL}/{job['id']}/{part}?organization=acme" for part in ("file", "manifest"))]
    answers: list[Any] = [client.get(path) for path in paths]
    assert [response.status_code for response in answers] == [200, 200, 200]
    assert b"".join(answers[1].streaming_content).startswith(b"hour,")
    Membership.objects.filter(user=owner).update(role="member")
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]
    assert client.delete(job["self"]).status_code == 404
    assert client.get(f"{URL}?organization=acme").json() == {"results": []}
    assert ExportJob.objects.count() == 1


def test_who_left_a_team_does_not_get_its_file(client: Client, world: World, viewer: User, search: Team) -> None:
    client.force_login(viewer)
    job = post(client, None, REPORT | {"group_by": "team", "measures": "requests"}, "?organization=acme").json()
    prepare(job)
    url = f"{URL}/{job['id']}/file?organization=acme"
    response: Any = client.get(url)
    assert b"".join(response.streaming_content) == b"team,requests\r\nSearch,3\r\n"
    TeamMembership.objects.filter(user=viewer).delete()
    assert client.get(url).status_code == 404


def test_others_cannot_tell_that_it_exists(
    client: Client, world: World, read_key: IssuedKey, outsider: User, ingest_key: IssuedKey
) -> None:
    job = asked(client, read_key)
    prepare(job)
    team = make.team(world.acme)
    same_owner = read_key.key.owner
    keys = {
        "other organization": make.key(world.rival, owner=outsider),
        "other person": make.key(world.acme),
        "own key of a team": make.key(world.acme, owner=same_owner, team=team),
    }
    absent = f"{URL}/{uuid.uuid4()}"
    for who, key in keys.items():
        for path in (f"{URL}/{job['id']}", f"{URL}/{job['id']}/file", f"{URL}/{job['id']}/manifest"):
            response, nothing = get(client, key, path), get(client, key, absent)
            assert response.status_code == nothing.status_code == 404, who
            assert response.json()["detail"] == nothing.json()["detail"]
        assert client.delete(f"{URL}/{job['id']}", headers=make.bearer(key)).status_code == 404
        assert get(client, key, URL).json() == {"results": []}
    assert get(client, ingest_key, f"{URL}/{job['id']}").status_code == 403
    assert get(client, None, f"{URL}/{job['id']}").status_code == 401
    assert ExportJob.objects.count() == 1


def test_another_key_of_the_same_person_will_do(client: Client, world: World, read_key: IssuedKey) -> None:
    job = asked(client, read_key)
    prepare(job)
    assert fetched(client, make.key(world.acme, owner=read_key.key.owner), job).startswith(b"hour,team,user")


def test_asking_needs_the_right_to_export(client: Client, world: World, member: User) -> None:
    only_reading = make.key(world.acme, "read")
    for response in (post(client, only_reading, REPORT), get(client, only_reading, URL)):
        assert response.status_code == 403
    assert post(client, None, REPORT).status_code == 401
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(member)
    assert post(browser, None, REPORT).status_code == 403


@pytest.mark.parametrize(
    ("who", "rows"),
    [("owner", 6), ("finance", 6), ("manager", 3), ("viewer", 3), ("member", 1)],
)
def test_the_file_holds_what_its_owner_sees(
    client: Client, world: World, request: pytest.FixtureRequest, who: str, rows: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    job = post(client, None, REQUESTS, "?organization=acme").json()
    assert prepare(job) == rows


# Who works on it


def test_one_worker_at_a_time(client: Client, world: World, read_key: IssuedKey) -> None:
    first, second = asked(client, read_key), asked(client, read_key)
    claimed = queue.claim(uuid.UUID(first["id"]), LATER)
    assert claimed is not None
    for job in (first, second):
        assert queue.claim(uuid.UUID(job["id"]), LATER) is None
    assert sweeping.sweep(LATER) == 0
    gone = LATER + leasing.LEASE
    assert sweeping.sweep(gone) == 1
    successor = queue.claim(uuid.UUID(first["id"]), gone)
    assert successor is not None
    assert not queue.keep(claimed, gone, rows=7)
    assert not queue.finish(claimed, ExportJob.State.DONE)
    queue.release(claimed, gone)
    assert queue.keep(successor, gone, rows=8)
    assert (job_of(first).rows, job_of(first).state) == (8, "running")


def test_a_job_that_never_gets_further_is_given_up(client: Client, world: World, read_key: IssuedKey) -> None:
    job = asked(client, read_key)
    ExportJob.objects.update(tries=leasing.MOST_TRIES)
    prepare(job)
    assert described(client, read_key, job)["problem"]["detail"] == running.GIVEN_UP


def test_a_question_that_is_refused_says_why(
    client: Client, world: World, read_key: IssuedKey, settings: Settings
) -> None:
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 1
    job = asked(client, read_key, REPORT | {"filter": ["latency_ms:gt:1"]})
    prepare(job)
    problem = described(client, read_key, job)["problem"]
    assert "single requests" in problem["detail"]


def test_the_doorbells(client: Client, world: World, read_key: IssuedKey) -> None:
    job = asked(client, read_key)
    assert tasks.sweep_exports() == 1
    assert tasks.prepare_export(job["id"]) == 5
    assert tasks.prepare_export(job["id"]) == 0  # rung twice
    assert tasks.prepare_export(str(uuid.uuid4())) == 0
    assert tasks.sweep_exports() == 0
    assert described(client, read_key, job)["state"] == "done"
