"""What the preview says about files of every kind, without storing anything."""

import gzip
import json
from collections.abc import Callable

import pytest
from pytest_django import Settings

from ingestion.models import IngestBatch, LLMModel, LLMRequest, Watermark
from ingestion.uploads.preview import SAMPLE, SHOWN, Preview, preview
from teams.models import Organization
from tests import make
from tests.ingestion.otlp import bodies
from tests.ingestion.test_litellm import payload
from tests.ingestion.uploads import content
from tests.ingestion.uploads.conftest import Store

pytestmark = pytest.mark.django_db
Look = Callable[..., Preview]


@pytest.fixture
def look(store: Store) -> Look:
    """The preview of a file of that content."""

    def look_(body: bytes, **choice: str) -> Preview:
        return preview(store(body, **choice), make.NOW)

    return look_


def record(number: int, **fields: object) -> dict[str, object]:
    return {"request_id": f"r{number}", "started_at": make.NOW.isoformat(), "model": "gpt-5", **fields}


NATIVE = [record(number, user=f"u{number}") for number in range(2)]
FILES = {
    "csv": content.csv(2),
    "native": b"\n".join(json.dumps(one).encode() for one in NATIVE),
    "array": json.dumps(NATIVE, indent=1).encode(),
    "litellm": json.dumps([payload(), payload(litellm_call_id="x")]).encode(),
    "otlp": bodies.in_json([bodies.span(bodies.chat()), bodies.span(bodies.chat(), span_id="b" * 16)]),
}


def test_unknown_is_not_zero_and_nothing_is_stored(look: Look) -> None:
    rows = [record(0, input_tokens=1_200, streaming=True, reported_cost_usd="0.5"), record(1, latency_ms=12.5)]
    found = look(json.dumps(rows).encode())
    assert found.columns == ("request_id", "started_at", "model", "input_tokens", "latency_ms", "streaming",
                             "reported_cost_usd")  # fmt: skip
    assert [text for text, _ in found.rows[0].cells[3:]] == ["1,200", "–", "yes", "0.5"]  # noqa: RUF001
    assert [is_number for _, is_number in found.rows[0].cells] == [False] * 3 + [True, False, False, True]
    assert found.numbers >= {"input_tokens", "reported_cost_usd"}
    assert not found.numbers & {"model", "streaming"}
    assert [text for text, _ in found.rows[1].cells[3:]] == ["–", "12.5", "–", "–"]  # noqa: RUF001
    assert (LLMRequest.objects.count(), LLMModel.objects.count(), IngestBatch.objects.count()) == (0, 0, 0)


def test_records_of_a_removed_day_are_said_to_be_refused(look: Look, acme: Organization) -> None:
    Watermark.objects.create(organization=acme, subject="requests", before=make.NOW)
    rows = [record(0, started_at="2026-11-24T11:59:59Z"), record(1)]
    found = look(json.dumps(rows).encode())
    assert found.refused == "1"
    assert [bool(row.refused) for row in found.rows] == [True, False]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", FILES)
def test_every_format(look: Look, name: str, pack: Callable[[bytes], bytes]) -> None:
    found = look(pack(FILES[name]))
    assert found.format == ("native" if name == "array" else name)
    assert (found.error, found.refused, found.count, len(found.rows)) == ("", "", "2 records", 2)


def test_the_format_may_be_named(look: Look) -> None:
    assert look(FILES["native"], format="csv").error.startswith("Unknown columns")
    names = {"csv": "csv", "ndjson": "native", "litellm": "litellm", "otlp": "otlp", "envoy": "envoy"}
    assert {name: look(FILES["native"], format=name).format for name in names} == names


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_long_files_are_estimated(look: Look, pack: Callable[[bytes], bytes]) -> None:
    found = look(pack(content.csv(20_000)))
    assert (len(found.rows), found.sampled) == (SHOWN, f"{SAMPLE:,} records")
    kind, number, unit = found.count.split()
    assert (kind, unit) == ("about", "records")
    assert 14 <= float(number.removesuffix("k")) <= 26  # gzip is read in pieces


def test_what_is_refused_is_shown_in_place_and_after(look: Look) -> None:
    rows = [content.REJECTED, *(f"x{number},2026-11-24T09:00:00Z,m,1,\n" for number in range(25)), content.REJECTED]
    found = look((content.HEADER + "".join(rows)).encode())
    assert (found.refused, found.sampled, len(found.rows)) == ("2", "27 records", 20)
    assert (found.rows[0].cells, found.rows[0].refused[:23]) == ((), "started_at must be a ti")
    assert [(one.index, one.code.value) for one in found.reasons] == [(26, "invalid")]


def test_what_comes_before_an_error_is_shown(look: Look) -> None:
    found = look(content.csv(3) + b'"cut, off')
    assert (len(found.rows), found.count) == (3, "at least 3 records")
    assert found.error.startswith("This is not CSV in UTF-8: unexpected end of data (line ")


def test_columns_of_formats_without_them(look: Look) -> None:
    assert look(FILES["otlp"]).unknown == ()
    assert look(FILES["litellm"]).unknown == ("response_time",)


def test_prompts_are_not_shown(look: Look) -> None:
    secret = "what the person wrote"
    found = look(json.dumps([payload(messages=[{"role": "user", "content": secret}])]).encode())
    assert len(found.rows) == 1
    assert secret not in repr(found)


def test_only_the_beginning_is_read(look: Look, settings: Settings) -> None:
    settings.INGEST_MAX_BODY_BYTES = 2_000_000
    endless = look(gzip.compress(b"\n" * 10**7), format="ndjson").error
    assert "no end of the first records within 2,000,000 bytes" in endless
    assert "longer than 2,000,000 bytes" in look(gzip.compress(b"[" + b" " * 10**7)).error
    long = content.csv(60_000)
    assert len(long) > settings.INGEST_MAX_BODY_BYTES
    assert look(long).error == ""
