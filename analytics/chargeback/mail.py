"""The e-mails of statements, notices and summaries, made from frozen documents alone."""

from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from analytics.budgets import mail as notices
from analytics.chargeback import unsubscribing
from analytics.chargeback.attaching import attached
from analytics.chargeback.document import from_json
from analytics.chargeback.presentation import shown
from analytics.models import OutboxMail, Statement
from metricsportal.lib.wording import one_line

_SUBJECT_LENGTH: Final = 150


def message_of(mail: OutboxMail) -> EmailMultiAlternatives:
    """The message for one recipient; the same text, figures and Message-ID however often it is made."""
    link = unsubscribing.url_of(mail)
    if mail.notice is not None:
        message = notices.message_of(mail.notice, mail.recipient, mail.message_id, link)
    elif mail.digest is not None:
        message = of_digest(mail.digest.document, mail.recipient, link)
    elif mail.statement is not None:
        message = of_statement(mail.statement, mail.recipient, link, mail.attachment)
    else:
        raise ValueError("a mail carries a statement, a notice or a summary")
    message.extra_headers["Message-ID"] = mail.message_id
    if link:  # one click in the mail program (RFC 8058)
        message.extra_headers["List-Unsubscribe"] = f"<{link}>"
        message.extra_headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def of_statement(
    statement: Statement, recipient: str, unsubscribe: str, attachment: str, note: str = ""
) -> EmailMultiAlternatives:
    """The mail of a statement; `note` stands above everything."""
    document = from_json(statement.document)
    view = shown(document, statement.digest)
    file = attached(statement, attachment)
    path = reverse("statement", args=[document.slug, document.number])
    context = {"statement": view, "url": settings.PORTAL_URL + path, "attached": file.words}
    subject = f"{view.team}: LLM usage in {view.month}, {view.total.cost}"
    message = _message("statement", subject, recipient, context | {"unsubscribe": unsubscribe, "note": note})
    file.put_into(message)
    return message


def of_digest(document: dict[str, Any], recipient: str, unsubscribe: str, note: str = "") -> EmailMultiAlternatives:
    """The mail of a summary, or that a month is closed; `note` stands above everything."""
    context = {"summary": document, "url": settings.PORTAL_URL + document["path"]}
    context |= {"unsubscribe": unsubscribe, "note": note}
    return _message("closed" if document["kind"] == "closed" else "summary", document["subject"], recipient, context)


def _message(template: str, subject: str, recipient: str, context: dict[str, Any]) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=one_line(subject)[:_SUBJECT_LENGTH],
        body=render_to_string(f"analytics/mail/{template}.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[recipient],
        # Auto-Submitted keeps out-of-office programs from answering (RFC 3834).
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string(f"analytics/mail/{template}.html", context), "text/html")
    return message
