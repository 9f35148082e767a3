"""The e-mail of a statement: text, HTML and CSV say what was frozen, and no name gets out of its place."""

import csv
import io
import re
from email.message import EmailMessage
from html import unescape

import pytest

from analytics.chargeback import outbox
from analytics.models import OutboxMail, Statement
from ingestion.models import LLMModel
from teams.models import Organization, Team
from teams.services.recipients import is_address
from tests import make
from tests.chargeback.postoffice import PostOffice
from tests.chargeback.scene import LATER, OCTOBER, SEPTEMBER, close, day, mails, spend, subscribe

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert('1')</script> \"quoted\" & co"


@pytest.fixture
def received(acme: Organization, search: Team, office: PostOffice) -> EmailMessage:
    """The statement of October with a correction of September, as a mail program reads it."""
    spend(acme, day(9), "10", team="Search", model="gpt-5")
    close(acme, SEPTEMBER)
    spend(acme, day(9), "0.000000000001", team="Search", model="gpt-5")
    spend(acme, day(10), "120.333", team="Search", model="gpt-5")
    spend(acme, day(10), "0.334", team="Search", model="claude", status_code=500)
    spend(acme, day(10), None, team="Search", model="mystery")
    subscribe(search, "boss@acme.example")
    close(acme, OCTOBER)
    return deliver(office)


def deliver(office: PostOffice) -> EmailMessage:
    """Send the only mail there is; what arrives."""
    assert outbox.send_due(LATER) == 1
    (message,) = office.messages
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def file_of(message: EmailMessage) -> tuple[str, list[dict[str, str]]]:
    (attached,) = message.iter_attachments()
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return attached.get_filename() or "", list(rows)


