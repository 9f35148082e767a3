"""What nobody sends by accident, over HTTP: it costs its own record, or the body is refused; never an error of ours."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pytest
from django.test import Client

from ingestion.models import LLMRequest
from tests import make
from tests.ingestion.test_litellm import payload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
NATIVE, LITELLM = "/api/v1/requests", "/api/v1/ingest/litellm"
START: Final = make.NOW.timestamp() - 60
TEXTS: Final = (
    *("model", "provider", "virtual_model", "user", "user_email", "virtual_account", "team"),
    *("error_type", "service_tier", "trace_id", "span_id"),
)
ODD_TEXTS: Final = {
    "NUL": r'"a\u0000b"',
    "half a surrogate pair": r'"\ud800"',
    "the other half": r'"x\udfffx"',
    "too long": json.dumps("x" * 300),
    "very long": json.dumps("é" * 300_000),
    "a number": "7",
    "an object": '{"a": 1}',
    "a list": "[]",
}
KEPT_TEXTS: Final = (
    *("مرحبا", "\u202eevil\u202c", "🌍👩\u200d👩\u200d👧", "a\u0301", "\ufeff", "\uffff"),
    *("'; --", "%s{0}{{x}}", "\\", " "),
)
COUNTS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens", "status_code", "attempt")
MEASURES: Final = ("latency_ms", "ttft_ms", "itl_ms", "reported_cost_usd")
HUGE: Final = ("9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "-1" + "0" * 400, "1" * 100_000)
ODD_NUMBERS: Final = (*HUGE, "-1", "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "true", "[]", "{}", '"a\\u0000"')


def post(client: Client, headers: dict[str, str], text: str | bytes, path: str = NATIVE) -> Any:
    return client.post(path, text, content_type="application/json", headers=headers)


def record(number: int, members: Mapping[str, str]) -> str:
    """A record as it is written: values are JSON."""
    known = {"request_id": f'"r{number}"', "started_at": '"2026-11-24T11:59:00Z"', "status_code": "200"}
    return "{" + ", ".join(f'"{name}": {value}' for name, value in (known | dict(members)).items()) + "}"


def outcomes(client: Client, headers: dict[str, str], records: list[str]) -> dict[int, tuple[str, str]]:
    """Code and field of each refused record of a batch, whose last record is a good one."""
    answer = post(client, headers, f"[{', '.join([*records, record(len(records), {})])}]")
    assert answer.status_code == 200, answer.content[:300]
    reply = answer.json()
    assert reply["accepted"] + len(reply["rejected"]) == len(records) + 1
    assert LLMRequest.objects.filter(request_id=f"r{len(records)}").exists(), "the good record was lost"
    assert LLMRequest.objects.count() == reply["accepted"]
    return {one["index"]: (one["code"], one["field"]) for one in reply["rejected"]}


@pytest.mark.parametrize("value", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_odd_texts_are_refused_by_name(client: Client, headers: dict[str, str], value: str) -> None:
    code = "too_long" if "x" * 300 in value or len(value) > 1000 else "invalid"
    if value == ODD_TEXTS["very long"]:
        expected = dict.fromkeys(range(len(TEXTS)), ("too_long", ""))  # over a mebibyte: not even looked at
    else:
        expected = {number: (code, name) for number, name in enumerate(TEXTS)}
    found = outcomes(client, headers, [record(number, {name: value}) for number, name in enumerate(TEXTS)])
    assert found == expected


@pytest.mark.parametrize("text", KEPT_TEXTS)
def test_other_texts_come_back_as_they_were(client: Client, headers: dict[str, str], text: str) -> None:
    names = ("virtual_model", "user", "virtual_account", "team", "trace_id", "span_id")
    sent = {name: json.dumps(text) for name in names} | {"metadata": json.dumps({text: text})}
    sent |= {"error_message": json.dumps(text), "status_code": "500"}
    assert outcomes(client, headers, [record(0, sent)]) == {}
    stored = LLMRequest.objects.select_related("virtual_model", "user", "virtual_account", "team").get(request_id="r0")
    assert [str(getattr(stored, name)) for name in names] == [text] * len(names)
    assert (stored.metadata, stored.error_message) == ({text: text}, text)


@pytest.mark.parametrize("value", ODD_NUMBERS, ids=[value[:24] for value in ODD_NUMBERS])
def test_odd_numbers_are_refused_by_name(client: Client, headers: dict[str, str], value: str) -> None:
    names = (*COUNTS, *MEASURES)
    found = outcomes(client, headers, [record(number, {name: value}) for number, name in enumerate(names)])
    assert {number: field for number, (_, field) in found.items()} == dict(enumerate(names))
    assert {code for code, _ in found.values()} <= {"invalid", "negative"}


@pytest.mark.parametrize("value", ["0", "-0", "0e0", "-0e-300"])
def test_every_zero_is_a_zero(client: Client, headers: dict[str, str], value: str) -> None:
    wholes = {name: value for name in ("input_tokens", "output_tokens") if "e" not in value}
    sent = dict.fromkeys(("latency_ms", "itl_ms", "reported_cost_usd"), value) | wholes
    assert outcomes(client, headers, [record(0, sent)]) == {}
    stored = LLMRequest.objects.get(request_id="r0")
    assert (stored.latency_us, stored.cost) == (0, 0)
    assert stored.input_tokens == (0 if wholes else None)


ODD_METADATA: Final = {
    "ten thousand keys": ("{" + ", ".join(f'"k{n}": 1' for n in range(10_000)) + "}", "too_long"),
    "a key with NUL": (r'{"a\u0000": "x"}', "invalid"),
    "half a pair": (r'{"\ud800": "x"}', "invalid"),
    "an empty key": ('{"": "x"}', "invalid"),
    "a long key": (json.dumps({"k" * 129: "v"}), "too_long"),
    "a long value": (json.dumps({"k": "v" * 257}), "too_long"),
    "not an object": ("[1]", "invalid"),
}


def test_odd_metadata_is_refused(client: Client, headers: dict[str, str]) -> None:
    records = [record(number, {"metadata": text}) for number, (text, _) in enumerate(ODD_METADATA.values())]
    expected = {number: (code, "metadata") for number, (_, code) in enumerate(ODD_METADATA.values())}
    assert outcomes(client, headers, records) == expected


def test_the_last_of_two_members_of_one_name_counts(client: Client, headers: dict[str, str]) -> None:
    doubled = record(0, {"model": '"first"', "metadata": '{"a": "1", "a": "2"}'})[:-1] + ', "model": "last"}'
    assert outcomes(client, headers, [doubled]) == {}
    stored = LLMRequest.objects.select_related("model").get(request_id="r0")
    assert (str(stored.model), stored.metadata) == ("last", {"a": "2"})


@pytest.mark.parametrize("value", [*ODD_NUMBERS, r'"\ud800"', '"x"', '"' + "9" * 5_000 + '"'])
def test_litellm_payloads(client: Client, headers: dict[str, str], value: str) -> None:
    """Every member that is read, given every odd value: the batch is stored but for what cannot be."""
    good = payload(startTime=START, endTime=START + 1)
    names = [name for name in good if name not in ("messages", "startTime")]
    usages = ["prompt_tokens_details", "completion_tokens_details", "cache_read_input_tokens"]
    texts = [json.dumps(good | {"litellm_call_id": f"c{n}", name: "ODD"}) for n, name in enumerate(names)]
    texts += [
        json.dumps(payload(startTime=START, litellm_call_id=f"u{name}", metadata={"usage_object": {name: "ODD"}}))
        for name in usages
    ]
    texts.append(json.dumps(good | {"litellm_call_id": "t", "startTime": "ODD"}))
    body = f"[{', '.join(texts)}, {json.dumps(good)}]".replace('"ODD"', value)
    answer = post(client, headers, body, LITELLM)
    assert answer.status_code == 200, answer.content[:300]
    reply = answer.json()
    counts = Counter({"accepted": reply["accepted"], "other": reply["duplicate"] + reply["conflict"]})
    assert counts.total() + len(reply["rejected"]) == len(texts) + 1
    assert LLMRequest.objects.filter(request_id="call-1").exists(), "the good record was lost"
    assert reply["rejected"]
    assert {one["code"] for one in reply["rejected"]} <= {"invalid", "negative", "too_long", "request_id", "missing"}


DEEP: Final = 1_000_000
BODIES: Final = {
    "deep arrays": "[" * DEEP,
    "closed deep arrays": "[" * DEEP + "]" * DEEP,
    "deep objects": '{"a":' * DEEP,
    "a deep record": "[" + record(0, {"metadata": '{"a":' * DEEP + "1" + "}" * DEEP}) + "]",
    "deep metadata of lines": record(0, {"metadata": "[" * DEEP}) + "\n",
    "an endless number": "[1e400",
    "a comma": "[,]",
    "text behind": "[]x",
    "NUL": "\0",
    "a lone brace": "}",
    "another encoding": "[{}]".encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf",
    "spaces": " " * 100_000,
}


@pytest.mark.parametrize("path", [NATIVE, LITELLM, "/v1/traces"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_that_are_no_json_are_refused(
    client: Client, headers: dict[str, str], body: str | bytes, path: str
) -> None:
    answer = post(client, headers, body, path)
    assert answer.status_code == 400
    assert len(answer.content) < 2_000
    assert not LLMRequest.objects.exists()


@pytest.mark.parametrize(
    "body", ["[1e400]", "[[]]", '["x"]', "[null]", "[NaN]", "[" + "1" * 5_000 + "]", '[{"": 1}]', b'["\xc3"]']
)
def test_what_is_no_record_is_refused_alone(client: Client, headers: dict[str, str], body: str | bytes) -> None:
    reply = post(client, headers, body).json()
    assert (reply["accepted"], len(reply["rejected"])) == (0, 1)


def test_a_million_keys_in_a_record_are_not_looked_at(client: Client, headers: dict[str, str]) -> None:
    keys = ", ".join(f'"k{n}": 0' for n in range(1_000_000))
    assert outcomes(client, headers, [record(0, {"metadata": "{" + keys + "}"})]) == {0: ("too_long", "")}
    assert post(client, headers, "{" + keys + "}").json()["rejected"][0]["code"] == "too_long"


def test_very_many_members_of_a_litellm_payload(client: Client, headers: dict[str, str]) -> None:
    keys = ", ".join(f'"k{n}": 0' for n in range(150_000))
    good = json.dumps(payload(startTime=START, endTime=START + 1))
    dense = [good[:-1] + f', "{name}": {{{keys}}}}}' for name in ("metadata", "hidden_params")]
    skipped = [good[:-1] + f', "{name}": {{{keys}}}}}' for name in ("messages", "response")]
    reply = post(client, headers, f"[{', '.join(dense + skipped)}]", LITELLM).json()
    assert [(one["code"], one["field"]) for one in reply["rejected"]] == [
        ("too_long", "metadata"),
        ("too_long", "hidden_params"),
    ]
    assert (reply["accepted"], reply["conflict"]) == (1, 1)  # the tier stands in the response
