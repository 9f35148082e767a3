"""A small world of known requests: what every persona must see is countable by hand.

acme, 20 November 2026, Berlin: three requests of Search, two of Ads, one unassigned. rival: one, all of whose names
begin with rival; no string of it may reach anybody of acme.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
import time_machine
from pytest_django import DjangoDbBlocker

from analytics import rollups
from ingestion.models import LLMRequest
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, Team
from tests import kept, make
from tests.personas import acme_works

START: Final = "2026-11-20T00:00:00Z"
END: Final = "2026-11-21T00:00:00Z"
MEMBER: Final = "member@acme.example"
HOSTILE: Final = "=cmd|' /C calc'!A0"


def at(hour: int, minute: int = 0) -> datetime:
    """An instant of the day."""
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


_SEARCH: Final = {"team": "Search", "virtual_account": "search-api", "virtual_model": "chat-default"}
_GPT: Final = {"model": "gpt-5", "provider": "openai"}
_PROD: Final = {"metadata": {"environment": "prod"}}
ACME: Final[tuple[dict[str, Any], ...]] = (
    _SEARCH
    | _GPT
    | _PROD
    | {
        "request_id": "s1",
        "started_at": at(9),
        "user": "ann",
        "input_tokens": 100,
        "output_tokens": 10,
        "latency_ms": 1000.0,
        "ttft_ms": 200.0,
        "streaming": True,
        "status_code": 200,
        "reported_cost_usd": Decimal("0.5"),
        "trace_id": "t1",
    },
    _SEARCH
    | _GPT
    | _PROD
    | {
        "request_id": "s2",
        "started_at": at(9, 30),
        "user": "ann",
        "latency_ms": 212.4,
        "status_code": 429,
        "error_type": "RateLimitError",
        "trace_id": "t1",
    },
    _SEARCH
    | {
        "request_id": "s3",
        "started_at": at(10, 10),
        "model": "claude-sonnet-4-5",
        "provider": "anthropic",
        "user": "bob",
        "input_tokens": 300,
        "output_tokens": 30,
        "latency_ms": 2000.0,
        "streaming": False,
        "status_code": 200,
        "reported_cost_usd": Decimal("0.25"),
    },
    _GPT
    | {
        "request_id": "a1",
        "started_at": at(9, 15),
        "team": "Ads",
        "user": MEMBER,
        "virtual_account": "ads-api",
        "input_tokens": 1000,
        "output_tokens": 100,
        "latency_ms": 4000.0,
        "status_code": 200,
        "metadata": {"environment": "dev"},
        "reported_cost_usd": Decimal("1.000000000001"),
    },
    {
        "request_id": "a2",
        "started_at": at(11),
        "team": "Ads",
        "user": HOSTILE,
        "model": "mystery",
        "input_tokens": 5,
        "output_tokens": 5,
        "latency_ms": 10.0,
        "status_code": 200,
    },
    _GPT
    | {
        "request_id": "u1",
        "started_at": at(11, 30),
        "input_tokens": 7,
        "output_tokens": 3,
        "latency_ms": 70.0,
        "status_code": 200,
        "reported_cost_usd": Decimal("0.01"),
    },
)
RIVAL: Final[dict[str, Any]] = {
    "request_id": "rival-1",
    "started_at": at(9),
    "team": "rival-team",
    "user": "rival-user",
    "virtual_account": "rival-account",
    "virtual_model": "rival-virtual",
    "model": "rival-model",
    "provider": "rival-provider",
    "metadata": {"rival-key": "rival-value"},
    "error_type": "RivalError",
    "reported_cost_usd": Decimal(99),
    "input_tokens": 9999,
}


@dataclass(frozen=True, slots=True)
class World:
    """The two organizations, filled and rolled up."""

    acme: Organization
    rival: Organization


def store(organization: Organization, *records: dict[str, Any]) -> None:
    """Through the same door as traffic; everything must be accepted."""
    outcome = ingest_records(
        organization=organization,
        records=[RequestRecord(**record) for record in records],
        source="tests",
        now=make.NOW,
        past_days=None,
    )
    assert outcome.accepted == len(records), outcome


def _fill(acme: Organization, rival: Organization) -> None:
    store(acme, *ACME)
    store(rival, RIVAL)
    rollups.drain()


@pytest.fixture
def world(acme: Organization, rival: Organization, search: Team, ads: Team) -> World:
    """Both organizations with their requests, rolled up."""
    if not LLMRequest.objects.exists():
        _fill(acme, rival)
    return World(acme, rival)


@pytest.fixture(scope="module")
def kept_world(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The world is stored once for a module all of whose tests ask for this: `pytestmark` with `usefixtures`."""
    with kept.for_the_module(request, django_db_blocker):
        with django_db_blocker.unblock(), time_machine.travel(make.NOW, tick=False):
            acme = acme_works()
            make.team(acme, "Search")
            make.team(acme, "Ads")
            _fill(acme, make.organization("rival", name="Rival Works"))
        yield
