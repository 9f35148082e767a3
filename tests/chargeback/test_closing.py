"""A closed month: one statement per team, equal to the requests, frozen once."""

import hashlib
import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from analytics.chargeback.document import from_json, to_json
from analytics.chargeback.months import ClosingRefusedError
from analytics.models import OutboxMail, Period, Statement, StatementLine
from ingestion.services import ingest_records
from teams.models import Organization, Team
from tests import make
from tests.analytics.world import World
from tests.chargeback.scene import (
    LATER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    added,
    close,
    day,
    facts,
    figures_of,
    frozen,
    mails,
    said,
    spend,
    subscribe,
)

pytestmark = pytest.mark.django_db
GPT_OF_ADS = {
    "model": "gpt-5",
    "requests": 1,
    "failed": 0,
    "input_tokens": 1000,
    "output_tokens": 100,
    "unpriced_requests": 0,
    "priced_requests": 1,
    "cost_usd": "1.000000000001",
}
MYSTERY_OF_ADS = {
    "model": "mystery",
    "requests": 1,
    "failed": 0,
    "input_tokens": 5,
    "output_tokens": 5,
    "unpriced_requests": 1,
    "priced_requests": 0,
    "cost_usd": "0",
}


def traffic(organization: Organization, seed: int, count: int = 100) -> None:
    """Anything from August to early December: failures, no team, no model, no price.

    In few hours, because each is rolled up by itself; half of them are where months end in some zone.
    """
    dice = random.Random(seed)
    hours = [day(8, 20) + timedelta(hours=dice.randrange(110 * 24)) for _ in range(12)]
    hours += [day(month, 1, 0) + timedelta(hours=dice.randrange(-15, 6)) for month in (9, 10, 11, 12) for _ in range(3)]
    records = [
        make.record(
            request_id=f"r{number}",
            started_at=dice.choice(hours) + timedelta(seconds=dice.uniform(0, 3600)),
            model=dice.choice(["gpt-5", "claude", "mystery", None]),
            team=dice.choice(["Search", "Ads", None]),
            input_tokens=dice.choice([None, 0, 7, 5000]),
            output_tokens=dice.choice([None, 0, 300]),
            status_code=dice.choice([200, 200, 500]),
            reported_cost_usd=dice.choice([None, Decimal(dice.randrange(10**13)).scaleb(-12)]),
        )
        for number in range(count)
    ]
    outcome = ingest_records(organization=organization, records=records, source="test", now=LATER, past_days=None)
    assert outcome.accepted == count


def test_a_month_becomes_one_statement_per_team_and_one_for_the_rest(world: World) -> None:
    close(world.acme, NOVEMBER)
    number = f"S{world.acme.pk}-202611-"
    columns = (
        "number",
        "team_name",
        "requests",
        "failed",
        "input_tokens",
        "output_tokens",
        "cost",
        "unpriced_requests",
    )
    assert list(Statement.objects.order_by("number").values_list(*columns)) == [
        (number + "001", "Ads", 2, 0, 1005, 105, 1_000_000_000_001, 1),
        (number + "002", "Search", 3, 1, 400, 40, 750_000_000_000, 0),
        (number + "003", "Unassigned", 1, 0, 7, 3, 10_000_000_000, 0),
    ]
    columns = (
        "statement__team_name",
        "position",
        "adjusts",
        "model",
        "requests",
        "failed",
        "cost",
        "unpriced_requests",
    )
    assert list(StatementLine.objects.order_by("statement__number", "position").values_list(*columns)) == [
        ("Ads", 1, None, "gpt-5", 1, 0, 1_000_000_000_001, 0),
        ("Ads", 2, None, "mystery", 1, 0, 0, 1),
        ("Search", 1, None, "gpt-5", 2, 1, 500_000_000_000, 0),
        ("Search", 2, None, "claude-sonnet-4-5", 1, 0, 250_000_000_000, 0),
        ("Unassigned", 1, None, "gpt-5", 1, 0, 10_000_000_000, 0),
    ]
    period = Period.objects.get()
    assert (period.organization, period.month, period.zone) == (world.acme, NOVEMBER, "Europe/Berlin")
    assert (period.start, period.end) == (
        datetime(2026, 10, 31, 23, tzinfo=UTC),
        datetime(2026, 11, 30, 23, tzinfo=UTC),
    )
    assert period.closed_at == LATER


