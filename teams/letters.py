"""Mails of teams: invitations, links for a new password, and news of second factors that are gone."""

import logging
import smtplib
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from metricsportal.lib.wording import one_line
from teams import doorbell, services
from teams.models import User
from teams.services.invitations import Issued

_logger = logging.getLogger(__name__)
_SUBJECT_LENGTH: Final = 150
RESET_TASK: Final = "teams.tasks.send_reset"
RESET_SECONDS: Final = 600  # nobody waits longer for such a mail


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


def send_factor_removed(person: User, by: User | None) -> bool:
    """Tell somebody that their second factor is gone; whether the mail server took the mail."""
    context = {
        "email": person.email,
        "own": person == by,
        "by": by.email if by else "An operator",
        "portal_url": settings.PORTAL_URL,
    }
    message = EmailMultiAlternatives(
        subject="Your second factor was removed",
        body=render_to_string("teams/mail/factor_removed.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[person.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("teams/mail/factor_removed.html", context), "text/html")
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        _logger.warning("nobody was told of a removed second factor: %s", type(error).__name__)
        return False
    return True


def ask_for_reset(email: str) -> None:
    """Have a worker send a link for a new password, if the address is somebody's.

    Not here: the time that a mail takes would tell whether the address has an account.
    """
    doorbell.ring(RESET_TASK, email, expires=RESET_SECONDS)


class _Reset(PasswordResetForm):
    """Whom Django would write to, but nobody twice within minutes."""

    sent = 0

    def get_users(self, email: str) -> Iterator[User]:
        """Those whose turn it is, counted."""
        for user in super().get_users(email):
            if services.claim_reset(user=user, now=timezone.now()):
                self.sent += 1
                yield user


def send_reset(email: str) -> int:
    """Mail the link to who has an account, a password and access, once in five minutes; the number of mails."""
    form = _Reset({"email": email})
    if not form.is_valid():
        return 0
    form.save(
        domain_override=urlsplit(settings.PORTAL_URL).netloc,
        subject_template_name="teams/mail/reset_subject.txt",
        email_template_name="teams/mail/reset.txt",
        html_email_template_name="teams/mail/reset.html",
        extra_email_context={"portal_url": settings.PORTAL_URL, "minutes": str(settings.PASSWORD_RESET_TIMEOUT // 60)},
    )
    return form.sent
