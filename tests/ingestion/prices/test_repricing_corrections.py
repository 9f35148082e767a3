"""Prices that come late, and wrong ones that are taken back: open months become right, closed ones stay as sent."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client

from analytics.chargeback.mail import message_of
from analytics.models import OutboxMail, Statement
from ingestion.repricing import windows
from ingestion.repricing.tally import Sums
from teams.models import AuditEntry, Organization, Team, User
from tests import make
from tests.chargeback.scene import NOVEMBER, OCTOBER, SEPTEMBER, close, day, facts, frozen, said, subscribe
from tests.ingestion.prices.repricing import apply, at, correct, costs, everything, pico

pytestmark = pytest.mark.django_db
ONE = pico("0.0035")  # 1,000 input tokens at 2.50 and 100 output tokens at 10 per million


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(windows.WINDOWS, connection.vendor, 3)
    make.price("gpt-4o", "input", "2.5")
    make.price("gpt-4o", "output", "10")


def paid(organization: Organization) -> dict[str, int | None]:
    return {name: cost for name, (_, cost, *_) in costs(organization).items()}


def test_a_back_dated_price_waits_for_the_repricing_and_holds_from_its_instant_on(acme: Organization) -> None:
    border = at(6)
    moments = [border + timedelta(microseconds=shift) for shift in (-1, 0, 1)]
    for number, moment in enumerate(moments):
        make.request(acme, request_id=f"r{number}", started_at=moment)
    make.request(acme, request_id="later", started_at=at(9))
    make.price("gpt-4o", "input", "5", effective_from=at(8))
    make.price("gpt-4o", "input", "25", effective_from=border)
    assert paid(acme) == dict.fromkeys(("r0", "r1", "r2", "later"), ONE), "a price alone changes nothing"
    make.request(acme, request_id="late", started_at=border)
    assert paid(acme)["late"] == pico("0.026"), "what arrives late has the price of its day"
    assert apply(everything(acme)).total == Sums(5, 3, 4 * ONE + pico("0.026"), ONE + 3 * pico("0.026") + pico("0.006"))
    right = {"r0": ONE, "r1": pico("0.026"), "r2": pico("0.026"), "late": pico("0.026"), "later": pico("0.006")}
    assert paid(acme) == right
    assert apply(everything(acme)).total.changed == 0


@pytest.mark.parametrize("wrong", ["2500000", "2500", "0.000003", "0.0025", None])
def test_a_slip_that_was_priced_is_undone_to_the_picodollar(acme: Organization, wrong: str | None) -> None:
    """Per token and per thousand instead of per million, both ways, and no price at all."""
    for number in range(7):
        make.request(acme, started_at=at(1 + number), cache_read_tokens=7 * number)
    before = costs(acme)
    correct("gpt-4o", "input", wrong)
    slipped = apply(everything(acme))
    assert slipped.total.changed == 7
    correct("gpt-4o", "input", "2.5")
    undone = apply(everything(acme))
    assert costs(acme) == before
    assert (undone.total.changed, undone.total.difference) == (7, -slipped.total.difference)
    audits = AuditEntry.objects.filter(action="requests.reprice").order_by("pk").values_list("details", flat=True)
    assert [(one["usd_before"], one["usd_after"]) for one in audits] == [
        (audits[0]["usd_before"], audits[1]["usd_before"]),
        (audits[0]["usd_after"], audits[0]["usd_before"]),
    ]


@pytest.fixture
def issued(client: Client, finance: User) -> Callable[[], dict[str, tuple[bytes, ...]]]:
    """Every statement as people have it: page, file, and the text, HTML and attachment of its mails."""
    client.force_login(finance)

    def issued_() -> dict[str, tuple[bytes, ...]]:
        answer = {}
        for one in Statement.objects.order_by("pk"):
            pages = [client.get(f"/o/acme/statements/{one.number}/{part}") for part in ("", "csv")]
            assert [page.status_code for page in pages] == [200, 200]
            mails = [message_of(mail) for mail in OutboxMail.objects.filter(statement=one)]
            parts = [repr((mail.subject, mail.body, mail.alternatives, mail.attachments)).encode() for mail in mails]
            page, file = (page.content for page in pages)
            shown = page.partition(b"<main")[2].partition(b"</main>")[0]  # around it are tokens that change
            assert one.number.encode() in shown
            # Users are no part of a statement: they are read from the requests as they are now, and the page says so.
            shown = re.sub(rb'<section class="card" aria-labelledby="people">.*?</section>', b"", shown, flags=re.S)
            answer[one.number] = (shown, file, *parts)
        return answer

    return issued_


def test_closed_months_stay_as_they_were_sent_whatever_is_priced_anew(
    acme: Organization, search: Team, issued: Callable[[], dict[str, tuple[bytes, ...]]]
) -> None:
    """Too dear, right, cheaper: each change of September is stated once, by the month that is closed next."""
    subscribe(search, "boss@acme.example")
    for number in (9, 9, 9, 10, 10, 10, 11, 11, 11):
        make.request(acme, started_at=day(number), team="Search")
    close(acme, SEPTEMBER)
    kept, sent = frozen(), issued()
    sums = [3 * ONE]
    for usd, month in (("2500", OCTOBER), ("2.5", NOVEMBER)):
        correct("gpt-4o", "input", usd)
        apply(everything(acme))
        assert (frozen(), issued()) == (kept, sent)
        close(acme, month)
        closed = {key: figures for key, figures in facts(acme).items() if key[0] <= f"{month:%Y-%m}"}
        assert said(acme) == closed, "statements and adjustments together are the requests"
        kept, sent = frozen(), issued()
        sums.append(sum(figures[4] for key, figures in facts(acme).items() if key[0] == "2026-09"))
    differences = [after - before for before, after in pairwise(sums)]
    adjustments = [
        (line["model"], line["adjusts"], line["cost_usd"])
        for one in Statement.objects.order_by("period__month")
        for line in one.document["adjustments"]
        if line["adjusts"] == "2026-09"
    ]
    assert [pico(usd) for _, _, usd in adjustments] == differences == [3 * pico("2.4975"), -3 * pico("2.4975")]
