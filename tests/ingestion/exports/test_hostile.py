"""Rows that are wrong, on purpose or not: named refusals, no prompt anywhere, and nothing breaks."""

import io
import json
from typing import Any

import pytest

from ingestion.formats import FORMATS, MalformedError
from ingestion.formats.exports import envoy, helicone, langfuse, litellm_spend, openrouter, portkey
from ingestion.formats.exports.row import Row
from ingestion.formats.mapping import Reading, Rule
from ingestion.records import Code, RejectedError, RequestRecord
from tests.ingestion.exports.rows import CSV, PROMPT, SAMPLES, as_csv, as_lines, one, read, refused

STARTS = {
    "litellm-spend": "startTime",
    "openrouter": "created_at",
    "helicone": "request_created_at",
    "portkey": "created_at",
    "langfuse": "start_time",
    "envoy": "start_time",
}
COUNTS = {
    "litellm-spend": "prompt_tokens",
    "openrouter": "tokens_prompt",
    "helicone": "prompt_tokens",
    "portkey": "req_units",
    "envoy": "gen_ai.usage.input_tokens",
}
AMOUNTS = {"litellm-spend": "spend", "openrouter": "cost_total", "helicone": "costUSD", "portkey": "cost"}
KEEP = Reading(keep_unknown=True)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "value", [None, "", "yesterday", "2026-11-23", "2026-02-31T10:00:00Z", "0001-01-01T00:00:00+14:00", 5]
)
def test_a_row_needs_a_time(name: str, value: object) -> None:
    error = refused(name, SAMPLES[name](**{STARTS[name]: value}))
    assert (error.code, error.field) == (Code.INVALID if value else Code.MISSING, STARTS[name])


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", ["4.5", "٣", "NaN", "1e3", True, PROMPT, [], {"a": 1}, 10**20])
def test_counts_are_whole_numbers(name: str, value: object) -> None:
    error = refused(name, SAMPLES[name](**{COUNTS[name]: value}))
    assert (error.code, error.field) == (Code.INVALID, COUNTS[name])
    assert "whole number from 0 to 1000000000000" in error.message


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_not_negative(name: str) -> None:
    error = refused(name, SAMPLES[name](**{COUNTS[name]: -1}))
    assert (error.code, error.field) == (Code.NEGATIVE, COUNTS[name])


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize("value", ["free", "NaN", "Infinity", True, [], "9e9999999", "1e31"])
def test_amounts_are_finite_numbers(name: str, value: object) -> None:
    error = refused(name, SAMPLES[name](**{AMOUNTS[name]: value}))
    assert (error.code, error.field) == (Code.INVALID, AMOUNTS[name])


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("openrouter", "streamed", "perhaps"),
        ("openrouter", "generation_time_ms", "long"),
        ("portkey", "is_success", "maybe"),
        ("portkey", "response_status_code", "OK"),
        ("helicone", "delay_ms", "NaN"),
        ("langfuse", "usage_details", PROMPT),
        ("langfuse", "usage_details", [1]),
        ("langfuse", "completion_start_time", "soon"),
        ("envoy", "duration", "-1x"),
    ],
)
def test_other_values_are_refused_by_the_name_of_their_column(name: str, field: str, value: object) -> None:
    error = refused(name, SAMPLES[name](**{field: value}))
    assert (error.code, error.field) == (Code.INVALID, field)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("portkey", {"response": {"usage": {"prompt_tokens": "many"}}}),
        ("langfuse", {"usage_details": {"input": "many"}}),
        ("litellm-spend", {"metadata": {"usage_object": {"cache_read_input_tokens": "many"}}}),
    ],
)
def test_counts_inside_usage_objects_are_checked_too(name: str, fields: dict[str, Any]) -> None:
    error = refused(name, SAMPLES[name](**fields))
    assert (error.code, error.field) == (Code.INVALID, "usage")


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "value", [None, "", 0, -1, True, "\0", "\ud800", PROMPT, [], [[]], {}, {"a": {"b": [1]}}, 1e308]
)
def test_no_value_in_any_column_breaks_a_file(name: str, value: object) -> None:
    for column in SAMPLES[name]():
        for reading in (Reading(), KEEP):
            found = read(name, as_lines(SAMPLES[name](**{column: value})), reading)
            assert all(isinstance(item, RequestRecord | RejectedError) for item in found)
            assert PROMPT not in repr([item.message for item in found if isinstance(item, RejectedError)])