def test_the_document_says_all_of_it(world: World, ads: Team) -> None:
    before = spend(world.acme, day(10), "2", team="Ads")
    close(world.acme, OCTOBER)
    statement = close(world.acme, NOVEMBER)[0]
    assert statement.document == {
        "format": 1,
        "number": f"S{world.acme.pk}-202611-001",
        "organization": {"slug": "acme", "name": "Acme Works"},
        "team": {"name": "Ads", "unassigned": False},
        "month": "2026-11",
        "zone": "Europe/Berlin",
        "start": "2026-10-31T23:00:00+00:00",
        "end": "2026-11-30T23:00:00+00:00",
        "issued_at": "2026-12-10T12:00:00+00:00",
        "currency": "USD",
        "price_book_version": before.price_book_version,
        "lines": [GPT_OF_ADS, MYSTERY_OF_ADS],
        "adjustments": [],
        "total": {
            "requests": 2,
            "failed": 0,
            "input_tokens": 1005,
            "output_tokens": 105,
            "unpriced_requests": 1,
            "priced_requests": 1,
            "cost_usd": "1.000000000001",
        },
        "previous": {
            "number": f"S{world.acme.pk}-202610-001",
            "month": "2026-10",
            "unpriced_requests": 0,
            "cost_usd": "2",
        },
    }


