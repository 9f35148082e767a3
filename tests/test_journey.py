"""One month from the gateway's HTTP call to the invoice: every surface says the same numbers."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from analytics import rollups, tasks
from metricsportal.lib import formats
from teams.models import Organization, ReportRecipient, Team, User
from teams.services import IssuedKey
from tests import make, pages, surfaces
from tests.surfaces import TOTAL, UNASSIGNED, Figures, Found, Visitor

GPT: Final = {"model": "gpt-4o", "provider": "openai"}
CLAUDE: Final = {"model": "claude-sonnet-4-5", "provider": "anthropic"}


def sent(request_id: str, instant: str, tokens: tuple[int, int] | None, latency_ms: int, **fields: Any) -> Any:
    counts = {"input_tokens": tokens[0], "output_tokens": tokens[1]} if tokens else {}
    head = {"request_id": request_id, "started_at": f"2026-{instant}Z", "latency_ms": latency_ms, "status_code": 200}
    return head | counts | fields


RECORDS: Final = (
    # The hour that Berlin has twice, a failure that cost nothing, the last second of the month, the first of the next.
    sent("s1", "10-25T00:30:00", (1_001, 101), 1_000, team="Search", **GPT),
    sent("s2", "10-25T01:30:00", (2_003, 53), 3_000, team="Search", **GPT),
    sent("s3", "10-25T01:40:00", None, 40, team="Search", **GPT, status_code=429, error_type="RateLimitError"),
    sent("s4", "10-31T22:59:59", (7, 1), 500, team="Search", **CLAUDE, reported_cost_usd="0.25"),
    sent("s5", "10-31T23:00:00", (9_999, 999), 9_999, team="Search", **GPT),
    sent("a1", "10-22T09:00:00", (90_000, 4_000), 8_000, team="Ads", **CLAUDE, reported_cost_usd="120.500000000001"),
    sent("a2", "10-22T09:10:00", (40, 4), 90, team="Ads", model="mystery"),
    # A failure with tokens is billed like any other request.
    sent("a3", "10-22T10:00:00", (30, 0), 15, team="Ads", **GPT, status_code=500),
    sent("l1", "10-30T12:00:00", (5, 5), 10, team="Labs", model="mystery"),
    sent("u1", "10-21T08:00:00", (7_003, 3), 70, **GPT),
)
INPUT_PRICE, OUTPUT_PRICE = "2.123457", "10.5"  # of gpt-4o, in USD per million tokens
EXPECTED: Final[Found] = {
    "Search": Figures(4, 1, 3_011, 155, "0.257995864828"),
    "Ads": Figures(3, 1, 90_070, 4_004, "120.500063703711"),
    "Labs": Figures(1, 0, 5, 5, None),
    UNASSIGNED: Figures(1, 0, 7_003, 3, "0.014902069371"),
    TOTAL: Figures(9, 2, 100_089, 4_167, "120.77296163791"),
}
SHOWN: Final = {"Search": "$0.2580", "Ads": "at least $120.50", "Labs": "no price", UNASSIGNED: "$0.0149"}
LATENCIES: Final = {"Search": 1_000.0, "Ads": 90.0, "Labs": 10.0, UNASSIGNED: 70.0, TOTAL: 500.0}
ANSWERS: Final[tuple[Callable[[Visitor], Found], ...]] = (
    surfaces.facts,
    surfaces.dashboard,
    surfaces.dashboard_data,
    surfaces.metrics_query,
    surfaces.report_json,
    surfaces.report_csv,
)
STATEMENTS: Final[tuple[Callable[[Visitor], Found], ...]] = (
    surfaces.statement_page,
    surfaces.statement_csv,
    surfaces.administration,
)


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """24 November: October is over, its grace too, and its last eleven days may still be sent."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def visitor(owner: User, read_key: IssuedKey) -> Visitor:
    client = Client()
    client.force_login(owner)
    return Visitor(client, read_key)


@pytest.fixture
def recipients(acme: Organization, search: Team, ads: Team) -> list[str]:
    """One of each team."""
    teams = [search, ads, make.team(acme, "Labs")]
    rows = [ReportRecipient(team=one, email=f"{one.name.lower()}@acme.example") for one in teams]
    return [one.email for one in ReportRecipient.objects.bulk_create(rows)]


