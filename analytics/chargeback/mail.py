"""The e-mail that carries a statement: text, HTML and the CSV file, made from the frozen document alone."""

from email.utils import parseaddr
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from analytics.budgets import mail as notices
from analytics.chargeback.document import from_json
from analytics.chargeback.files import csv_lines, filename
from analytics.chargeback.presentation import shown
from analytics.models import OutboxMail, Statement
from metricsportal.lib.wording import one_line

_SUBJECT_LENGTH: Final = 150


def message_of(mail: OutboxMail) -> EmailMultiAlternatives:
    """The message for one recipient; the same text, figures and Message-ID however often it is made."""
    if mail.notice is not None:
        return notices.message_of(mail.notice, mail.recipient, mail.message_id)
    if mail.statement is None:
        raise ValueError("a mail carries a statement or a notice")
    return _of_statement(mail, mail.statement)


def _of_statement(mail: OutboxMail, statement: Statement) -> EmailMultiAlternatives:
    document = from_json(statement.document)
    view = shown(document, statement.digest)
    path = reverse("statement", args=[document.slug, document.number])
    context = {"statement": view, "url": settings.PORTAL_URL + path}
    message = EmailMultiAlternatives(
        subject=one_line(f"{view.team}: LLM usage in {view.month}, {view.total.cost}")[:_SUBJECT_LENGTH],
        body=render_to_string("analytics/mail/statement.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.recipient],
        # Auto-Submitted keeps out-of-office programs from answering (RFC 3834).
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("analytics/mail/statement.html", context), "text/html")
    # With a byte order mark: spreadsheets read CSV without one in a legacy encoding.
    file = "\ufeff" + "".join(csv_lines(document))
    message.attach(filename(document.number), file.encode(), "text/csv")
    return message


def is_address(text: str) -> bool:
    """Whether the text is one plain address that cannot name a second recipient or header."""
    return text.isprintable() and parseaddr(text) == ("", text) and text.count("@") == 1
