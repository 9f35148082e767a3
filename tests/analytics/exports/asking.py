"""Asks for exports in the background and has them prepared, as a key does and a worker would."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.test import Client

from analytics.exports.jobs import running
from analytics.models import ExportJob
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import END, START

URL: Final = "/api/v1/exports"
REPORT: Final = {"of": "report", "start": START, "end": END, "group_by": ["hour", "team", "user"], "format": "csv"}
REQUESTS: Final = {"of": "requests", "start": START, "end": END, "format": "csv"}
LATER: Final = make.NOW + timedelta(minutes=5)
Json = dict[str, Any]


def post(client: Client, key: IssuedKey | None, body: object, query: str = "") -> Any:
    headers = make.bearer(key) if key else {}
    return client.post(URL + query, json.dumps(body), content_type="application/json", headers=headers)


def asked(client: Client, key: IssuedKey, body: object = REPORT) -> Json:
    """The description of a job that was just asked for."""
    response = post(client, key, body)
    assert response.status_code == 202, response.content
    document: Json = response.json()
    assert response["Location"] == document["self"]
    return document


def prepare(document: Json, now: datetime = LATER) -> int:
    """What a worker does when it is woken."""
    return running.run(uuid.UUID(document["id"]), lambda: now)


def get(client: Client, key: IssuedKey | None, url: str) -> Any:
    return client.get(url, headers=make.bearer(key) if key else {})


def described(client: Client, key: IssuedKey, document: Json) -> Json:
    found: Json = get(client, key, document["self"]).json()
    return found


def fetched(client: Client, key: IssuedKey, document: Json) -> bytes:
    """The file of a job that is done."""
    response = get(client, key, described(client, key, document)["url"])
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def job_of(document: Json) -> ExportJob:
    return ExportJob.objects.get(pk=document["id"])