def said(readers: tuple[Callable[[Visitor], Found], ...], visitor: Visitor) -> dict[str, Found]:
    return {reader.__name__: reader(visitor) for reader in readers}


def medians(visitor: Visitor) -> list[dict[str, float]]:
    """Latency P50 in milliseconds of each surface that has one."""
    data = json.loads(visitor.page("/o/acme/data", **surfaces.shown_for(TOTAL)))["breakdown"]
    rows = {row["label"]: row for row in data["rows"]} | {TOTAL: data["total"]}
    reported = surfaces.reported(visitor, "latency_p50_ms")
    downloaded = surfaces.downloaded(visitor, "latency_p50_ms")
    return [
        {team: row["values"]["latency_p50_ms"] for team, row in rows.items()},
        {team: one["p50LatencyMs"] for team, one in surfaces.asked(visitor).items()},
        {team: value for team, (value,) in reported.items()},
        {team: float(value) for team, (value,) in downloaded.items()},
    ]


def medians_of_page(visitor: Visitor) -> dict[str, str]:
    head, *rows = pages.rows(visitor.page("/o/acme/", **surfaces.shown_for(TOTAL)).partition("breakdown-table")[2])
    return {row[0]: row[head.index("Latency P50")] for row in rows if len(row) == len(head)}


def drawn(visitor: Visitor) -> dict[str, Any]:
    """All of the dashboard, but for how long it took."""
    data: dict[str, Any] = json.loads(visitor.page("/o/acme/data", **surfaces.shown_for(TOTAL)))
    del data["meta"]["elapsed_ms"]
    return data


def test_every_surface_says_the_same(
    acme: Organization,
    visitor: Visitor,
    ingest_key: IssuedKey,
    recipients: list[str],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    make.price("gpt-4o", "input", INPUT_PRICE)
    make.price("gpt-4o", "output", OUTPUT_PRICE)

    # Sent twice, stored once.
    outcome = {"accepted": 10, "duplicate": 0, "conflict": 0, "rejected": []}
    assert visitor.post("/api/v1/requests", RECORDS, ingest_key) == outcome
    assert visitor.post("/api/v1/requests", RECORDS, ingest_key) == outcome | {"accepted": 0, "duplicate": 10}
    assert surfaces.facts(visitor) == EXPECTED

    # Rolled up, every answer is the same, whoever is asked.
    assert rollups.drain().hours > 0
    answers = said(ANSWERS, visitor)
    assert answers == dict.fromkeys(answers, EXPECTED)
    first, *others = medians(visitor)
    assert first == pytest.approx(LATENCIES, rel=0.0109)
    assert others == [first] * 3
    assert medians_of_page(visitor) == {team: formats.milliseconds(value) for team, value in first.items()}
    before = drawn(visitor)
    assert before["meta"]["stale_hours"] == 0

    # Closed and mailed, statements say it too.
    assert (tasks.close_due_periods(), tasks.send_due_mail()) == (1, 3)
    statements = said(STATEMENTS, visitor)
    assert statements == dict.fromkeys(statements, EXPECTED)
    listed = pages.rows(visitor.page("/o/acme/statements/"))[1:]
    assert {row[0]: (row[1], row[2]) for row in listed} == {
        team: (f"{EXPECTED[team].requests}", text) for team, text in SHOWN.items()
    }
    assert [message.to for message in mailoutbox] == [
        ["ads@acme.example"],
        ["labs@acme.example"],
        ["search@acme.example"],
    ]
    for message in mailoutbox:
        team, text, html, file = surfaces.mailed(message)
        assert file == EXPECTED[team]
        assert text == html == replace(file, cost=SHOWN[team])
        assert message.subject == f"{team}: LLM usage in October 2026, {SHOWN[team]}"

    # Closing changed no answer, and the aggregates are what the facts say.
    assert drawn(visitor) == before
    assert said(ANSWERS, visitor) == answers
    verification = rollups.verify(acme, make.NOW)
    assert (verification.skipped, verification.differences) == (0, ())
    assert verification.cells > 0
