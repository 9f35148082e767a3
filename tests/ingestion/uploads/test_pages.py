"""From the form to the report, and who may go there."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from ingestion import tasks
from ingestion.models import LLMRequest, Upload
from ingestion.uploads import queue
from teams.models import AuditEntry, Organization, User
from tests import pages
from tests.ingestion.uploads import content
from tests.ingestion.uploads.conftest import Store

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/o/acme/ingestion/upload"


def send(client: Client, body: bytes, name: str = "requests.csv", **fields: str) -> Any:
    return client.post(PAGE, {"file": SimpleUploadedFile(name, body), "format": "auto"} | fields)


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_from_the_form_to_the_dashboard(
    browser_of_admin: Client, acme: Organization, admin: User, folder: Path, pack: Callable[[bytes], bytes]
) -> None:
    client = browser_of_admin
    assert f'href="{PAGE}"' in client.get("/o/acme/ingestion/").content.decode()
    body = pack(content.csv(30, more=content.REJECTED))
    answer = send(client, body)
    address = answer.headers["Location"]
    assert answer.status_code == 302
    (stored,) = folder.iterdir()
    assert (stored.read_bytes(), stored.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (body, 0o600, 0o700)

    shown = client.get(address).content.decode()
    heads, *rows = pages.rows(shown)
    assert heads == ["#", "request_id", "started_at", "model", "user", "input_tokens"]
    assert rows[0] == ["0", "r0", "2026-11-24 13:00:00.000", "gpt-5", "user-0", "100"]
    words = text_of(client, address)
    assert "recognised as csv" in words
    assert "31 records . Nothing is imported yet" in words.replace("records.", "records .")
    assert "1 of the first 31 records would be rejected" in words
    assert LLMRequest.objects.count() == 0

    assert client.post(f"{address}import").headers["Location"] == address
    assert "Waits for a worker" in text_of(client, address)
    assert tasks.import_upload(address.split("/")[-2]) == 30
    assert LLMRequest.objects.filter(organization=acme).count() == 30
    assert list(folder.iterdir()) == []

    report = client.get(address).content.decode()
    figures = pages.definitions(report)
    assert [figures[name] for name in ("Records", "Accepted", "Duplicate", "Conflict", "Rejected")] == [
        *("31", "30", "0", "0", "1")
    ]
    assert ["30", "invalid", "started_at"] in [row[:3] for row in pages.rows(report)]
    (link,) = re.findall(r'href="(/o/acme/\?from=[^"]+)"', report)
    assert link.replace("&amp;", "&") == "/o/acme/?from=2026-11-24T11:00:00Z&to=2026-11-24T13:00:00Z"
    assert client.get(link.replace("&amp;", "&")).status_code == 200
    (line,) = pages.rows(client.get(PAGE).content.decode())[1:]
    assert [line[0], line[1], line[2], line[3], line[5]] == ["requests.csv", "Imported", "31", "30", admin.email]
    (entry,) = AuditEntry.objects.filter(action="upload.import")
    assert (entry.organization, entry.actor, entry.target) == (acme, admin, "requests.csv")


def test_the_same_file_again_counts_nothing_twice(browser_of_admin: Client, store: Store) -> None:
    for _ in range(2):
        upload = store(content.csv(5), start=True)
        tasks.import_upload(str(upload.pk))
    upload.refresh_from_db()
    assert (upload.state, upload.accepted, upload.duplicate) == ("done", 0, 5)
    assert LLMRequest.objects.count() == 5


def test_unknown_columns_are_listed_and_kept_when_asked(browser_of_admin: Client, acme: Organization) -> None:
    client = browser_of_admin
    body = b"request_id,started_at,model,region,metadata.env\na,2026-11-24T09:00:00Z,gpt-5,eu,prod\n"
    address = send(client, body).headers["Location"]
    assert "Unknown columns: “region”. Allowed are" in text_of(client, address)
    assert "“Keep unknown columns as metadata” reads this file with: region" in text_of(client, address)
    assert f"{address}import" not in client.get(address).content.decode()

    client.post(f"{address}read", {"format": "csv", "keep_unknown": "on"})
    words = text_of(client, address)
    assert "Kept as metadata: region" in words
    assert "Kept as metadata: region," not in words
    client.post(f"{address}import")
    tasks.import_upload(address.split("/")[-2])
    assert LLMRequest.objects.get().metadata == {"region": "eu", "env": "prod"}


def test_discarded_files_are_gone(browser_of_admin: Client, folder: Path) -> None:
    client = browser_of_admin
    address = send(client, content.csv(3)).headers["Location"]
    answer = client.post(f"{address}discard", follow=True)
    assert "“requests.csv” was deleted; nothing of it was imported." in answer.content.decode()
    assert list(folder.iterdir()) == []
    assert AuditEntry.objects.filter(action="upload.discard").count() == 1
    again = client.post(f"{address}import", follow=True).content.decode()
    assert "This file does not wait for a decision any more." in again
    assert tasks.import_upload(address.split("/")[-2]) == LLMRequest.objects.count() == 0
    assert AuditEntry.objects.filter(action="upload.import").count() == 0


def test_a_decision_is_made_once(browser_of_admin: Client, store: Store, folder: Path) -> None:
    upload = store(content.csv(3), start=True)
    answer = browser_of_admin.post(f"{PAGE}/{upload.pk}/discard", follow=True).content.decode()
    assert "This file does not wait for a decision any more." in answer
    assert len(list(folder.iterdir())) == 1
    browser_of_admin.post(f"{PAGE}/{upload.pk}/import")
    browser_of_admin.post(f"{PAGE}/{upload.pk}/read", {"format": "otlp"})
    upload.refresh_from_db()
    assert (upload.state, upload.format) == ("queued", "auto")
    assert AuditEntry.objects.filter(action="upload.import").count() == 1


def test_progress_is_told_to_scripts(browser_of_admin: Client, store: Store) -> None:
    upload = store(content.csv(4, more=content.REJECTED), start=True)
    tasks.import_upload(str(upload.pk))
    standing = browser_of_admin.get(f"{PAGE}/{upload.pk}/progress").json()
    assert re.fullmatch(r"at [\d.,]+ records/s", standing.pop("rate"))
    assert standing == {
        "state": "done",
        "words": "Imported",
        "hint": "",
        "ended": True,
        "share": 100,
        "records": "5",
        "accepted": "4",
        "duplicate": "0",
        "conflict": "0",
        "rejected": "1",
        "read": f"{upload.size}\xa0bytes of {upload.size}\xa0bytes",
    }


@pytest.mark.parametrize(
    ("fields", "words", "hint"),
    [
        ({"queued_at": timedelta(seconds=-3)}, "Waits for a worker", ""),
        ({"queued_at": timedelta(seconds=-30)}, "Waits for a worker", "No worker has taken this file yet."),
        ({"state": "importing", "lease_until": timedelta(seconds=20)}, "Importing", ""),
        ({"state": "importing", "lease_until": timedelta(seconds=-20)}, "Interrupted", "does not answer any more"),
    ],
)
def test_a_missing_worker_is_told(
    browser_of_admin: Client, store: Store, fields: dict[str, Any], words: str, hint: str
) -> None:
    upload = store(content.csv(1), start=True)
    now = timezone.now()
    moments = {name: now + value if isinstance(value, timedelta) else value for name, value in fields.items()}
    Upload.objects.filter(pk=upload.pk).update(**moments)
    standing = browser_of_admin.get(f"{PAGE}/{upload.pk}/progress").json()
    assert standing["words"] == words
    assert (hint in standing["hint"]) if hint else standing["hint"] == ""
    assert standing["hint"] in text_of(browser_of_admin, f"{PAGE}/{upload.pk}/")
    assert standing["rate"] == ""


def test_others_first(browser_of_admin: Client, store: Store, rival: Organization) -> None:
    first = store(content.csv(1), start=True, organization=rival)
    assert queue.claim(first.pk, timezone.now())
    second = store(content.csv(1), start=True)
    assert browser_of_admin.get(f"{PAGE}/{second.pk}/progress").json()["words"] == "Waits for another import"


def test_scripts_are_answered_with_an_address_or_a_problem(browser_of_admin: Client) -> None:
    headers = {"Accept": "application/json"}
    good = browser_of_admin.post(PAGE, {"file": SimpleUploadedFile("a.csv", content.csv(1))}, headers=headers)
    assert (good.status_code, good.json()) == (201, {"location": f"{PAGE}/{Upload.objects.get().pk}/"})
    bad = browser_of_admin.post(PAGE, {"file": SimpleUploadedFile("a.csv", b"")}, headers=headers)
    assert (bad.status_code, json.loads(bad.content)["detail"]) == (400, "The file is empty.")
