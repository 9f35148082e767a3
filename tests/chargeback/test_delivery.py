"""What a mail server, a network or a backend does to a mail, and what the outbox makes of it."""

import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from analytics.chargeback import outbox
from analytics.models import OutboxMail
from teams.models import Organization, Team
from tests.chargeback.postoffice import DROP, HANG, PostOffice
from tests.chargeback.scene import LATER, OCTOBER, close, day, mails, spend, subscribe

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ANN, BOB, EVE = "ann@acme.example", "bob@acme.example", "eve@acme.example"


@pytest.fixture(autouse=True)
def statement(acme: Organization, search: Team) -> None:
    """One statement, to be mailed to three people."""
    spend(acme, day(10), "3", team="Search")
    subscribe(search, ANN, BOB, EVE)
    close(acme, OCTOBER)


def states() -> list[str]:
    """Of the mails to Ann, Bob and Eve."""
    return [state for _, state, _ in mails()]


def reasons() -> set[str]:
    return set(OutboxMail.objects.values_list("error", flat=True))


def test_what_is_accepted_is_sent_once_to_each_alone(office: PostOffice) -> None:
    assert outbox.send_due(LATER) == 3
    assert outbox.send_due(LATER + HOUR) == 0
    assert office.recipients == [[ANN], [BOB], [EVE]]
    assert mails() == [(ANN, "sent", 1), (BOB, "sent", 1), (EVE, "sent", 1)]
    for mail in OutboxMail.objects.all():
        assert office.copies[mail.message_id] == 1
        assert (mail.lease_until, mail.error) == (None, "")
        assert mail.sent_at is not None
        assert mail.sent_at >= LATER
    assert [message["To"] for message in office.messages] == [ANN, BOB, EVE]


