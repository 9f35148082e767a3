"""The outbox: who gets a mail, how often, and what becomes of one whose sender vanished."""

import logging
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections

from analytics.chargeback import outbox
from analytics.models import OutboxMail, Statement
from analytics.tasks import send_due_mail
from teams.models import AuditEntry, Organization, ReportRecipient, Team, User
from tests import make
from tests.chargeback.postoffice import DROP, PostOffice
from tests.chargeback.scene import LATER, OCTOBER, at_once, close, day, mails, spend, subscribe

ANN, BOB = "ann@acme.example", "bob@acme.example"
MINUTE = timedelta(minutes=1)
AFTER_LEASE = LATER + outbox.LEASE + MINUTE


def mailed(organization: Organization, *addresses: str) -> None:
    """A statement of October for the team Search, waiting for these."""
    team, _ = Team.objects.get_or_create(organization=organization, name="Search")
    spend(organization, day(10), "3", team="Search")
    subscribe(team, *addresses)
    close(organization, OCTOBER)


def put(state: str, lease_until: datetime | None = None) -> OutboxMail:
    """The only mail, brought into that state."""
    OutboxMail.objects.update(state=state, lease_until=lease_until, tries=1, error="why")
    return OutboxMail.objects.get()


@pytest.mark.django_db
def test_a_lease_that_ran_out_leaves_it_open(acme: Organization, office: PostOffice) -> None:
    mailed(acme, ANN)
    put("sending", LATER)
    assert outbox.send_due(LATER) == 0
    assert mails() == [(ANN, "sending", 1)]
    assert outbox.send_due(LATER + MINUTE) == 0
    assert mails() == [(ANN, "uncertain", 1)]
    assert OutboxMail.objects.get().error == "The process that sent it stopped before noting how."
    assert outbox.send_due(LATER + timedelta(days=30)) == 0
    assert office.attempts == 0


@pytest.mark.django_db
@pytest.mark.parametrize("persona", ["owner", "admin", "finance", None])
@pytest.mark.parametrize("state", ["failed", "uncertain"])
def test_failed_and_uncertain_mails_are_sent_again(
    acme: Organization, office: PostOffice, request: pytest.FixtureRequest, persona: str | None, state: str
) -> None:
    actor: User | None = request.getfixturevalue(persona) if persona else None
    mailed(acme, ANN)
    mail = put(state)
    assert outbox.send_again(actor=actor, mail=mail, now=LATER)
    assert mails() == [(ANN, "pending", 0)]
    assert list(
        AuditEntry.objects.exclude(action="month.close").values_list(
            "organization", "actor", "action", "target", "details"
        )
    ) == [(acme.pk, actor and actor.pk, "outboxmail.send_again", str(mail), {"before": state})]
    assert outbox.send_due(LATER) == 1
    assert mails() == [(ANN, "sent", 1)]
    assert dict(office.copies) == {mail.message_id: 1}


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["pending", "sending", "sent"])
def test_others_are_not(acme: Organization, owner: User, state: str) -> None:
    mailed(acme, ANN)
    mail = put(state, LATER + MINUTE)
    before = list(OutboxMail.objects.values())
    assert not outbox.send_again(actor=owner, mail=mail, now=LATER)
    assert list(OutboxMail.objects.values()) == before
    assert not AuditEntry.objects.exclude(action="month.close").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("persona", ["manager", "viewer", "member", "outsider", "nobody"])
def test_only_those_who_manage_chargeback_send_again(
    acme: Organization, request: pytest.FixtureRequest, persona: str
) -> None:
    actor = request.getfixturevalue(persona)
    mailed(acme, ANN)
    mail = put("failed")
    with pytest.raises(PermissionDenied):
        outbox.send_again(actor=actor, mail=mail, now=LATER)
    assert mails() == [(ANN, "failed", 1)]
    assert not AuditEntry.objects.exclude(action="month.close").exists()


@pytest.mark.django_db
def test_who_was_removed_from_the_team_gets_nothing(acme: Organization, office: PostOffice) -> None:
    mailed(acme, ANN, BOB, "Eve@Acme.example")
    ReportRecipient.objects.filter(email=BOB).delete()
    ReportRecipient.objects.filter(email="Eve@Acme.example").update(email="eve@acme.example")  # the same address
    subscribe(make.team(acme, "Ads"), BOB)
    assert outbox.send_due(LATER) == 2
    assert mails() == [("Eve@Acme.example", "sent", 1), (ANN, "sent", 1), (BOB, "failed", 1)]
    assert office.recipients == [["Eve@Acme.example"], [ANN]]
    mail = OutboxMail.objects.get(recipient=BOB)
    assert mail.error == "The address is no longer a recipient of the team."
    assert outbox.send_again(actor=None, mail=mail, now=LATER)
    assert outbox.send_due(LATER) == 0
    assert OutboxMail.objects.get(recipient=BOB).state == "failed"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "ann@acme.example, spy@rival.example",
        "ann@acme.example,spy@rival.example",
        "ann@acme.example\nBcc: spy@rival.example",
        "ann@acme.example\r\nRCPT TO:<spy@rival.example>",
        "Ann <ann@acme.example>",
        "ann@acme.example>\r\nDATA",
        '"ann@acme.example,"@rival.example',
        "ann",
        "ann@acme",
        "ann@acme..example",
        "",
    ],
)
def test_what_is_no_plain_address_gets_nothing(acme: Organization, office: PostOffice, address: str) -> None:
    mailed(acme, BOB)
    ReportRecipient.objects.update(email=address)
    OutboxMail.objects.update(recipient=address)
    assert outbox.send_due(LATER) == 0
    assert mails() == [(address, "failed", 1)]
    assert OutboxMail.objects.get().error in {"This is not an e-mail address.", "This is not a plain e-mail address."}
    assert office.attempts == 0


