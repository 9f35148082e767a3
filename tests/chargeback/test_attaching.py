"""The file that comes with a statement by e-mail: as chosen, and never in the way of the mail."""

import re

import pytest
from django.core import mail
from django.test import Client

from analytics.chargeback import attaching, outbox
from analytics.models import OutboxMail, Statement
from metricsportal.lib import paper as library
from teams.models import Organization, ReportRecipient, Team, User
from teams.services import recipients
from tests.chargeback.postoffice import PostOffice
from tests.chargeback.scene import LATER, OCTOBER, close, day, spend, subscribe
from tests.chargeback.test_mail import text_of as part_of
from tests.chargeback.test_summaries import choose

pytestmark = pytest.mark.django_db


@pytest.fixture
def october(acme: Organization, search: Team) -> Statement:
    """A statement that waits to be mailed."""
    spend(acme, day(10), "120.333", team="Search", model="gpt-5")
    subscribe(search, "boss@acme.example")
    (statement,) = close(acme, OCTOBER)
    return statement


@pytest.mark.parametrize(("choice", "kind"), [("pdf", "application/pdf"), ("focus", "text/csv"), ("csv", "text/csv")])
def test_the_chosen_file_comes_with_the_mail(
    october: Statement, client: Client, finance: User, office: PostOffice, choice: str, kind: str
) -> None:
    if choice == "pdf" and not library.available():
        pytest.skip("WeasyPrint cannot load Pango on this machine")
    OutboxMail.objects.update(attachment=choice)
    assert outbox.send_due(LATER) == 1
    (file,) = office.messages[0].iter_attachments()
    client.force_login(finance)
    offered = client.get(f"/o/acme/statements/{october.number}/{choice}")
    name = re.search(r'filename="([^"]+)"', offered["Content-Disposition"])
    assert name is not None
    assert (file.get_content_type(), file.get_filename()) == (kind, name[1])
    content = b"".join(offered) if offered.streaming else offered.content
    assert file.get_payload(decode=True) == content
    assert f"The attached {choice.upper()} file" in part_of(office.messages[0], "html")


@pytest.mark.parametrize("choice", ["pdf", "focus", "csv"])
@pytest.mark.parametrize("trouble", ["fails", "is too large"])
def test_a_file_that_cannot_come_does_not_keep_the_mail(
    october: Statement, office: PostOffice, monkeypatch: pytest.MonkeyPatch, choice: str, trouble: str
) -> None:
    def made(_: Statement) -> attaching.Attached:
        if trouble == "fails":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return attaching.Attached("attached", "x.pdf", b"x" * (attaching.MOST_BYTES + 1), "application/pdf")

    monkeypatch.setitem(attaching._MAKERS, choice, made)
    OutboxMail.objects.update(attachment=choice)
    assert outbox.send_due(LATER) == 1
    (message,) = office.messages
    assert list(message.iter_attachments()) == []
    for part in ("plain", "html"):
        assert attaching.ELSEWHERE in part_of(message, part)
    assert f"http://127.0.0.1:8000/o/acme/statements/{october.number}/" in part_of(message, "plain")


def test_pdf_can_be_chosen_where_it_can_be_made_and_stays_chosen(
    client: Client, finance: User, search: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = choose(search, "statement")
    client.force_login(finance)
    address, sent = f"/o/acme/statements/recipients/{search.pk}/", {"kind": "statement", "attachment": "pdf"}
    monkeypatch.setattr(recipients, "available", lambda: False)
    refused = client.post(f"{address}{row.pk}/change", sent)
    assert refused.status_code == 400
    assert "A statement comes with one of: csv, focus, none." in refused.content.decode()
    assert 'value="pdf"' not in client.get(address).content.decode()
    monkeypatch.setattr(recipients, "available", lambda: True)
    assert client.post(f"{address}{row.pk}/change", sent).status_code == 302
    monkeypatch.setattr(recipients, "available", lambda: False)
    assert 'value="pdf" selected' in client.get(address).content.decode()
    assert client.post(f"{address}{row.pk}/change", sent | {"kind": "daily"}).status_code == 302
    assert ReportRecipient.objects.get().attachment == "pdf"


def test_preview_and_test_have_the_file_of_ones_choice(october: Statement, client: Client, finance: User) -> None:
    client.force_login(finance)
    team = Team.objects.get(name="Search")
    address = f"/o/acme/statements/recipients/{team.pk}/"
    for choice, files in (("focus", [f"focus-{october.number}.csv"]), ("none", [])):
        shown_page = client.get(f"{address}preview", {"kind": "statement", "attachment": choice}).content.decode()
        assert (f"Attached: focus-{october.number}.csv." in shown_page) == bool(files)
        client.post(f"{address}test", {"kind": "statement", "attachment": choice})
        assert [one[0] for one in mail.outbox[-1].attachments] == files