def test_the_digest_is_that_of_the_canonical_document(world: World) -> None:
    made = {one.pk: one for one in close(world.acme, NOVEMBER)}
    assert len(made) == 3
    for stored in Statement.objects.all():
        canonical = json.dumps(stored.document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(canonical.encode()).hexdigest() == stored.digest == made[stored.pk].digest
        shuffled: dict[str, Any] = dict(reversed(stored.document.items()))
        assert to_json(from_json(shuffled)) == stored.document


@pytest.mark.parametrize(
    "zone",
    [
        "America/St_Johns",
        "Pacific/Kiritimati",
        *(pytest.param(zone, marks=pytest.mark.slow) for zone in ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe")),
    ],
)
def test_statements_equal_the_requests(zone: str) -> None:
    organization = make.organization(zone=zone)
    traffic(organization, seed=len(zone))
    for month in (date(2026, 8, 1), SEPTEMBER, OCTOBER, NOVEMBER):
        close(organization, month)
    wanted = {key: figures for key, figures in facts(organization).items() if key[0] != "2026-12"}
    assert said(organization) == wanted
    assert len(wanted) > 25
    for statement in Statement.objects.prefetch_related("lines"):
        document = statement.document
        total = figures_of(document["total"])
        assert total == added(map(figures_of, document["lines"]))
        columns = ("requests", "failed", "input_tokens", "output_tokens", "cost", "unpriced_requests")
        assert tuple(getattr(statement, name) for name in columns) == total[:6]
        rows = [(line.model, *(getattr(line, name) for name in columns)) for line in statement.lines.all()]
        assert rows == [(line["model"], *figures_of(line)[:6]) for line in document["lines"]]
        costs = [row[5] for row in rows]
        assert costs == sorted(costs, reverse=True)


def test_closing_again_changes_nothing(world: World, search: Team) -> None:
    subscribe(search, "a@acme.example", "b@acme.example")
    close(world.acme, NOVEMBER)
    before, outbox = frozen(), mails()
    assert outbox == [("a@acme.example", "pending", 0), ("b@acme.example", "pending", 0)]
    spend(world.acme, day(11), team="Search")
    subscribe(search, "late@acme.example")
    close(world.acme, NOVEMBER, LATER + timedelta(days=1))
    assert frozen() == before
    assert mails() == outbox


def test_mails_are_written_with_the_statement_one_per_recipient(world: World, search: Team, ads: Team) -> None:
    subscribe(search, "b@acme.example", "a@acme.example")
    subscribe(ads, "a@acme.example")
    close(world.acme, NOVEMBER)
    rows = OutboxMail.objects.order_by("pk")
    assert list(rows.values_list("statement__team_name", "recipient", "state")) == [
        ("Ads", "a@acme.example", "pending"),
        ("Search", "a@acme.example", "pending"),
        ("Search", "b@acme.example", "pending"),
    ]
    for mail in rows:
        assert mail.statement is not None
        assert mail.message_id.startswith(f"<{mail.statement.number}.")
        assert mail.message_id.endswith("@127.0.0.1>")
    assert len({mail.message_id for mail in rows}) == 3


def test_a_failure_halfway_leaves_nothing(world: World, search: Team, settings: Settings) -> None:
    subscribe(search, "a@acme.example")
    settings.PORTAL_URL = "http://["  # met when the mails of the second statement are written
    with pytest.raises(ValueError, match="Invalid IPv6 URL"):
        close(world.acme, NOVEMBER)
    assert frozen() == []
    assert mails() == []
    settings.PORTAL_URL = "http://127.0.0.1:8000"
    assert len(close(world.acme, NOVEMBER)) == 3


def test_a_month_without_requests_closes_without_statements(acme: Organization) -> None:
    assert close(acme, OCTOBER) == []
    assert Period.objects.get().closed_at == LATER


def test_other_organizations_are_not_touched(world: World) -> None:
    close(world.rival, NOVEMBER)
    assert list(Statement.objects.values_list("period__organization__slug", "team_name", "requests")) == [
        ("rival", "rival-team", 1)
    ]
    assert Period.objects.get().organization == world.rival


@pytest.mark.parametrize(
    ("month", "now", "says"),
    [
        (NOVEMBER, "2026-11-24T12:00+00:00", "November 2026 is still running: it ends with 30 November"),
        (NOVEMBER, "2026-11-30T22:59:59.999999+00:00", "November 2026 is still running"),
        (date(2026, 12, 1), "2026-11-30T22:59:59.999999+00:00", "December 2026 has not begun yet in Europe/Berlin."),
        (date(2026, 12, 1), "2026-11-30T23:00+00:00", "December 2026 is still running: it ends with 31 December"),
    ],
)
def test_months_that_are_not_over_are_refused(world: World, month: date, now: str, says: str) -> None:
    with pytest.raises(ClosingRefusedError) as refusal:
        close(world.acme, month, datetime.fromisoformat(now))
    assert str(refusal.value).startswith(says)
    assert frozen() == []


def test_a_month_may_be_closed_as_soon_as_it_is_over(world: World) -> None:
    assert len(close(world.acme, NOVEMBER, datetime(2026, 11, 30, 23, tzinfo=UTC))) == 3


def test_a_name_taken_by_a_model_or_team_is_still_told_apart_from_nothing(acme: Organization) -> None:
    spend(acme, day(10), "1", team="Unassigned", model="(none)")
    spend(acme, day(10), "2", team="Unassigned", model=None)
    spend(acme, day(10), "4")
    teams = [(one.team_name, one.team is None, one.cost // 10**12) for one in close(acme, OCTOBER)]
    assert teams == [("Unassigned", False, 3), ("Unassigned", True, 4)]
    # One text, one line: readers see the name alone.
    assert [line.model for line in StatementLine.objects.filter(cost=3 * 10**12)] == ["(none)"]


@pytest.mark.parametrize("model", [Period, Statement, StatementLine, OutboxMail])
def test_the_database_refuses_a_second_row(
    world: World, search: Team, model: type[Period | Statement | StatementLine | OutboxMail]
) -> None:
    subscribe(search, "a@acme.example")
    close(world.acme, NOVEMBER)
    for number, row in enumerate(model._default_manager.all()):
        row.pk = None
        for unique in ("number", "message_id"):
            if hasattr(row, unique):
                setattr(row, unique, f"another-{number}")
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
