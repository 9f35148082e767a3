"""What is billed by the piece: sent, checked, stored, told again; and whose identity it is part of."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from ingestion.formats import FORMATS, LITELLM, NATIVE, Format, MalformedError
from ingestion.models import LLMRequest
from ingestion.pipeline import draft
from ingestion.records import RejectedError, RequestRecord
from ingestion.validation import Window
from teams.models import Organization
from tests import make
from tests.ingestion.test_identity import post
from tests.ingestion.test_litellm import payload

FIRST: dict[str, Any] = {"request_id": "a", "started_at": "2026-11-24T11:59:00Z"}
ANTHROPIC = {"input_tokens": 5, "output_tokens": 7, "server_tool_use": {"web_search_requests": 2}}
WINDOW = Window.around(make.NOW, past_days=None, future_minutes=5)


def hashes(format_: Format, body: object) -> list[str]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    drafts, rejected = draft(format_.read(text), WINDOW)
    assert rejected == []
    return [one.payload_hash.hex() for one in drafts]


def test_records_without_units_keep_the_identity_that_they_had() -> None:
    """Hashes of before units, images and usage objects were kept: a repeat of an old request stays a repeat."""
    native = [
        FIRST,
        FIRST | {"metadata": {"b": "2", "a": 1}},
        FIRST | {"model": "gpt-5", "input_tokens": 3, "output_tokens": 0, "audio_input_tokens": 1},
        FIRST | {"usage": {"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": 4}},
    ]
    expected = [
        "fa9f2ee8ba4112290f549d1586d9b037",
        "629fe7546a0205b9418d21b2764fe4e6",
        "114b538e3626597e8344b379a2fc1b12",
        "e980f6e5ee3a5d511898347c17414d3c",
    ]
    assert hashes(NATIVE, native) == expected
    assert hashes(NATIVE, [FIRST | {"units": sent} for sent in (None, {}, {"image": 0})]) == expected[:1] * 3
    rows = b"request_id,started_at,input_tokens,cached_tokens\na,2026-11-24T11:59:00Z,3,1\n"
    assert hashes(FORMATS["csv"], rows) == ["fbd2e661ad23d3fa8e60675e2a679a11"]
    sent = payload(startTime=1_795_425_790.0, endTime=1_795_425_791.0)
    assert hashes(LITELLM, [sent]) == ["a15c8e168d305a177046d6842e886860"]


def test_units_are_part_of_the_identity_and_the_usage_object_is_not() -> None:
    counts = {"input_tokens": 5, "output_tokens": 7}
    plain, units, other, object_, more = hashes(
        NATIVE,
        [
            FIRST | counts,
            FIRST | counts | {"units": {"web_search": 2}},
            FIRST | counts | {"units": {"web_search": 3}},
            FIRST | {"usage": ANTHROPIC},
            FIRST | {"usage": ANTHROPIC | {"service_tier": "standard"}},
        ],
    )
    assert len({plain, units, other}) == 3
    assert units == object_ == more


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "code", "says"),
    [
        ({"Web_Search": 1}, "invalid", "1 to 32 of a-z, 0-9 and underscore"),
        ({"web search": 1}, "invalid", "1 to 32 of a-z"),
        ({"web-search": 1}, "invalid", "1 to 32 of a-z"),
        ({"": 1}, "invalid", "1 to 32 of a-z"),
        ({"u" * 33: 1}, "invalid", "1 to 32 of a-z"),
        ({"٣": 1}, "invalid", "1 to 32 of a-z"),
        ({"a\n": 1}, "invalid", "1 to 32 of a-z"),
        ({"'; DROP TABLE x": 1}, "invalid", "1 to 32 of a-z"),
        ({"image": -1}, "negative", "units.image must not be negative"),
        ({"image": 10**9 + 1}, "invalid", "units.image must be a whole number from 0 to 1,000,000,000"),
        ({"image": 2**70}, "invalid", "whole number from 0 to"),
        ({"image": 1.5}, "invalid", "whole number from 0 to"),
        ({"image": "3"}, "invalid", "whole number from 0 to"),
        ({"image": True}, "invalid", "whole number from 0 to"),
        ({"image": None}, "invalid", "whole number from 0 to"),
        ({"image": {"a": 1}}, "invalid", "whole number from 0 to"),
        ({f"u{number}": 1 for number in range(17)}, "too_long", "units has 17 names, 16 are allowed"),
        ([3], "invalid", "Expected `object | null`"),
        (3, "invalid", "Expected `object | null`"),
    ],
)
def test_what_is_no_count_of_units_is_refused_with_what_is_allowed(
    client: Client, headers: dict[str, str], sent: object, code: str, says: str
) -> None:
    body = json.dumps([FIRST | {"units": sent}, FIRST | {"request_id": "b"}])
    reply = client.post("/api/v1/requests", body, content_type="application/json", headers=headers).json()
    ((refused,), accepted) = reply["rejected"], reply["accepted"]
    assert (refused["index"], refused["code"], refused["field"], accepted) == (0, code, "units", 1)
    assert says in refused["message"]
    assert "DROP" not in refused["message"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({}, None),
        ({"units": None}, None),
        ({"units": {}}, None),
        ({"units": {"image": 0}}, None),
        ({"units": {"image": 0, "web_search": 3}}, {"web_search": 3}),
        ({"units": {"web_search": 10**9, "_9": 1}}, {"web_search": 10**9, "_9": 1}),
        ({"units": {f"u{number}": 1 for number in range(16)}}, {f"u{number}": 1 for number in range(16)}),
        ({"usage": ANTHROPIC}, {"web_search": 2}),
        ({"usage": ANTHROPIC, "units": {"web_search": 2, "image": 1}}, {"web_search": 2, "image": 1}),
        ({"usage": {"prompt_tokens": 1, "completion_tokens": 1}}, None),
    ],
)
def test_units_are_stored_and_none_is_null(
    client: Client, headers: dict[str, str], fields: dict[str, Any], stored: dict[str, int] | None
) -> None:
    assert post(client, headers, FIRST | fields) == (1, 0, 0, [])
    assert LLMRequest.objects.get().units == stored
    assert LLMRequest.objects.filter(units__isnull=stored is None).exists()
    assert post(client, headers, FIRST | fields) == (0, 1, 0, [])


def test_units_have_columns_in_csv() -> None:
    header = b"request_id,started_at,units.web_search,units.image\n"
    row = b"a,2026-11-24T11:59:00Z,%s,\n"
    found = [item for _, item in FORMATS["csv"].read(header + row % b"3" + row % b"" + row % b"many" + row % b"1.5")]
    assert [one.units for one in found if isinstance(one, RequestRecord)] == [{"web_search": 3}, {}]
    refused = [(one.code, one.field, one.message) for one in found if isinstance(one, RejectedError)]
    assert refused == [("invalid", "units", "A number of units is not a whole number.")] * 2
    with pytest.raises(MalformedError, match="Unknown columns"):
        list(FORMATS["csv"].read(b"request_id,started_at,units.\n"))
    items = FORMATS["csv"].read(b"request_id,started_at,units.Web\na,2026-11-24T11:59:00Z,3\n")
    assert [one.field for one in draft(items, WINDOW)[1]] == ["units"]


@pytest.mark.django_db
def test_units_that_the_usage_object_counts_otherwise_are_a_contradiction(
    client: Client, headers: dict[str, str]
) -> None:
    sent = [FIRST | {"usage": ANTHROPIC, "units": {"web_search": given}} for given in (3, "two")]
    assert post(client, headers, *sent) == (0, 0, 0, ["contradiction", "contradiction"])


@pytest.mark.django_db
def test_units_are_told_again(client: Client, acme: Organization, headers: dict[str, str]) -> None:
    post(client, headers, FIRST | {"units": {"web_search": 3, "image": 1}}, FIRST | {"request_id": "b"})
    reader = make.bearer(make.key(acme))
    listed = client.get("/api/v1/requests", headers=reader).json()["results"]
    assert {row["request_id"]: row["units"] for row in listed} == {"a": {"image": 1, "web_search": 3}, "b": None}
    assert client.get("/api/v1/requests/a", headers=reader).json()["units"] == {"image": 1, "web_search": 3}
    answer: Any = client.get("/api/v1/requests", {"format": "csv"}, headers=reader)
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline=""))
    assert {row["request_id"]: row["units"] for row in rows} == {"a": '{"image":1,"web_search":3}', "b": ""}
