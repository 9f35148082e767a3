"""Mails of teams: invitations."""

import logging
import smtplib
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from metricsportal.lib.wording import one_line
from teams import services
from teams.services.invitations import Issued

_logger = logging.getLogger(__name__)
_SUBJECT_LENGTH: Final = 150


def send_invitation(issued: Issued) -> bool:
    """Send the token of an invitation to its address; whether the mail server took it.

    The invitation stays either way: it can be sent again.
    """
    invitation = issued.invitation
    context = {
        "organization": one_line(invitation.organization.name),
        "team": one_line(invitation.team.name) if invitation.team else "",
        "role": invitation.role,
        "inviter": invitation.invited_by.email if invitation.invited_by else "",
        "until": invitation.expires_at,
        # Of the settings, never of the request: a forged Host header must not lead the token elsewhere.
        "url": settings.PORTAL_URL + reverse("invitation", args=[issued.token]),
    }
    message = EmailMultiAlternatives(
        subject=one_line(f"Invitation: LLM metrics of {invitation.organization.name}")[:_SUBJECT_LENGTH],
        body=render_to_string("teams/mail/invitation.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[invitation.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("teams/mail/invitation.html", context), "text/html")
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:  # its words may repeat the address, never the token
        _logger.warning("invitation %s was not sent: %s", invitation.pk, type(error).__name__)
        return False
    services.note_sent(invitation=invitation, now=timezone.now())
    return True
