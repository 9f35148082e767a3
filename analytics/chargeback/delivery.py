"""Handing one message to the mail server of Django's settings, and saying honestly what became of it."""

import re
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

_GO_AHEAD: Final = 354
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
    """Send a message to its one recipient. Never raises for what a mail server, a network or a backend does."""
    try:
        backend = get_connection()
    except Exception as error:  # backends raise what they like when their settings do not fit
        return Delivery(Fate.LATER, f"The mail backend cannot be used: {_words(error)}")
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
        refusal = _announce(connection, sender, recipient)
    except OSError as error:
        return Delivery(Fate.LATER, f"The connection broke before the message was handed over: {_words(error)}")
    return refusal or _hand_over(connection, content)


def _announce(connection: smtplib.SMTP, sender: str, recipient: str) -> Delivery | None:
    """Everything before the message; None when the server is ready for it."""
    connection.ehlo_or_helo_if_needed()
    for step, address in ((connection.mail, sender), (connection.rcpt, recipient)):
        code, reply = step(address)
        if not 200 <= code < 300:
            return _refusal(code, reply)
    code, reply = connection.docmd("DATA")
    return None if code == _GO_AHEAD else _refusal(code, reply)


def _hand_over(connection: smtplib.SMTP, content: bytes) -> Delivery:
    """The message itself: from its first byte to a clear answer it may have arrived."""
    try:
        connection.send(_ended(content))
        code, reply = connection.getreply()
    except OSError as error:
        return Delivery(Fate.UNCERTAIN, f"The connection broke while the message was handed over: {_words(error)}")
    if 200 <= code < 300:
        return Delivery(Fate.SENT)
    if 400 <= code < 600:
        return _refusal(code, reply)
    return Delivery(Fate.UNCERTAIN, f"The mail server took the message and answered {_said(code, reply)}")


def _ended(content: bytes) -> bytes:
    """The lines as they go over the wire: a dot before those that begin with one, and one alone at the end."""
    return re.sub(rb"(?m)^\.", b"..", content) + b"\r\n.\r\n"


def _refusal(code: int, reply: bytes) -> Delivery:
    fate = Fate.REFUSED if code >= _PERMANENT else Fate.LATER
    return Delivery(fate, f"The mail server answered {_said(code, reply)}")


def _said(code: int, reply: bytes) -> str:
    """The answer in words; smtplib gives -1 for what is none."""
    return f"{code} {reply.decode(errors='replace')}" if code >= 0 else "with something that is no SMTP answer."


def _by_other(backend: BaseEmailBackend, message: EmailMessage) -> Delivery:
    """Files, memory, the console, providers' interfaces: all or nothing, and a failure says nothing about which."""
    try:
        sent = backend.send_messages([message])
    except Exception as error:  # backends raise what they like, and the outcome has to be written down
        return Delivery(Fate.UNCERTAIN, f"The mail backend failed: {_words(error)}")
    return Delivery(Fate.SENT) if sent else Delivery(Fate.LATER, "The mail backend sent nothing.")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
