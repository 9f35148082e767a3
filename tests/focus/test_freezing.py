"""Freezing of rows while things move: late requests, merged names, another reporting zone, counts that contradict."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.test import Client

from analytics import rollups
from analytics.chargeback import months
from analytics.chargeback.months import ClosingRefusedError
from analytics.chargeback.review import review
from analytics.meters import freezing
from analytics.models import FrozenMeters, Period, Statement
from analytics.query import snapshot
from ingestion.models import LLMRequest, Watermark
from ingestion.provisioning.kinds import ACCOUNT, TEAM
from teams.models import Organization, VirtualAccount
from tests import make
from tests.focus import year
from tests.focus.test_closed_months import LATER, NOVEMBER, OCTOBER, check_invoices, close, everything, use
from tests.ingestion.provisioning import scene as names

pytestmark = pytest.mark.django_db
AT: Final = datetime(2026, 10, 8, 9, 30, tzinfo=UTC)


@pytest.fixture
def acme() -> Organization:
    """A price and a request in October."""
    for token_class, usd in (("input", "2.5"), ("output", "10")):
        make.price("gpt-4o", token_class, usd)
    organization = year.company(zone="Europe/Berlin")
    use(organization, AT)
    return organization


def test_rows_that_are_older_than_their_statements_are_read_again(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and closing a request arrives, and a worker rolls it up: the statements have it, the rows not."""
    prepare, calls = freezing.prepare, list[int]()

    def disturbed(*arguments: Any) -> Any:
        found = prepare(*arguments)
        if not calls:
            use(acme, AT.replace(minute=40))
            rollups.drain(acme.pk)
        calls.append(1)
        return found

    monkeypatch.setattr(freezing, "prepare", disturbed)
    close(acme, OCTOBER)
    assert len(calls) == 2
    assert sum(int(row["x_RequestCount"]) for row in everything(acme)) == 2
    check_invoices(acme)


def test_merged_names_keep_every_cost(acme: Organization) -> None:
    """What a price of its own paid is itemised no more once the account is another one: stated in one line, exactly."""
    use(acme, AT, virtual_account="bot")
    bot = VirtualAccount.objects.get(organization=acme, name="bot")
    make.price("gpt-4o", "output", "7", organization=acme, virtual_account=bot)
    for at in (AT, datetime(2026, 11, 8, tzinfo=UTC)):
        use(acme, at, virtual_account="bot")
        use(acme, at, virtual_account="web", team=year.HOSTILE)
    names.merge(ACCOUNT, acme, "bot", "web")
    before = {row["SkuMeter"] for row in everything(acme)}
    close(acme, OCTOBER)
    names.merge(TEAM, acme, "Search", year.HOSTILE)
    assert "Usage Not Itemised" in before
    rows = everything(acme)
    check_invoices(acme)
    assert {row["SubAccountName"] for row in rows if row["InvoiceId"]} == {"Search", year.HOSTILE}
    assert {row["SubAccountName"] for row in rows if not row["InvoiceId"]} == {year.HOSTILE}
    assert [row for row in rows if row["ChargeClass"]] == []
    close(acme, NOVEMBER)
    check_invoices(acme)


def test_figures_that_are_not_those_of_the_requests_are_not_frozen(acme: Organization, client: Client) -> None:
    """As after another reporting zone, which nobody can choose in the portal: days of the old one are still counted."""
    use(acme, datetime(2026, 10, 31, 22, 59, tzinfo=UTC))
    use(acme, datetime(2026, 11, 30, 12, 20, tzinfo=UTC))
    close(acme, OCTOBER)
    Organization.objects.filter(pk=acme.pk).update(zone="America/New_York")
    acme.refresh_from_db()
    span = ("--from", "2026-09-01", "--to", "2026-12-09", "--drain")
    call_command("rollup", "--organization", acme.slug, "--rebuild", *span)
    before = everything(acme)
    with pytest.raises(ClosingRefusedError, match="not what its requests cost"):
        close(acme, NOVEMBER)
    assert list(Period.objects.filter(closed_at__isnull=False).values_list("month", flat=True)) == [OCTOBER]
    assert not Statement.objects.filter(period__month=NOVEMBER).exists()
    assert everything(acme) == before
    found = review(acme, NOVEMBER, LATER + timedelta(days=5))
    assert found is not None
    assert found.says.startswith("Over, and should have closed by itself on ")


def test_a_month_whose_requests_were_removed_is_closed_without_rows(acme: Organization, client: Client) -> None:
    """Its statements are issued all the same, and the page of the month says what is missing."""
    rollups.drain(acme.pk)
    Watermark.objects.create(organization=acme, subject="requests", before=AT + timedelta(days=1))
    LLMRequest.objects.filter(organization=acme).delete()
    close(acme, OCTOBER)
    assert not FrozenMeters.objects.exists()
    assert Statement.objects.count() == 1
    client.force_login(make.member(acme, "finance"))
    says, page = "no rows by token class", "/o/acme/statements/months/{}/"
    assert says in client.get(page.format("2026-10")).content.decode()
    close(acme, NOVEMBER)
    assert says not in client.get(page.format("2026-11")).content.decode()


def test_contradictory_counts_are_taken_apart_alone(acme: Organization) -> None:
    """More reasoning than output: cut to fit, as ingest did, and not made up for by other requests of the day."""
    make.price("thinker", "output", "1")
    make.price("thinker", "reasoning", "1")
    at = datetime(2026, 11, 4, tzinfo=UTC)
    for output_tokens, reasoning_tokens in ((100, 300), (500, None)):
        counts = {"output_tokens": output_tokens, "reasoning_tokens": reasoning_tokens}
        use(acme, at, model="thinker", input_tokens=0, cache_read_tokens=None, **counts)
    found = {row["SkuMeter"]: row["ConsumedQuantity"] for row in everything(acme) if row["x_Model"] == "thinker"}
    assert found == {"Reasoning Tokens": "100", "Output Tokens": "500"}


@pytest.mark.django_db(transaction=True)
def test_the_time_of_an_answer_is_none_of_theirs(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of a large company takes longer to read than anybody waits for a page."""
    monkeypatch.setattr(snapshot, "TIME_LIMIT_MS", -1)
    found = freezing.prepare(acme, OCTOBER, months.borders(acme, OCTOBER), LATER)
    assert [day for day, _ in found.days] == [AT.date()]
    rows = year.rows(acme, year.question(AT.date(), AT.date()), LATER)
    assert {row["SkuMeter"] for row in rows} == {"Input Tokens", "Output Tokens"}
