"""PDF of a statement: the figures of page, CSV, API and e-mail, and nothing read from outside."""

import io
import socket
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.test import Client

from analytics.chargeback import outbox, paper
from analytics.chargeback.document import from_json
from analytics.chargeback.presentation import shown
from analytics.chargeback.sharing import acts
from analytics.chargeback.sharing.acts import Wanted
from analytics.models import Statement
from analytics.views import statements as views
from metricsportal.lib import paper as library
from teams.models import Organization, Team, User
from tests.analytics.statements import table
from tests.chargeback.postoffice import PostOffice
from tests.chargeback.scene import LATER, OCTOBER, SEPTEMBER, close, day, spend, subscribe

pytestmark = pytest.mark.django_db
HOSTILE = '<link rel=attachment href="file:///etc/passwd"><img src="http://127.0.0.1:9/x.png">@import url(file:///x)'
needs_pango = pytest.mark.skipif(not library.available(), reason="WeasyPrint cannot load Pango on this machine")


@pytest.fixture
def october(acme: Organization, search: Team) -> Statement:
    """Use with and without a price, and a correction of September."""
    spend(acme, day(9), "10", team="Search", model="gpt-5")
    close(acme, SEPTEMBER)
    spend(acme, day(9), "0.000000000001", team="Search", model="gpt-5")
    spend(acme, day(10), "120.333", team="Search", model="gpt-5")
    spend(acme, day(10), "0.334", team="Search", model="claude", status_code=500)
    spend(acme, day(10), None, team="Search", model="mystery")
    subscribe(search, "boss@acme.example")
    (statement,) = close(acme, OCTOBER)
    return statement


def text_of(content: bytes) -> str:
    """The words of all pages, one space between them."""
    from pypdf import PdfReader

    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


@needs_pango
def test_its_totals_are_those_of_page_file_api_and_mail(
    october: Statement, client: Client, finance: User, office: PostOffice
) -> None:
    client.force_login(finance)
    address = f"/o/acme/statements/{october.number}/"
    answer = client.get(f"{address}pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == f'attachment; filename="statement-{october.number}.pdf"'
    text, page = text_of(answer.content), client.get(address).content.decode()
    assert f'href="{address}pdf"' in page
    view = shown(from_json(october.document), october.digest)
    assert view.total.cost == "at least $120.67"
    for row in (*view.all_rows, view.total):  # every kind of lines: what is missing would not add up
        counts = (row.requests, row.failed, row.input_tokens, row.output_tokens)
        cells = (*(counts if row in (*view.rows, *view.corrections, view.total) else ()), row.cost)
        assert " ".join((row.model, *(["·", row.adjusts] if row.adjusts else []), *cells)) in text
        assert row.cost in page
    for words in (f"Acme Works · Search · October 2026 · Statement {october.number}", view.unpriced, october.digest):
        assert words is not None
        assert words in text
    assert "Months so far September 2026 $10.00 October 2026 at least $120.67" in text
    assert "Page 1 of 1" in text
    assert "Exact total at least 120.667000000001 USD" in text
    assert table(client.get(f"{address}csv").content.decode())[-1][-2:] == ["120.67", "120.667000000001"]
    api = f"/api/v1/statements/{october.number}"
    assert client.get(api, {"organization": "acme"}).json()["document"]["total"]["cost_usd"] == "120.667000000001"
    assert client.get(api, {"organization": "acme", "format": "pdf"}).content == answer.content
    assert outbox.send_due(LATER) == 1
    assert view.total.cost in str(office.messages[0]["Subject"])


@needs_pango
def test_shared_costs_stand_under_their_own_heading(acme: Organization, search: Team, finance: User) -> None:
    acts.add(actor=finance, organization=acme, wanted=Wanted("", "even", OCTOBER), now=LATER)
    spend(acme, day(10), "10", team="Search", model="gpt-5")
    spend(acme, day(10), "2.5", team=None, model="gpt-5")
    statement, rest = close(acme, OCTOBER)
    text = text_of(paper.statement_pdf(statement))
    view = shown(from_json(statement.document), statement.digest)
    (line,) = view.shared
    assert f"Shared costs {line.model} {line.cost}" in text
    assert (line.cost, view.total.cost) == ("$2.5000", "$12.5000")
    assert "$12.5000" in text
    assert shown(from_json(rest.document), rest.digest).total.cost in text_of(paper.statement_pdf(rest))


@needs_pango
def test_the_same_statement_is_the_same_file(october: Statement) -> None:
    assert paper.statement_pdf(october) == paper.statement_pdf(Statement.objects.get(pk=october.pk))


@needs_pango
def test_names_are_words_and_nothing_is_read(
    october: Statement, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    october.document["team"]["name"] = HOSTILE
    october.document["lines"][0]["model"] = f"{HOSTILE}\x0b{{{{ settings.SECRET_KEY }}}}"
    text = text_of(paper.statement_pdf(october))
    assert "".join(HOSTILE.split()) in "".join(text.split())
    assert "{{settings.SECRET_KEY}}" in "".join(text.split())
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg"><text y="20">TOP-SECRET</text></svg>')
    tried: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: tried.append(address))
    inside = f'<img src="{secret.as_uri()}" alt="none"><img src="http://127.0.0.1:9/" alt="none">'
    inside += f'<link rel="attachment" href="{secret.as_uri()}"><img src="data:image/svg+xml,%3Csvg/%3E" alt="none">'
    content = library.pdf(f"<!doctype html><html lang=en><title>x</title><p>words {inside}")
    assert "words none" in text_of(content)
    assert b"EmbeddedFile" not in content
    assert "TOP-SECRET" not in text_of(content)
    assert tried == []


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        ("missing", 415, "requirements-pdf.txt"),
        ("long", 422, "4 lines; a PDF is made of up to 3"),
        ("busy", 503, "again"),
    ],
)
def test_without_a_pdf_the_address_says_why(
    october: Statement,
    client: Client,
    finance: User,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
    status: int,
    words: str,
) -> None:
    monkeypatch.setattr(library, "available", lambda: trouble != "missing")
    monkeypatch.setattr(views, "available", lambda: trouble != "missing")
    monkeypatch.setattr(library, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(paper, "MOST_LINES", 3 if trouble == "long" else 99)
    client.force_login(finance)
    with library._TURN if trouble == "busy" else nullcontext():
        page = client.get(f"/o/acme/statements/{october.number}/pdf")
        api = client.get(f"/api/v1/statements/{october.number}", {"organization": "acme", "format": "pdf"})
    assert (page.status_code, api.status_code) == (status, status)
    assert words in page.content.decode()
    assert words in api.json()["detail"]
    assert ("/pdf" in client.get(f"/o/acme/statements/{october.number}/").content.decode()) == (trouble != "missing")
