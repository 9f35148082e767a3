"""The import command."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingestion import services
from ingestion.models import IngestBatch, LLMRequest
from teams.models import Organization
from tests import make
from tests.ingestion.test_litellm import payload

pytestmark = pytest.mark.django_db(transaction=True)
CSV = "request_id,timestamp,model,status\na,2023-11-16T18:17:03.9799600Z,llama,success\nb,2023-11-16T19:00:00Z,,error\n"


@pytest.fixture
def run(acme: Organization, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Import a file of that content and return the printed counts."""

    def run_(content: bytes, *options: str, name: str = "file") -> dict[str, Any]:
        path = tmp_path / name
        path.write_bytes(content)
        out = io.StringIO()
        call_command("import_requests", str(path), "--organization", "acme", "--json", *options, stdout=out)
        printed: dict[str, Any] = json.loads(out.getvalue())
        return printed

    return run_


def lines(count: int) -> bytes:
    start = make.NOW - timedelta(days=1_000)
    records = ({"request_id": f"r{n}", "started_at": start.isoformat(), "model": "m"} for n in range(count))
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.mark.parametrize(
    ("content", "source"),
    [
        (CSV.encode(), "import:csv"),
        (gzip.compress(CSV.encode()), "import:csv"),
        (lines(2), "import:native"),
        (gzip.compress(lines(2)), "import:native"),
        (json.dumps([payload(), payload(litellm_call_id="x")]).encode(), "import:litellm"),
        ("\n".join(json.dumps(payload(litellm_call_id=name)) for name in "ab").encode(), "import:litellm"),
    ],
)
def test_formats_are_recognised(run: Callable[..., dict[str, Any]], content: bytes, source: str) -> None:
    first = run(content)
    assert (first["received"], first["accepted"], first["rejected"]) == (2, 2, 0)
    assert IngestBatch.objects.get().source == source
    second = run(content)
    assert (second["accepted"], second["duplicate"]) == (0, 2)
    assert LLMRequest.objects.count() == 2


def test_big_files_take_many_transactions(run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.batches, "__defaults__", (3,))
    assert run(lines(10))["accepted"] == 10
    assert list(IngestBatch.objects.order_by("id").values_list("accepted", flat=True)) == [3, 3, 3, 1]


def test_rejections_are_counted_and_the_first_ones_shown(run: Callable[..., dict[str, Any]]) -> None:
    bad = b'{"request_id": "x", "started_at": "never"}\n' * 30
    printed = run(lines(1) + bad)
    assert (printed["accepted"], printed["rejected"], printed["rejected_by_code"]) == (1, 30, {"invalid": 30})
    assert [one["index"] for one in printed["rejections"]] == list(range(1, 21))


def test_the_format_may_be_named(run: Callable[..., dict[str, Any]]) -> None:
    assert run(lines(1), "--format", "ndjson")["accepted"] == 1
    with pytest.raises(CommandError, match="Unknown columns"):
        run(lines(1), "--format", "csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"request_id,timestamp,tokenz\n", "“tokenz”.*Allowed are: request_id"),
        (b"", "empty"),
        (b"[{]", "line 1, column"),
        (gzip.compress(lines(2))[:-9], "end-of-stream"),
        (b"\x1f\x8bnot gzip", "gzip|compression"),
    ],
)
def test_unreadable_files(run: Callable[..., dict[str, Any]], content: bytes, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(content)


def test_what_was_stored_before_the_error_is_told(
    run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.batches, "__defaults__", (1,))
    with pytest.raises(CommandError, match="2 requests before it are stored"):
        run(CSV.encode() + b'"c,2023')
    assert LLMRequest.objects.count() == 2


def test_unknown_organizations_and_files(acme: Organization, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no organization “nobody”\. There are: acme"):
        call_command("import_requests", str(tmp_path / "x"), "--organization", "nobody")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_requests", str(tmp_path / "x"), "--organization", "acme")


def test_people_get_a_table(acme: Organization, tmp_path: Path) -> None:
    path, out = tmp_path / "file.csv", io.StringIO()
    path.write_text(CSV + "c,never,,\n")
    call_command("import_requests", str(path), "--organization", "acme", stdout=out)
    assert "accepted             2" in out.getvalue()
    assert "record 2 [invalid]" in out.getvalue()
