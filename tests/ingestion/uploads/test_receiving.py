"""Files on their way in: large, empty, hostile, broken off, and a disk without room."""

import errno
import io
import tracemalloc
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from pytest_django import Settings

from ingestion.models import Upload
from ingestion.uploads import acts, files
from ingestion.views import receiving, uploads
from teams.models import Organization, User
from tests.ingestion.uploads import content
from tests.ingestion.uploads.conftest import Store
from tests.ingestion.uploads.test_pages import PAGE, send, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def leftovers(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def refused(client: Client, body: bytes, status: int, words: str) -> None:
    answer = send(client, body)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert Upload.objects.count() == 0


def test_empty_files_and_forms_without_a_file(browser_of_admin: Client, folder: Path) -> None:
    refused(browser_of_admin, b"", 400, "The file is empty.")
    answer = browser_of_admin.post(PAGE, {"format": "auto"})
    assert (answer.status_code, "Choose a file." in answer.content.decode()) == (400, True)
    assert leftovers(folder) == []


def test_formats_are_a_closed_list(browser_of_admin: Client, folder: Path) -> None:
    answer = send(browser_of_admin, content.csv(1), format="pickle")
    assert (answer.status_code, "Choose one of the formats: auto, csv" in answer.content.decode()) == (400, True)
    assert leftovers(folder) == []


@pytest.mark.parametrize("over", [1, 100_000], ids=["counted", "by its own word"])
def test_files_beyond_the_limit(browser_of_admin: Client, folder: Path, settings: Settings, over: int) -> None:
    settings.UPLOAD_MAX_BYTES = 200_000
    refused(browser_of_admin, b"x" * (200_000 + over), 413, "The file is larger than 195.3 KB.")
    assert leftovers(folder) == []
    assert send(browser_of_admin, b"x" * 200_000).status_code == 302


def test_a_body_that_says_it_is_too_large_is_not_read(admin: User, acme: Organization, settings: Settings) -> None:
    class Unread(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    settings.UPLOAD_MAX_BYTES = 1_000
    client = Client()
    client.force_login(admin)
    head: Any = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": "900000", "wsgi.input": Unread()}
    answer = client.generic("POST", PAGE, b"", **head)
    assert answer.status_code == 413


def test_only_so_many_files_wait(browser_of_admin: Client, store: Store, folder: Path) -> None:
    for _ in range(acts.MOST_WAITING):
        store(content.csv(1))
    answer = send(browser_of_admin, content.csv(1))
    assert (answer.status_code, "10 uploaded files wait here already" in answer.content.decode()) == (400, True)
    assert len(leftovers(folder)) == Upload.objects.count() == acts.MOST_WAITING


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/cron.d/evil.csv", "evil.csv"),
        ("C:\\Users\\me\\requests.csv", "requests.csv"),
        ("<img src=x onerror=alert(1)>.csv", "&lt;img src=x onerror=alert(1)&gt;.csv"),
        ("requests\u202evsc.exe", "requestsvsc.exe"),
        ("x" * 800 + ".csv", "x" * 200),
    ],
)
def test_names_are_labels_only(browser_of_admin: Client, folder: Path, name: str, shown: str) -> None:
    boundary, body = "b0undary", content.csv(1)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    payload = head.replace(b"\\", b"\\\\") + body + f"\r\n--{boundary}--\r\n".encode()
    answer: Any = browser_of_admin.generic("POST", PAGE, payload, f"multipart/form-data; boundary={boundary}")
    assert answer.status_code == 302
    (stored,) = leftovers(folder)
    assert (len(stored.name), stored.name.isalnum(), stored.read_bytes()) == (32, True, body)
    for page in (PAGE, answer.headers["Location"]):
        html = browser_of_admin.get(page).content.decode()
        assert shown in html
        assert "<img src=x" not in html
        assert stored.name not in html
        assert str(folder) not in html


def test_labels() -> None:
    assert files.label("a/b\\c\0d\x1b[31m.csv") == "c�d�[31m.csv"
    assert files.label(" / ") == "file"


def test_a_person_who_goes_away_leaves_nothing(admin: User, acme: Organization, folder: Path) -> None:
    class BrokenOff(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            if not piece:
                raise OSError("connection reset by peer")
            assert leftovers(folder) != [] or self.tell() < 3_000_000
            return piece

    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + b"x" * 3_000_000
    head: Any = {"CONTENT_TYPE": "multipart/form-data; boundary=b", "CONTENT_LENGTH": "9000000"}
    request = RequestFactory().generic("POST", PAGE, b"", **head)
    request.environ["wsgi.input"] = BrokenOff(start)
    request._stream = request.environ["wsgi.input"]
    request.user, request.session = admin, {}  # type: ignore[assignment]
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    with pytest.raises(UnreadablePostError):
        uploads.uploads(request, "acme")
    assert folder.exists()
    assert leftovers(folder) == []


def test_a_full_disk_is_told(browser_of_admin: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def create() -> tuple[str, BinaryIO]:
        name, file = original()
        file.close()
        return name, Full()

    original = files.create
    monkeypatch.setattr(files, "create", create)
    refused(browser_of_admin, content.csv(1), 507, "The portal cannot store the file (No space left on device).")
    assert leftovers(folder) == []


def test_only_the_first_file_of_the_field_is_taken(browser_of_admin: Client, folder: Path) -> None:
    others = [SimpleUploadedFile(f"{number}.csv", b"other") for number in range(2)]
    first = SimpleUploadedFile("first.csv", content.csv(1))
    answer = browser_of_admin.post(PAGE, {"else": others[0], "file": [first, others[1]]})
    assert answer.status_code == 302
    assert [path.read_bytes() for path in leftovers(folder)] == [content.csv(1)]


def test_large_files_are_never_in_memory(browser_of_admin: Client, folder: Path) -> None:
    handler = receiving.ToFolder(2**30)
    handler.new_file("file", "a.csv", "text/csv", None)
    piece = b"x" * 2**20
    tracemalloc.start()
    for number in range(64):
        handler.receive_data_chunk(piece, number * len(piece))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    handler.file_complete(64 * 2**20)
    assert handler.received is not None
    assert (handler.received.size, peak < 2**20) == (64 * 2**20, True)
    handler.discard()
    assert leftovers(folder) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'[{"request_id": 1,]', "line 1, column 19"),
        (b"request_id,started_at\na,2026-11-24T09:00:00Z\n\xff,x\n", "This is not CSV in UTF-8"),
        (b'request_id,started_at\na,2026-11-24T09:00:00Z\n"b,x\n', "line 4"),
        (b"\x1f\x8b\x08not gzip at all", "The gzip data is damaged or cut short."),
        (b"request_id,model\n", "Missing columns: started_at"),
        (b"request_id,started_at\n", "No record was found in this file."),
    ],
)
def test_files_that_cannot_be_read(browser_of_admin: Client, body: bytes, words: str) -> None:
    address = send(browser_of_admin, body).headers["Location"]
    assert words in text_of(browser_of_admin, address)