@pytest.mark.parametrize("answer", ["421 closing", "450 busy", "451 later", "452 full", DROP, HANG, "what?"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_trouble_before_the_message_is_tried_again(
    office: PostOffice, settings: Settings, step: str, answer: str
) -> None:
    settings.EMAIL_TIMEOUT = 0.1
    OutboxMail.objects.exclude(recipient=ANN).delete()
    wanted = OutboxMail.objects.get().message_id
    office.answer(step, answer)
    assert outbox.send_due(LATER) == 0
    assert mails() == [(ANN, "pending", 1)]
    assert reasons() != {""}
    assert office.envelopes == []
    office.answers.clear()
    settings.EMAIL_TIMEOUT = 20
    assert outbox.send_due(LATER + timedelta(minutes=4)) == 0
    assert outbox.send_due(LATER + HOUR) == 1
    assert mails() == [(ANN, "sent", 2)]
    assert dict(office.copies) == {wanted: 1}
    assert reasons() == {""}


@pytest.mark.parametrize("answer", ["421 closing", "452 full"])
def test_a_temporary_refusal_of_the_message_is_tried_again(office: PostOffice, answer: str) -> None:
    office.answer("CONTENT", answer)
    assert outbox.send_due(LATER) == 0
    assert states() == ["pending"] * 3
    office.answers.clear()
    assert outbox.send_due(LATER + HOUR) == 3
    assert set(office.copies.values()) == {2}


@pytest.mark.parametrize("step", ["RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize("answer", ["550 5.1.1 no such person", "554 policy"])
def test_a_refusal_of_one_is_final_and_the_others_get_theirs(office: PostOffice, step: str, answer: str) -> None:
    office.answer(step, answer, to=BOB)
    assert outbox.send_due(LATER) == 2
    assert mails() == [(ANN, "sent", 1), (BOB, "failed", 1), (EVE, "sent", 1)]
    assert OutboxMail.objects.get(recipient=BOB).error == f"The mail server answered {answer}"
    office.answers.clear()
    assert outbox.send_due(LATER + 24 * HOUR) == 0


@pytest.mark.parametrize("answer", [DROP, HANG, "what?", "354 go on"])
def test_no_clear_answer_to_the_message_is_not_repeated(office: PostOffice, settings: Settings, answer: str) -> None:
    settings.EMAIL_TIMEOUT = 1
    office.answer("CONTENT", answer, to=BOB)
    assert outbox.send_due(LATER) == 2
    assert mails() == [(ANN, "sent", 1), (BOB, "uncertain", 1), (EVE, "sent", 1)]
    office.answers.clear()
    assert outbox.send_due(LATER + 24 * HOUR) == 0
    assert office.recipients == [[ANN], [BOB], [EVE]]
    assert OutboxMail.objects.get(recipient=BOB).error.startswith(
        ("The connection broke while", "The mail server took")
    )


def test_any_positive_answer_to_the_message_means_accepted(office: PostOffice) -> None:
    office.answer("CONTENT", "251 it will be forwarded")
    assert outbox.send_due(LATER) == 3
    assert states() == ["sent"] * 3


def test_a_closed_port_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, so that nobody else listens there, and not listening
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()
        assert outbox.send_due(LATER) == 0
    assert states() == ["pending"] * 3
    assert all(reason.startswith("The mail server cannot be reached: ConnectionRefusedError") for reason in reasons())


@pytest.mark.parametrize(
    ("name", "value"),
    [("EMAIL_HOST_USER", "portal"), ("EMAIL_USE_TLS", True)],
    ids=["no login offered", "no encryption offered"],
)
def test_a_server_that_does_not_offer_what_the_settings_ask_for(
    office: PostOffice, settings: Settings, name: str, value: Any
) -> None:
    settings.EMAIL_HOST_PASSWORD = "secret"
    setattr(settings, name, value)
    assert outbox.send_due(LATER) == 0
    assert states() == ["pending"] * 3
    assert office.attempts == 0


def test_pauses_grow_for_five_days_then_it_is_given_up(office: PostOffice) -> None:
    OutboxMail.objects.exclude(recipient=ANN).delete()
    office.answer("RCPT", "451 later")
    at, pauses = LATER, []
    while states() == ["pending"]:
        assert outbox.send_due(at) == 0
        mail = OutboxMail.objects.get()
        assert mail.not_before is not None
        pauses.append((mail.not_before - at) // timedelta(minutes=1))
        at = mail.not_before
    assert pauses[:-1] == [5, 10, 20, 40, 80, 160, 320, *[360] * 16]
    assert mails() == [(ANN, "failed", 24)]
    assert office.attempts == 24
    assert at - LATER > timedelta(days=4)


def test_what_a_server_says_is_kept_on_one_line(office: PostOffice) -> None:
    office.answer("RCPT", "550-no such\r\n550 person\x00 here " + "x" * 600)
    assert outbox.send_due(LATER) == 0
    assert reasons() == {("The mail server answered 550 no such person here " + "x" * 600)[:500]}


def test_lines_that_begin_with_a_dot_arrive_whole(office: PostOffice, search: Team) -> None:
    """A dot alone would end the message, were it not doubled on the way."""
    Organization.objects.update(name=".")
    Team.objects.filter(pk=search.pk).update(name="a\n.\n..b\nQUIT")
    spend(Organization.objects.get(), day(11), "3", team="a\n.\n..b\nQUIT")
    OutboxMail.objects.all().delete()
    close(Organization.objects.get(), day(11).date().replace(day=1))
    assert outbox.send_due(LATER) == 3
    for message in office.messages:
        body = message.get_body(("plain",))
        assert body is not None
        assert body.get_content().splitlines()[:4] == ["a", ".", "..b", "QUIT: LLM usage in November 2026"]


def test_files_are_written(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    assert outbox.send_due(LATER) == 3
    assert states() == ["sent"] * 3
    written = "".join(path.read_text() for path in (tmp_path / "mail").iterdir())
    for mail in OutboxMail.objects.all():
        assert written.count(f"Message-ID: {mail.message_id}") == 1
        assert written.count(f"To: {mail.recipient}") == 1


def test_a_backend_that_cannot_be_used_is_tried_again(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    (tmp_path / "mail").write_text("a file, where a folder should be")
    assert outbox.send_due(LATER) == 0
    assert states() == ["pending"] * 3
    (tmp_path / "mail").unlink()
    assert outbox.send_due(LATER + HOUR) == 3


def test_a_backend_that_fails_while_it_sends_leaves_it_open(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    assert outbox.send_due(LATER) == 0
    assert states() == ["uncertain"] * 3
    assert reasons() == {"The mail backend failed: RuntimeError: no connection"}


class Failing:
    """A provider's interface that breaks."""

    def __init__(self, **settings: Any) -> None:
        pass

    def send_messages(self, messages: list[Any]) -> int:
        raise RuntimeError("no connection")
