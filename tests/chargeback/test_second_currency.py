"""Statements in a second currency: the rate is frozen at close, and documents without one are as they always were."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from analytics.chargeback import outbox
from analytics.chargeback.document import canonical, digest, from_json, to_json
from analytics.chargeback.files import csv_lines
from analytics.chargeback.presentation import shown
from analytics.models import ExchangeRate, Statement
from teams.models import Organization, Team, User
from tests import pages
from tests.chargeback.scene import LATER, NOVEMBER, OCTOBER, close, day, frozen, spend, subscribe

pytestmark = pytest.mark.django_db
WORDS: Final = "≈ 113.78 EUR at 0.9213 of 2026-10-01"
# A statement as it was stored before there were rates, and its hash.
OLD: Final[dict[str, Any]] = json.loads(
    '{"adjustments":[],"currency":"USD","end":"2026-10-31T23:00:00+00:00","format":1,'
    '"issued_at":"2026-11-04T00:00:00+00:00","lines":[{"cost_usd":"1.5","failed":0,"input_tokens":10,"model":"gpt-5",'
    '"output_tokens":1,"priced_requests":1,"requests":1,"unpriced_requests":0}],"month":"2026-10",'
    '"number":"S1-202610-001","organization":{"name":"Acme Works","slug":"acme"},"previous":null,'
    '"price_book_version":7,"start":"2026-09-30T22:00:00+00:00","team":{"name":"Search","unassigned":false},'
    '"total":{"cost_usd":"1.5","failed":0,"input_tokens":10,"output_tokens":1,"priced_requests":1,"requests":1,'
    '"unpriced_requests":0},"zone":"Europe/Berlin"}'
)
OLD_DIGEST: Final = "0450c4d75e2d7e028fe4e2a2a122f902e463adf040c569f7a912c988cfcbb878"


def rate(organization: Organization, units: str, at: datetime, code: str = "EUR") -> None:
    """Units of the currency for one US dollar from that instant on."""
    ExchangeRate.objects.create(organization=organization, currency=code, rate=Decimal(units), effective_from=at)


@pytest.fixture
def rated(acme: Organization, search: Team) -> Organization:
    """October of Search at 123.50 USD; a rate of euros since its first day, another since the end of November."""
    rate(acme, "0.9213", day(10, 1))
    rate(acme, "0.5", datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC))  # one second before the end in Berlin
    spend(acme, day(10), "123.5", team="Search")
    return acme


def table(statement: Statement) -> list[dict[str, str]]:
    """The rows of the statement's file."""
    return list(csv.DictReader(io.StringIO("".join(csv_lines(from_json(statement.document))), newline="")))


def test_the_rate_at_the_end_of_the_month_is_frozen(rated: Organization) -> None:
    spend(rated, day(11), "10", team="Search")
    (october,) = close(rated, OCTOBER)
    (november,) = close(rated, NOVEMBER)
    assert october.document["display"] == {
        "currency": "EUR",
        "rate": "0.9213",
        "effective_from": "2026-10-01T12:00:00+00:00",
        "total": "113.78",
    }
    assert (november.document["display"]["rate"], november.document["display"]["total"]) == ("0.5", "5.00")
    assert october.digest == digest(october.document)
    assert to_json(from_json(october.document)) == october.document
    kept = frozen()
    rate(rated, "7", day(10, 2))
    assert frozen() == kept
    assert shown(from_json(october.document), october.digest).converted == WORDS


def test_the_charge_stays_in_dollars(rated: Organization) -> None:
    (statement,) = close(rated, OCTOBER)
    assert (statement.cost, statement.document["currency"]) == (123_500_000_000_000, "USD")
    assert statement.document["total"]["cost_usd"] == "123.5"


def test_what_is_converted_is_the_total_as_displayed(acme: Organization, search: Team) -> None:
    rate(acme, "100", day(10, 1))
    spend(acme, day(10), "0.00004999", team="Search")
    (statement,) = close(acme, OCTOBER)
    view = shown(from_json(statement.document), statement.digest)
    assert (view.total.cost, statement.document["display"]["total"]) == ("$0.000050", "0.00")
    assert view.converted.startswith("below 0.01 EUR at 100 of ")


def test_page_mail_and_file_show_it(
    rated: Organization, owner: User, client: Client, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    subscribe(Team.objects.get(name="Search"), "search@acme.example")
    (statement,) = close(rated, OCTOBER)
    client.force_login(owner)
    html = client.get(f"/o/acme/statements/{statement.number}/").content.decode()
    assert WORDS in pages.definitions(html)["Cost"]
    outbox.send_due(LATER)
    (mail,) = mailoutbox
    assert WORDS in str(mail.body)
    assert WORDS in str(mail.alternatives[0][0])
    usage, total = table(statement)
    assert [(row["currency"], row["exchange_rate"], row["cost_in_currency"]) for row in (usage, total)] == [
        ("", "", ""),
        ("EUR", "0.9213", "113.78"),
    ]
    assert (total["kind"], total["cost_usd"]) == ("total", "123.50")


def test_a_partly_priced_total_is_at_least_that_and_an_unknown_one_is_not_converted(
    rated: Organization, ads: Team
) -> None:
    spend(rated, day(10), None, team="Search", model="mystery")
    spend(rated, day(10), None, team="Ads", model="mystery")
    ads_statement, search_statement = sorted(close(rated, OCTOBER), key=lambda one: one.team_name)
    assert shown(from_json(search_statement.document), "").converted == f"at least {WORDS}"
    assert shown(from_json(ads_statement.document), "").converted == ""
    assert ads_statement.document["display"]["total"] is None
    assert table(ads_statement)[-1]["cost_in_currency"] == ""


def test_without_a_rate_nothing_is_new(acme: Organization, rival: Organization, search: Team) -> None:
    rate(rival, "0.9213", day(10, 1))
    spend(acme, day(10), "123.5", team="Search")
    (statement,) = close(acme, OCTOBER)
    assert "display" not in statement.document
    assert "currency" not in table(statement)[0]
    assert shown(from_json(statement.document), statement.digest).converted == ""


def test_documents_of_before_keep_their_bytes_and_their_hash() -> None:
    document = from_json(OLD)
    assert document.rate is None
    assert canonical(to_json(document)) == canonical(OLD)
    assert digest(to_json(document)) == OLD_DIGEST
    header, *_ = csv_lines(document)
    assert header.endswith("cost_usd,cost_exact_usd\r\n")
