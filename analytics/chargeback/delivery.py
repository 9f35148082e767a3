"""Handing one message to the mail server of Django's settings, and saying honestly what became of it."""

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from enum import Enum, auto
from typing import Final

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

_ACCEPTED: Final = 250
_PERMANENT: Final = 500


class Fate(Enum):
    """What became of a message. UNCERTAIN: it may have been accepted, so it must not be repeated unasked."""

    SENT = auto()
    LATER = auto()
    REFUSED = auto()
    UNCERTAIN = auto()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A fate, and why in words for administrators."""

    fate: Fate
    reason: str = ""


def deliver(message: EmailMessage) -> Delivery:
    """Send a message to its one recipient. Never raises for what a mail server or a network does."""
    backend = get_connection()
    if isinstance(backend, EmailBackend):
        return _by_smtp(backend, message)
    return _by_other(backend, message)


def _by_smtp(backend: EmailBackend, message: EmailMessage) -> Delivery:
    """One SMTP transaction, step by step: `sendmail` hides whether a broken connection had carried the message."""
    (recipient,) = message.recipients()
    encoding = message.encoding or "utf-8"
    addresses = [parseaddr(sanitize_address(one, str(encoding)))[1] for one in (message.from_email, recipient)]
    content = b"\r\n".join(message.message().as_bytes().splitlines())
    try:
        try:
            backend.open()
        except OSError as error:  # also a refused greeting or password: our trouble, not the recipient's
            return Delivery(Fate.LATER, f"The mail server cannot be reached: {_words(error)}")
        connection = backend.connection
        if connection is None:
            return Delivery(Fate.LATER, "The mail server cannot be reached.")
        return _transaction(connection, addresses[0], addresses[1], content)
    finally:
        with suppress(OSError):
            backend.close()


def _transaction(connection: smtplib.SMTP, sender: str, recipient: str, content: bytes) -> Delivery:
    try:
        connection.ehlo_or_helo_if_needed()
        for step, address in ((connection.mail, sender), (connection.rcpt, recipient)):
            code, reply = step(address)
            if not 200 <= code < 300:
                return _refusal(code, reply)
    except OSError as error:
        return Delivery(Fate.LATER, f"The connection broke before the message was handed over: {_words(error)}")
    try:
        code, reply = connection.data(content)
    except smtplib.SMTPDataError as error:  # the server said no before it saw the message
        return _refusal(error.smtp_code, error.smtp_error)
    except OSError as error:
        return Delivery(Fate.UNCERTAIN, f"The connection broke while the message was handed over: {_words(error)}")
    return Delivery(Fate.SENT) if code == _ACCEPTED else _refusal(code, reply)


def _refusal(code: int, reply: bytes | str) -> Delivery:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    reason = f"The mail server answered {code} {text}"
    if code == -1:  # smtplib's word for an empty answer
        return Delivery(Fate.LATER, "The mail server answered nothing.")
    return Delivery(Fate.REFUSED if code >= _PERMANENT else Fate.LATER, reason)


def _by_other(backend: BaseEmailBackend, message: EmailMessage) -> Delivery:
    """Files, memory, the console, providers' interfaces: all or nothing, and a failure says nothing about which."""
    try:
        sent = backend.send_messages([message])
    except Exception as error:  # backends raise what they like, and the outcome has to be written down
        return Delivery(Fate.UNCERTAIN, f"The mail backend failed: {_words(error)}")
    return Delivery(Fate.SENT) if sent else Delivery(Fate.LATER, "The mail backend sent nothing.")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
