"""What a person adds to the rules of a format, without the database."""

import json
from typing import Any

import pytest

from ingestion.formats import LITELLM, NATIVE
from ingestion.formats.mapping import FIELDS, Reading, Rule, apply, is_payload
from ingestion.records import Code, RejectedError, RequestRecord
from ingestion.validation import METADATA_KEYS, METADATA_VALUE_LENGTH
from tests import make
from tests.ingestion.otlp.test_privacy import PAYLOADS
from tests.ingestion.test_litellm import payload


def applied(source: dict[str, Any], *pairs: tuple[str, str], **fields: Any) -> RequestRecord:
    """The record after the rules, and what of it they were asked for."""
    record = make.record(**fields)
    apply(record, [Rule(*pair) for pair in pairs], source.get)
    return record


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        ("Search", "team", "Search"),
        (7, "user", "7"),
        (["first", "second"], "team", "first"),
        (["a", 2], "metadata.teams", "a,2"),
        (True, "metadata.beta", "true"),
        ("12", "input_tokens", 12),
        (12.0, "output_tokens", 12),
        ("true", "streaming", True),
        (1.5, "latency_ms", 1.5),
        ("429", "status_code", 429),
    ],
)
def test_values_become_what_their_field_holds(value: object, target: str, expected: object) -> None:
    record = applied({"x": value}, ("x", target), team=None, streaming=None)
    key = target.removeprefix("metadata.")
    assert (record.metadata[key] if key != target else getattr(record, target)) == expected


@pytest.mark.parametrize("value", [None, "", [], {}, {"a": 1}, [{"a": 1}]])
@pytest.mark.parametrize("target", ["team", "input_tokens", "metadata.team"])
def test_what_says_nothing_leaves_the_record_as_it_is(value: object, target: str) -> None:
    record = make.record(team="Search", metadata={"team": "Search"})
    before = repr(record)
    apply(record, [Rule("x", target)], {"x": value}.get)
    assert repr(record) == before


def test_a_word_for_nothing_leaves_a_count_as_it_is() -> None:
    assert applied({"x": "null"}, ("x", "input_tokens")).input_tokens == 1_000


def test_the_first_rule_that_finds_something_speaks() -> None:
    pairs = (("absent", "team"), ("a", "team"), ("b", "team"), ("b", "user"))
    record = applied({"a": "A", "b": "B"}, *pairs, team="sent")
    assert (record.team, record.user) == ("A", "B")


def test_whoever_tries_a_mapping_is_told_what_filled() -> None:
    told: list[str] = []
    rules = [Rule(name, target, lambda name=name: told.append(name)) for name, target in (  # type: ignore[misc]
        ("absent", "team"), ("a", "team"), ("b", "team"), ("b", "metadata.b"),
    )]  # fmt: skip
    apply(make.record(), rules, {"a": "A", "b": "B"}.get)
    assert told == ["a", "b"]


def test_metadata_of_the_record_is_an_attribute_too() -> None:
    assert applied({}, ("department", "team"), metadata={"department": "Search"}).team == "Search"


def test_a_value_that_does_not_fit_is_refused_without_being_quoted() -> None:
    with pytest.raises(RejectedError) as refused:
        applied({"x": "What people wrote"}, ("x", "input_tokens"))
    assert (refused.value.code, refused.value.field) == (Code.INVALID, "input_tokens")
    assert "“x”" in refused.value.message
    assert "people" not in refused.value.message


@pytest.mark.parametrize("value", ["\ud800", "9" * 5_000, "1e999", "nan?", "٣٣٣½"])
@pytest.mark.parametrize("target", FIELDS)
def test_hostile_values_are_taken_or_refused_by_name(value: str, target: str) -> None:
    refused: RejectedError | None = None
    try:
        apply(make.record(), [Rule("x", target)], {"x": value}.get)
    except RejectedError as error:
        refused = error
    assert refused is None or (refused.code, refused.field) == (Code.INVALID, target)


def test_a_long_value_is_cut_and_costs_no_record() -> None:
    record = applied({"x": "u\0" * 500}, ("x", "metadata.agent"))
    assert len(record.metadata["agent"]) == METADATA_VALUE_LENGTH
    assert "\0" not in record.metadata["agent"]


def test_full_metadata_gives_one_key_up() -> None:
    full = {f"k{number:02}": "v" for number in range(METADATA_KEYS)}
    record = applied({"x": "1"}, ("x", "metadata.a"), ("x", "metadata.b"), metadata=full)
    assert len(record.metadata) == METADATA_KEYS
    assert record.metadata["a"] == record.metadata["b"] == "1"
    assert applied({"x": "1"}, ("x", "metadata.k63"), metadata=full).metadata == full | {"k63": "1"}


@pytest.mark.parametrize(
    "attribute",
    [
        *PAYLOADS,
        "MESSAGES",
        "messages[0].content",
        "request.messages",
        "metadata.requester_metadata.prompt",
        "metadata.requester_metadata.anything.messages",
        "langfuse.trace.metadata.request.input",
        "error_information.traceback",
        "metadata.requester_ip_address",
        "metadata.requester_metadata.headers.authorization",
        "http.request.header.x-api-key",
        "metadata.requester_metadata.headers.x-litellm-api-key",
        "http.request.header.cookie",
    ],
)
def test_what_is_never_stored_is_known_by_its_name(attribute: str) -> None:
    assert is_payload(attribute)
    assert applied({attribute: "canary"}, (attribute, "user"), metadata={attribute: "canary"}).user is None


@pytest.mark.parametrize(
    "attribute",
    [
        "gen_ai.response.model",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.token_count.completion",
        "tfy.request.model_name",
        "metadata.user_api_key_request_route",
        "metadata.user_api_key_hash",
        "http.request.header.x-team",
        "http.response.status_code",
        "metadata.requester_metadata.headers.x-team",
        "request_tags",
        "response_cost",
        "service.name",
    ],
)
def test_names_beside_them_may_be_mapped(attribute: str) -> None:
    assert not is_payload(attribute)


def test_paths_lead_into_our_own_json() -> None:
    sent = {
        "request_id": "a", "started_at": "2026-11-24T11:59:00Z", "user": "alice",
        "metadata": {"department": "Search", "deep": {"tenant": ["t1", "t2"]}},
    }  # fmt: skip
    pairs = (
        ("metadata.department", "team"),
        ("metadata.deep.tenant", "metadata.tenant"),
        ("user", "virtual_account"),
        ("user.name", "user_email"),
        ("department", "metadata.area"),
    )
    reading = Reading(tuple(Rule(*pair) for pair in pairs))
    ((_, record),) = NATIVE.read(json.dumps(sent).encode(), reading)
    assert isinstance(record, RequestRecord)
    assert (record.team, record.virtual_account, record.user_email) == ("Search", "alice", None)
    assert record.metadata == {"department": "Search", "tenant": "t1,t2", "area": "Search"}


@pytest.mark.parametrize("member", [b'"\xff"', b"1" * 5_000])
def test_a_member_that_cannot_be_read_costs_no_record(member: bytes) -> None:
    body = json.dumps(payload()).encode()[:-1] + b', "department": ' + member + b"}"
    ((_, plain),) = LITELLM.read(body)
    ((_, record),) = LITELLM.read(body, Reading((Rule("department.x", "team"), Rule("department", "input_tokens"))))
    assert isinstance(plain, RequestRecord)
    assert record == plain
