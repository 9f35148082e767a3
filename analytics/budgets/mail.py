"""The e-mail that carries a notice: text and HTML, made from its document alone."""

from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from analytics.models import Notice
from metricsportal.lib.wording import one_line

_SUBJECT_LENGTH: Final = 150


def message_of(notice: Notice, recipient: str, message_id: str, unsubscribe: str) -> EmailMultiAlternatives:
    """The message for one recipient; the same text, figures and Message-ID however often it is made."""
    document = notice.document
    template = "anomaly" if document["kind"] == "anomaly" else "budget"
    context = {"notice": document, "url": settings.PORTAL_URL + document["path"], "unsubscribe": unsubscribe}
    message = EmailMultiAlternatives(
        subject=one_line(document["subject"])[:_SUBJECT_LENGTH],
        body=render_to_string(f"analytics/mail/{template}.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[recipient],
        # Auto-Submitted keeps out-of-office programs from answering (RFC 3834).
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string(f"analytics/mail/{template}.html", context), "text/html")
    return message
