"""A real SMTP server on the loopback interface that fails when and how a test says."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Event
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

DROP: Final = "drop"
"""The connection breaks instead of an answer."""
HANG: Final = "hang"
"""No answer ever comes."""

Answer = Callable[[Envelope], str]


class PostOffice:
    """What it took in, and what it answers at MAIL, RCPT, DATA (before the message) and CONTENT (after it).

    Whatever reached CONTENT counts as taken in, answered or not: a server that breaks down there may have kept it.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.envelopes: list[Envelope] = []
        self.attempts = 0

    def answer(self, step: str, text: str, *, to: str | None = None) -> None:
        """Answer so at that step from now on; `to` that recipient alone. "" is the usual answer."""
        self.answers[step] = lambda envelope: "" if to and to not in envelope.rcpt_tos else text

    def hold(self, *gates: tuple[Event, Event, str]) -> None:
        """Keep the first messages, each at a gate: say that it is there, wait until it opens, answer so."""
        waiting = list(gates)

        def answer(envelope: Envelope) -> str:
            if not waiting:
                return ""
            there, opens, text = waiting.pop(0)
            there.set()
            assert opens.wait(20)
            return text

        self.answers["CONTENT"] = answer

    @property
    def messages(self) -> list[EmailMessage]:
        """What was taken in, parsed as a mail program would."""
        return [message_from_bytes(one.original_content or b"", policy=policy.default) for one in self.envelopes]

    @property
    def recipients(self) -> list[list[str]]:
        """The recipients of each transaction, in alphabetical order."""
        return sorted(one.rcpt_tos for one in self.envelopes)

    @property
    def copies(self) -> Counter[str]:
        """How many times each Message-ID was taken in."""
        return Counter(str(one["Message-ID"]) for one in self.messages)

    async def say(self, server: SMTP, step: str, envelope: Envelope) -> str:
        """The answer at a step, "" for the usual one; breaks the connection or hangs when told so."""
        told = self.answers.get(step)
        text = await asyncio.to_thread(told, envelope) if told else ""
        if text == DROP and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        if text == HANG:
            await asyncio.sleep(3600)
        return text

    async def handle_MAIL(  # noqa: N802 - aiosmtpd finds hooks by these names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        envelope.mail_from = address
        return await self.say(server, "MAIL", envelope) or "250 OK"

    async def handle_RCPT(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await self.say(server, "RCPT", envelope) or "250 OK"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return await self.say(server, "CONTENT", envelope) or "250 OK"


class _Session(SMTP):
    """Says its word before the message too, for which aiosmtpd has no hook."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - as above
        office: _Counter = self.event_handler
        assert self.envelope is not None
        text = await office.say(self, "DATA", self.envelope)
        await (self.push(text) if text else super().smtp_DATA(arg))


class _Counter:
    """What aiosmtpd may see of the office: for each connection it reads every member of its handler, lists too."""

    def __init__(self, office: PostOffice) -> None:
        self.say = office.say
        self.handle_MAIL, self.handle_RCPT = office.handle_MAIL, office.handle_RCPT
        self.handle_DATA = office.handle_DATA


class Doors(Controller):
    """The office at a port that the system chose."""

    def __init__(self, office: PostOffice) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        super().__init__(_Counter(office), hostname="127.0.0.1", port=self.listener.getsockname()[1])

    def factory(self) -> SMTP:
        return _Session(self.handler, hostname="localhost")

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)