@pytest.mark.parametrize("name", SAMPLES)
def test_lines_that_are_no_objects_are_refused_alone(name: str) -> None:
    good = as_lines(SAMPLES[name]())
    items = read(name, good + b'[1]\n"text"\n{"a": \n' + good)
    codes = [item.code for item in items if isinstance(item, RejectedError)]
    assert codes == [Code.NOT_AN_OBJECT, Code.NOT_AN_OBJECT, Code.INVALID]
    assert len(items) == 5


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("reading", [Reading(), KEEP])
def test_prompts_and_addresses_of_people_are_never_kept(name: str, reading: Reading) -> None:
    record = one(name, SAMPLES[name](), reading)
    for secret in (PROMPT, "192.0.2.7", "signature", "curl", "DE"):
        assert secret not in repr(record)
    if name in CSV:
        (item,) = read(name, as_csv(SAMPLES[name]()), reading)
        assert PROMPT not in repr(item)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("litellm-spend", "requester_ip_address"),
        ("litellm-spend", "messages"),
        ("helicone", "request_prompt"),
        ("helicone", "signed_body_url"),
        ("portkey", "response"),
        ("langfuse", "toolCalls"),
        ("langfuse", "modelParameters"),
        ("envoy", "x-forwarded-for"),
    ],
)
def test_rules_cannot_fetch_them_either(name: str, column: str) -> None:
    rules = (Rule(column, "metadata.stolen"), Rule(f"{column}.usage", "metadata.also"))
    record = one(name, SAMPLES[name](**{column: PROMPT}), Reading(rules=rules))
    assert not {"stolen", "also"} & set(record.metadata)


def test_rules_find_columns_and_what_is_inside_them() -> None:
    rules = (
        Rule("request_properties.team", "team"),
        Rule("feedback_rating", "metadata.rating"),
        Rule("nowhere.at.all", "user_email"),
    )
    row = SAMPLES["helicone"](request_properties={"team": "Search"})
    (from_csv,) = read("helicone", as_csv(row), Reading(rules=rules))
    for record in (one("helicone", row, Reading(rules=rules)), from_csv):
        assert isinstance(record, RequestRecord)
        assert (record.team, record.metadata["rating"].lower(), record.user_email) == ("Search", "true", None)
    line = one("envoy", SAMPLES["envoy"](), Reading(rules=(Rule("gen_ai.provider.name", "provider"),)))
    assert line.provider == "default/openai"


@pytest.mark.parametrize("name", CSV)
def test_a_file_with_other_columns_is_refused_with_what_is_expected(name: str) -> None:
    with pytest.raises(MalformedError) as error:
        read(name, f"{PROMPT},b\n1,2\n".encode())
    assert STARTS[name] in str(error.value) or "generation_id" in str(error.value)
    assert PROMPT not in str(error.value)


@pytest.mark.parametrize("name", SAMPLES)
def test_an_empty_body_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="empty"):
        list(FORMATS[name].read(b""))


def test_cells_may_be_long() -> None:
    row = SAMPLES["helicone"](request_body="x" * 300_000)
    assert read("helicone", as_csv(row)) == [one("helicone", SAMPLES["helicone"]())]


@pytest.mark.parametrize("text", ["{no JSON", "[" * 5_000, '{"a": "\\ud800"}', '{"\ud800": 1}'])
def test_text_that_only_looks_like_json(text: str) -> None:
    row = SAMPLES["langfuse"](metadata=text, note={"a": [text]})
    for body in (as_lines(row), json.dumps([row, {"note": "\ud800"}]).encode()):
        record, *_ = read("langfuse", body)
        assert isinstance(record, RequestRecord)
        assert record.metadata == {"tags": "eu,faq", "environment": "prod"}
    # A line with half of a surrogate pair is not read at all.
    named = "" if "\ud800" in text else "usage_details"
    assert refused("langfuse", SAMPLES["langfuse"](usage_details=text)).field == named


def test_deep_nesting_is_no_crash() -> None:
    deep = b'{"id":"d","trace_id":"t","start_time":"2026-11-23 09:23:10","type":"GENERATION","usage_details":'
    items = read("langfuse", deep + b"[" * 100_000 + b"]" * 100_000 + b"}\n" + as_lines(SAMPLES["langfuse"]()))
    assert isinstance(items[-1], RequestRecord)


@pytest.mark.parametrize("name", SAMPLES)
def test_one_half_of_a_surrogate_pair_costs_no_other_row(name: str) -> None:
    rows = [SAMPLES[name](), SAMPLES[name](user="\ud800")]
    items = [item for _, item in FORMATS[name].read_file(io.BytesIO(json.dumps(rows).encode()))]
    assert items[0] == one(name, SAMPLES[name]())
    assert len(items) == 2
    none, _ = read(name, json.dumps([5, rows[1]]).encode())
    assert isinstance(none, RejectedError)
    assert none.code == Code.NOT_AN_OBJECT


@pytest.mark.parametrize("module", [envoy, helicone, langfuse, litellm_spend, openrouter, portkey])
def test_a_format_asks_only_for_columns_that_it_lists(module: Any) -> None:
    # Otherwise a column would be read and kept as an unknown one as well.
    with pytest.raises(KeyError):
        Row({}, module._READS, frozenset()).text("unheard of")