@pytest.mark.django_db
def test_an_international_domain_is_written_in_ascii(acme: Organization, office: PostOffice) -> None:
    mailed(acme, "ann@bücher.example")
    assert outbox.send_due(LATER) == 1
    assert office.recipients == [["ann@xn--bcher-kva.example"]]


@pytest.mark.django_db
def test_a_statement_that_cannot_be_written_does_not_keep_others_waiting(
    acme: Organization, office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    mailed(acme, ANN)
    organization = make.organization("second")
    mailed(organization, BOB)
    Statement.objects.filter(period__organization=acme).update(document={"format": 2})
    with caplog.at_level(logging.ERROR):
        assert outbox.send_due(LATER) == 1
    assert mails() == [(ANN, "pending", 1), (BOB, "sent", 1)]
    assert OutboxMail.objects.get(recipient=ANN).error == "The message cannot be made: KeyError: 'number'"
    assert office.recipients == [[BOB]]


@pytest.mark.django_db
def test_the_scheduled_task_sends(acme: Organization, office: PostOffice) -> None:
    mailed(acme, ANN, BOB)
    assert send_due_mail() == 2
    assert office.recipients == [[ANN], [BOB]]


@pytest.mark.django_db(transaction=True)
def test_several_that_send_at_once_deliver_each_mail_once(office: PostOffice) -> None:
    addresses = [f"person-{number:02}@acme.example" for number in range(12)]
    mailed(make.organization("acme"), *addresses)
    done = at_once(*[lambda: outbox.send_due(LATER)] * 4)
    assert sum(done) == 12
    assert mails() == [(address, "sent", 1) for address in addresses]
    assert office.recipients == [[address] for address in addresses]
    assert dict(office.copies) == dict.fromkeys(OutboxMail.objects.values_list("message_id", flat=True), 1)


class Sender(Thread):
    """Another process that sends, up to the gate of the post office."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self.now, self.there, self.opens, self.accepted = now, Event(), Event(), -1

    def run(self) -> None:
        try:
            self.accepted = outbox.send_due(self.now)
        finally:
            connections.close_all()

    def reach(self) -> None:
        """Start, and return when the mail server has the message and has not answered."""
        self.start()
        assert self.there.wait(20)

    def finish(self) -> int:
        """Let the server answer; how many it accepted."""
        self.opens.set()
        self.join(20)
        return self.accepted


@pytest.mark.django_db(transaction=True)
def test_while_one_sends_nobody_else_does_and_the_outcome_may_come_late(office: PostOffice) -> None:
    mailed(make.organization("acme"), ANN)
    slow = Sender(LATER)
    office.hold((slow.there, slow.opens, ""))
    slow.reach()
    assert mails() == [(ANN, "sending", 1)]  # committed before it is sent, and no lock is held meanwhile
    assert outbox.send_due(LATER + MINUTE) == 0
    assert outbox.send_due(AFTER_LEASE) == 0
    assert mails() == [(ANN, "uncertain", 1)]
    assert slow.finish() == 1
    assert mails() == [(ANN, "sent", 1)]
    assert OutboxMail.objects.get().error == ""
    assert set(office.copies.values()) == {1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("late", ["", "451 later", "550 no", DROP])
@pytest.mark.parametrize(("answer", "state"), [("", "sent"), (DROP, "uncertain")])
def test_the_outcome_of_a_lost_sender_does_not_touch_the_next_one(
    office: PostOffice, late: str, answer: str, state: str
) -> None:
    """Sent again after the lease of the first ran out: what the first one says now is about another attempt."""
    mailed(make.organization("acme"), ANN)
    lost, second = Sender(LATER), Sender(AFTER_LEASE)
    office.hold((lost.there, lost.opens, late), (second.there, second.opens, answer))
    lost.reach()
    assert outbox.send_due(AFTER_LEASE) == 0
    assert outbox.send_again(actor=None, mail=OutboxMail.objects.get(), now=AFTER_LEASE)
    second.reach()
    lost.finish()
    assert mails() == [(ANN, "sending", 1)]
    second.finish()
    assert mails() == [(ANN, state, 1)]
    assert outbox.send_due(AFTER_LEASE + timedelta(days=1)) == 0
    assert sum(office.copies.values()) == 2
