"""Trying rules out on a pasted record: every format is read, nothing is stored, no text of people comes back."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape

from ingestion import rules
from ingestion.models import GatewayUser, IngestBatch, LLMRequest, MetadataKey
from ingestion.trial import MOST_BYTES, RefusedError, Trial, Value, try_out
from teams.models import Organization, Team, User
from tests import make, pages
from tests.ingestion.otlp.bodies import chat, document, span
from tests.ingestion.otlp.test_privacy import CANARY, PAYLOADS
from tests.ingestion.test_litellm import payload

pytestmark = pytest.mark.django_db
TRY = "/o/acme/ingestion/mapping/try"
RECORD: dict[str, Any] = {
    "request_id": "a", "started_at": "2020-01-02T03:04:05.5Z", "model": "gpt-4o", "team": "Search",
    "reported_cost_usd": "0.00000010", "metadata": {"area": "Ads"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def rule(organization: Organization, *pairs: tuple[str, str]) -> None:
    for attribute, target in pairs:
        rules.add_rule(actor=None, organization=organization, attribute=attribute, target=target)


def tried(organization: Organization, record: object) -> Trial:
    return try_out(organization, record if isinstance(record, str) else json.dumps(record), make.NOW)


def filled(trial: Trial) -> dict[str, tuple[str, int]]:
    return {one.field: (one.value, one.rule) for one in trial.values if one.rule is not None}


def test_the_record_is_shown_with_what_filled_it(acme: Organization) -> None:
    rule(acme, ("absent", "user"), ("area", "team"), ("model", "team"), ("model", "metadata.copy"))
    trial = tried(acme, RECORD)
    assert trial.format == "native"
    assert trial.values == (
        Value("request_id", "a", None, ""),
        Value("started_at", "2020-01-02T03:04:05.500000Z", None, ""),
        Value("model", "gpt-4o", None, ""),
        Value("team", "Ads", 2, "Search"),
        Value("reported_cost_usd", "0.0000001", None, ""),
        Value("operation", "chat", None, ""),
        Value("metadata.area", "Ads", None, ""),
        Value("metadata.copy", "gpt-4o", 4, ""),
    )
    assert "input_tokens" in trial.unknown
    assert [(one.place, one.reason) for one in trial.idle] == [(1, "not in this record"), (3, "rule 2 fills it")]


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (payload(department="Search"), "litellm"),
        ([payload(department="Search"), payload(department="Ads")], "litellm"),
        (document([span(chat(department="Search"))]), "otlp"),
        (RECORD | {"metadata": {"department": "Search"}}, "native"),
    ],
)
def test_every_format_is_recognised(acme: Organization, record: object, name: str) -> None:
    rule(acme, ("department", "team"))
    trial = tried(acme, record)
    assert (trial.format, filled(trial)) == (name, {"team": ("Search", 1)})


def test_rules_of_another_organization_are_not_tried(acme: Organization, rival: Organization) -> None:
    rule(rival, ("area", "team"))
    assert filled(tried(acme, RECORD)) == {}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("", "Paste a record as JSON"),
        (f"{CANARY},{CANARY}\n", "Paste a record as JSON"),
        (f'"{CANARY}"', "Paste a record as JSON"),
        ("{" + CANARY, "line 1, column 2"),
        ('{"a": "' + CANARY, "truncated"),
        ("[" * 100_000, "at most 64 kB"),
        ("[" * 60_000, "nested too deeply"),
        ("[]", "no call to a model"),
        (document([span({"a": "b"})]), "no call to a model"),
        ([1], "not_an_object"),
        ({"model": CANARY}, "request_id is missing"),
        (RECORD | {"request_id": ""}, "1 to 128 printable"),
        (RECORD | {"user": "\ud800"}, "half of a surrogate pair"),
        (RECORD | {"metadata": {"notes": CANARY}}, "input_tokens"),
        (RECORD | {"team": CANARY * 100}, "256 are allowed"),
        ({"metadata": "x", "startTime": "x", "model_parameters": CANARY, "litellm_call_id": "x"}, "generic_api_use_v1"),
    ],
)
def test_what_cannot_be_read_is_explained_without_being_quoted(acme: Organization, record: object, words: str) -> None:
    rule(acme, ("notes", "input_tokens"))
    with pytest.raises(RefusedError, match=words) as refused:
        tried(acme, record)
    assert CANARY not in str(refused.value)


def test_the_limit_counts_bytes(acme: Organization) -> None:
    with pytest.raises(RefusedError, match="64 kB"):
        tried(acme, '{"ü' + "ü" * (MOST_BYTES // 2))


@pytest.fixture
def visitor(client: Client, admin: User) -> Client:
    """A browser of the administrator."""
    client.force_login(admin)
    return client


def test_nothing_is_stored_and_nothing_of_people_comes_back(
    visitor: Client, acme: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    rule(acme, ("department", "metadata.department"), ("absent", "user"))
    secrets = dict.fromkeys(PAYLOADS, CANARY)
    spans = document([span(chat(department="Search", **{name: CANARY for name in secrets if name[:3] == "gen"}))])
    with caplog.at_level(logging.DEBUG):
        for record in (payload(department="Search", messages=CANARY, response=CANARY, prompt=CANARY), spans):
            answer = visitor.post(TRY, {"record": json.dumps(record)})
            page = answer.content.decode()
            assert ["metadata.department", "Search rule 1"] in pages.rows(page)
            assert "not in this record" in page
            assert CANARY not in page
            assert "gpt-4o" in page
        for wrong in ("{" + CANARY, CANARY, json.dumps({"request_id": "a", "user": CANARY})):
            assert CANARY not in visitor.post(TRY, {"record": wrong}).content.decode()
    assert CANARY not in caplog.text
    for model in (LLMRequest, IngestBatch, GatewayUser, MetadataKey, Team):
        assert not model._default_manager.exists()


def test_values_are_shown_as_they_are(visitor: Client, acme: Organization) -> None:
    hostile = "<script>alert(1)</script>"
    rule(acme, ("area", "team"), (f"absent {hostile}", "user"))
    record = RECORD | {"team": "<b>x</b>", "metadata": {"area": hostile, "<i>k</i>": "v"}}
    page = visitor.post(TRY, {"record": json.dumps(record)}).content.decode()
    rows = pages.rows(page)
    assert ["team", f"{hostile} rule 1 instead of <b>x</b>"] in rows
    assert ["metadata.<i>k</i>", "v"] in rows
    refused = visitor.post(TRY, {"record": json.dumps(RECORD | {hostile: 1})}).content.decode()
    for text in (page, refused):
        assert escape(hostile) in text
        assert "<script>alert" not in text
    assert page.count(f"absent {escape(hostile)}") == 2  # among the rules, and among those that filled nothing


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 4 * 2**20])
def test_large_texts_are_refused(visitor: Client, acme: Organization, size: int) -> None:
    answer = visitor.post(TRY, {"record": "{" + " " * size})
    assert answer.status_code == (200 if size < 2**20 else 400)
    assert "kB" in answer.content.decode() or answer.status_code == 400


def test_errors_are_reported_without_the_text(admin: User, acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("ingestion.views.mapping.trial.try_out", fail)
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    answer = client.post(TRY, {"record": CANARY})
    assert answer.status_code == 500
    assert vars(answer.wsgi_request)["sensitive_post_parameters"] == ("record",)


def test_units_are_shown_by_name_and_of_the_usage_object_its_counts_alone(acme: Organization) -> None:
    usage = {"input_tokens": 5, "output_tokens": 7, "server_tool_use": {"web_search_requests": 2}, "note": CANARY}
    trial = tried(
        acme, {"request_id": "a", "started_at": "2020-01-02T03:04:05Z", "usage": usage, "units": {"image": 1}}
    )
    shown = {one.field: one.value for one in trial.values}
    assert (shown["input_tokens"], shown["units.web_search"], shown["units.image"]) == ("5", "2", "1")
    assert not {"usage", "units", "metadata"} & {*shown, *trial.unknown}
    assert CANARY not in repr(trial)