def cells_of(html: str) -> list[str]:
    """Texts of all table cells, tags removed."""
    return [unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", html, re.S)]


def test_headers(received: EmailMessage, office: PostOffice) -> None:
    mail = OutboxMail.objects.get()
    assert office.recipients == [["boss@acme.example"]]
    assert office.envelopes[0].mail_from == "portal@localhost"
    assert received["Subject"] == "Search: LLM usage in October 2026, at least $120.67"
    assert (received["From"], received["To"]) == ("Metrics portal <portal@localhost>", "boss@acme.example")
    assert (received["Message-ID"], received["Auto-Submitted"]) == (mail.message_id, "auto-generated")
    kinds = [part.get_content_type() for part in received.walk()]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/csv"]


def test_the_text_says_what_was_frozen(received: EmailMessage) -> None:
    text = text_of(received, "plain")
    statement = Statement.objects.get(team_name="Search", period__month=OCTOBER)
    assert re.findall(r"^(Cost|Requests|Input tokens|Output tokens) +(.+)$", text, re.M) == [
        ("Cost", "at least $120.67 (up 11-fold on September 2026, $10.00)"),
        ("Requests", "4, of which 1 failed"),
        ("Input tokens", "4,000"),
        ("Output tokens", "400"),
    ]
    assert re.findall(r"^  (.+): (.+), (\d+) requests?$", text, re.M) == [
        ("gpt-5", "$120.33", "1"),
        ("claude", "$0.34", "1"),
        ("mystery", "no price", "1"),
        ("September 2026, gpt-5", "$0.00", "1"),
    ]
    assert "\n1 request has no price and adds nothing to the total.\n" in text
    assert f"http://127.0.0.1:8000/o/acme/statements/{statement.number}/\n" in text
    assert text.rstrip().endswith(f"Issued 10 December 2026. SHA-256 {statement.digest}")


def test_the_html_says_the_same(received: EmailMessage) -> None:
    html = text_of(received, "html")
    statement = Statement.objects.get(team_name="Search", period__month=OCTOBER)
    rows = [
        ["gpt-5", "1", "$120.33"],
        ["claude", "1", "$0.34"],
        ["mystery", "1", "no price"],
        ["gpt-5 (correction of September 2026)", "1", "$0.00"],
        ["Total", "4", "at least $120.67"],
    ]
    assert cells_of(html) == [cell for row in rows for cell in row]
    assert f'href="http://127.0.0.1:8000/o/acme/statements/{statement.number}/"' in html
    assert statement.digest in html


def test_the_file_holds_every_line_rounded_and_exact(received: EmailMessage) -> None:
    statement = Statement.objects.get(team_name="Search", period__month=OCTOBER)
    name, rows = file_of(received)
    assert name == f"statement-{statement.number}.csv"
    assert {(row["statement"], row["organization"], row["team"], row["month"]) for row in rows} == {
        (statement.number, "Acme Works", "Search", "2026-10")
    }
    assert [tuple(row.values())[4:] for row in rows] == [
        ("usage", "", "gpt-5", "1", "0", "1000", "100", "0", "120.33", "120.333"),
        ("usage", "", "claude", "1", "1", "1000", "100", "0", "0.34", "0.334"),
        ("usage", "", "mystery", "1", "0", "1000", "100", "1", "", ""),
        ("adjustment", "2026-09", "gpt-5", "1", "0", "1000", "100", "0", "0.00", "0.000000000001"),
        ("total", "", "", "4", "1", "4000", "400", "1", "120.67", "120.667000000001"),
    ]


def test_a_mail_is_the_same_however_often_it_is_made(received: EmailMessage, office: PostOffice) -> None:
    make.price("gpt-5", "input", "99")
    spend(Organization.objects.get(), day(10), "1000", team="Search")
    OutboxMail.objects.update(state="pending")
    office.envelopes.clear()
    again = deliver(office)
    assert again["Message-ID"] == received["Message-ID"]
    assert [text_of(again, kind) for kind in ("plain", "html")] == [text_of(received, k) for k in ("plain", "html")]
    assert file_of(again) == file_of(received)


def test_nothing_without_a_price_reads_as_zero(acme: Organization, search: Team, office: PostOffice) -> None:
    spend(acme, day(9), None, team="Search", model="mystery")
    close(acme, SEPTEMBER)
    spend(acme, day(10), None, team="Search", model="mystery")
    subscribe(search, "boss@acme.example")
    close(acme, OCTOBER)
    message = deliver(office)
    text, html = (text_of(message, kind) for kind in ("plain", "html"))
    assert "Cost           no price\n" in text
    assert cells_of(html) == ["mystery", "1", "no price", "Total", "1", "no price"]
    assert "$" not in text + html + message["Subject"]
    assert [(row["cost_usd"], row["cost_exact_usd"]) for row in file_of(message)[1]] == [("", "")] * 2


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        (SCRIPT, SCRIPT),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2", "'-2"),
        ('=HYPERLINK("x"),b', '\'=HYPERLINK("x"),b'),
        ("{{ settings.SECRET_KEY }}{% now 'Y' %}", "{{ settings.SECRET_KEY }}{% now 'Y' %}"),
    ],
)
def test_names_stay_names(acme: Organization, search: Team, office: PostOffice, name: str, cell: str) -> None:
    spend(acme, day(10), "3", team="Search", model="gpt-5")
    Organization.objects.filter(pk=acme.pk).update(name=name)
    Team.objects.filter(pk=search.pk).update(name=name)
    LLMModel.objects.update(name=name)
    subscribe(search, "boss@acme.example")
    acme.refresh_from_db()
    close(acme, OCTOBER)
    message = deliver(office)
    html = text_of(message, "html")
    assert "<script" not in html
    assert cells_of(html)[0] == name
    assert text_of(message, "plain").startswith(f"{name}: LLM usage in October 2026\n{name}, statement S")
    rows = file_of(message)[1]
    assert [(row["organization"], row["team"], row["model"]) for row in rows] == [(cell, cell, cell), (cell, cell, "")]
    assert message["Subject"].startswith(f"{name}: LLM usage in October 2026")


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\r", "\n ", "\x0b", "\x85", "\u2028", "\x1e"])
def test_no_name_begins_a_header(acme: Organization, search: Team, office: PostOffice, gap: str) -> None:
    spend(acme, day(10), "3", team="Search")
    Team.objects.filter(pk=search.pk).update(name=f"Search{gap}Bcc: spy@rival.example{gap}{gap}, and a body")
    subscribe(search, "boss@acme.example")
    close(acme, OCTOBER)
    message = deliver(office)
    assert message["Subject"].startswith("Search Bcc: spy@rival.example , and a body: LLM usage in October 2026")
    assert sorted(message.keys()) == [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]
    assert office.recipients == [["boss@acme.example"]]


def test_a_long_name_is_cut_in_the_subject(acme: Organization, search: Team, office: PostOffice) -> None:
    spend(acme, day(10), "3", team="Search")
    Team.objects.filter(pk=search.pk).update(name="Ü" * 256)
    subscribe(search, "boss@acme.example")
    close(acme, OCTOBER)
    assert deliver(office)["Subject"].strip() == "Ü" * 150
    assert mails() == [("boss@acme.example", "sent", 1)]


@pytest.mark.parametrize("text", ["a@acme.example", "a+b@acme.example", "o'hara@acme.example"])
def test_plain_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@b.example, c@d.example",
        "a@b.example\nBcc: c@d.example",
        "A <a@b.example>",
        "a@b@c.example",
        "a@b;c@d",
    ],
)
def test_what_is_no_plain_address(text: str) -> None:
    assert not is_address(text)
