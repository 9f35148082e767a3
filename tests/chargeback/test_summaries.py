"""Weekly and daily summaries: due once whatever clocks and processes do, with the figures of the dashboard (T5, E1)."""

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from threading import Event

import pytest
from django.test import Client

from analytics.chargeback import outbox
from analytics.chargeback.digests import making
from analytics.chargeback.digests.due import newest
from analytics.models import Digest, OutboxMail
from ingestion.models import LLMModel
from teams.models import Organization, ReportRecipient, Team, User
from teams.services import recipients
from tests.budgets.scene import budget
from tests.chargeback.postoffice import PostOffice
from tests.chargeback.scene import at_once, mails, spend
from tests.chargeback.test_mail import SCRIPT, cells_of, text_of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""Half past seven in Berlin."""


def choose(team: Team, *kinds: str, email: str = "boss@acme.example", since: datetime = LONG_AGO) -> ReportRecipient:
    """A recipient who wants these alone."""
    return recipients.add_recipient(actor=None, team=team, email=email, kinds=kinds, attachment="csv", now=since)


def ring(start: datetime, end: datetime, step: timedelta = timedelta(minutes=30)) -> None:
    """The schedule from one instant to another."""
    while start < end:
        making.make_due(start)
        start += step


def made(kind: str = "daily") -> list[tuple[str, str]]:
    """Day or week of each summary, and when it was made."""
    found = Digest.objects.filter(kind=kind).order_by("at")
    return [(f"{one.starts_on}", f"{one.at:%d %H:%M}") for one in found]


@pytest.mark.parametrize(
    ("zone", "hour", "now", "day", "at"),
    [
        ("Europe/Berlin", 7, "2026-11-24T05:59", "2026-11-22", "2026-11-23T06:00"),
        ("Europe/Berlin", 7, "2026-11-24T06:00", "2026-11-23", "2026-11-24T06:00"),
        ("Europe/Berlin", 2, "2026-03-29T12:00", "2026-03-28", "2026-03-29T01:00"),  # two o'clock does not exist
        ("Europe/Berlin", 2, "2026-10-25T00:30", "2026-10-24", "2026-10-25T00:00"),  # it comes twice: the first
        ("Europe/Berlin", 2, "2026-10-25T01:30", "2026-10-24", "2026-10-25T00:00"),
        ("America/Santiago", 0, "2026-09-06T12:00", "2026-09-05", "2026-09-06T04:00"),  # midnight does not exist
        ("Asia/Kathmandu", 7, "2026-11-24T01:15", "2026-11-23", "2026-11-24T01:15"),
        ("UTC", 7, "2028-03-01T08:00", "2028-02-29", "2028-03-01T07:00"),
        ("UTC", 7, "2026-11-01T08:00", "2026-10-31", "2026-11-01T07:00"),
    ],
)
def test_when_a_daily_one_is_due(zone: str, hour: int, now: str, day: str, at: str) -> None:
    due = newest("daily", zone, hour, datetime.fromisoformat(f"{now}+00:00"))
    assert (f"{due.span.first}", f"{due.at:%Y-%m-%dT%H:%M}") == (day, at)


def test_weekly_ones_are_due_on_mondays() -> None:
    assert newest("weekly", "Europe/Berlin", 7, MONDAY - timedelta(hours=1)).span.first == date(2026, 11, 9)
    due = newest("weekly", "Europe/Berlin", 7, MONDAY)
    assert (due.span.first, due.span.range.end) == (date(2026, 11, 16), datetime(2026, 11, 22, 23, tzinfo=UTC))


@pytest.mark.django_db
@pytest.mark.parametrize(("month", "day"), [(3, 27), (10, 23), (2, 26), (12, 29)])
def test_every_day_has_one_through_both_switches_of_the_clock(
    acme: Organization, search: Team, month: int, day: int
) -> None:
    choose(search, "daily")
    start = datetime(2028, month, day, 12, tzinfo=UTC)
    Organization.objects.update(summary_hour=2)
    ring(start, start + timedelta(days=4), timedelta(minutes=45))
    found = [one for one, _ in made()]
    assert found == [f"{(start + timedelta(days=back)).date()}" for back in range(-1, 4)]


@pytest.mark.django_db
def test_what_was_missed_is_caught_up_once_and_no_flood(acme: Organization, search: Team) -> None:
    choose(search, "daily", "weekly")
    ring(MONDAY - timedelta(days=2), MONDAY - timedelta(hours=5))
    ring(MONDAY + timedelta(hours=5), MONDAY + timedelta(hours=7))  # down at seven
    ring(MONDAY + timedelta(days=4, hours=3), MONDAY + timedelta(days=4, hours=6))  # down for days
    assert made() == [
        ("2026-11-20", "21 06:30"),
        ("2026-11-21", "22 06:00"),
        ("2026-11-22", "23 11:30"),
        ("2026-11-26", "27 09:30"),
    ]
    assert [day for day, _ in made("weekly")] == ["2026-11-09", "2026-11-16"]


@pytest.mark.django_db
def test_nobody_receives_what_was_due_before_they_chose_it(acme: Organization, search: Team, ads: Team) -> None:
    choose(search, "daily", since=MONDAY)
    choose(ads, "daily", email="early@acme.example")
    choose(ads, "daily", email="late@acme.example", since=MONDAY)
    choose(ads, "statement", email="months@acme.example")
    making.make_due(MONDAY)
    assert [mail.recipient for mail in OutboxMail.objects.all()] == ["early@acme.example"]
    making.make_due(MONDAY + timedelta(days=1))
    assert [mail.recipient for mail in OutboxMail.objects.all()][1:].count("late@acme.example") == 1
    assert Digest.objects.filter(team=search).count() == 1


@pytest.mark.django_db(transaction=True)
def test_several_schedulers_at_once_make_one(acme: Organization, search: Team, office: PostOffice) -> None:
    for number in range(3):
        choose(search, "daily", "weekly", email=f"{number}@acme.example")
    spend(acme, MONDAY - timedelta(days=1), "2", team="Search")
    at_once(*[lambda: making.make_due(MONDAY)] * 4)
    assert Digest.objects.count() == 2
    at_once(*[lambda: outbox.send_due(MONDAY)] * 3)
    assert mails() == [(f"{number}@acme.example", "sent", 1) for number in range(3) for _ in range(2)]
    assert set(office.copies.values()) == {1}
    assert len(office.copies) == 6


@pytest.mark.django_db
def test_who_was_slower_makes_nothing(acme: Organization, search: Team) -> None:
    choose(search, "daily")
    slower = list(making._missing(acme, MONDAY))
    assert making.make_due(MONDAY) == 1
    assert [making._make(team, due, MONDAY) for team, due in slower] == [False]
    assert (Digest.objects.count(), OutboxMail.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_one_team_that_fails_keeps_its_day_for_the_next_try(
    acme: Organization, search: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(search, "daily")
    broken = Event()

    def fail(*_: object) -> None:
        broken.set()
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(making, "_mails", fail)
        assert making.make_due(MONDAY) == 0
    assert broken.is_set()
    assert Digest.objects.count() == 0
    assert making.make_due(MONDAY) == 1


@pytest.mark.django_db
def test_the_mail_says_what_the_dashboard_says(
    acme: Organization, search: Team, owner: User, office: PostOffice, client: Client
) -> None:
    for usd, model, back in (("12.345678", "gpt-5", 1), ("0.5", "claude", 2), (None, "mystery", 1), ("6", "gpt-5", 9)):
        spend(acme, MONDAY - timedelta(days=back), usd, team="Search", model=model, user=f"user of {model}")
    spend(acme, MONDAY - timedelta(days=1), "99", team="Ads")
    budget(acme, "50", name="Cap", team="Search")
    choose(search, "weekly")
    assert making.make_due(MONDAY) == 1
    message = deliver_at(office, MONDAY)
    assert message["Subject"] == "Search: LLM usage from 16 to 22 November 2026, at least $12.85"
    text, html = (text_of(message, kind) for kind in ("plain", "html"))
    assert "Cost           at least $12.85 (up 114.1 % on the week before)\n" in text
    assert "Requests       3 (up 200.0 % on the week before)\n" in text
    assert "1 request has no price and adds nothing to the cost." in text
    assert "  gpt-5: $12.35, 1 request\n" in text
    assert "  user of mystery: no price, 1 request\n" in text
    assert "  Cap, November 2026: at least $18.85 of $50.00 used, at least 37 %\n" in text
    cells = cells_of(html)
    assert [one for one in ("at least $12.85", "up 114.1 %", "gpt-5", "$12.35", "no price") if one not in cells] == []
    document = Digest.objects.get().document
    assert document["cost_usd"] == "12.845678"
    client.force_login(owner)
    page = client.get(document["path"])
    assert page.status_code == 200
    assert "at least $12.85" in page.content.decode()


def deliver_at(office: PostOffice, now: datetime) -> EmailMessage:
    """Send the only mail there is; what arrives."""
    assert outbox.send_due(now) == 1
    (message,) = office.messages
    return message


@pytest.mark.django_db
@pytest.mark.parametrize("name", [SCRIPT, "Search\r\nBcc: spy@rival.example\n\nbody", "{{ x }}{% now 'Y' %}"])
def test_no_name_gets_out_of_its_place(acme: Organization, search: Team, office: PostOffice, name: str) -> None:
    spend(acme, MONDAY - timedelta(days=1), "3", team="Search", model="gpt-5")
    Organization.objects.filter(pk=acme.pk).update(name=name)
    Team.objects.filter(pk=search.pk).update(name=name)
    LLMModel.objects.update(name=name)
    search.refresh_from_db()
    choose(search, "daily")
    making.make_due(MONDAY)
    message = deliver_at(office, MONDAY)
    assert office.recipients == [["boss@acme.example"]]
    assert "Bcc" not in message
    assert message["Subject"].startswith(" ".join(name.split())[:10])
    assert "<script" not in text_of(message, "html")


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["removed", "other mails", "domains"])
def test_the_right_is_asked_again_before_sending(
    acme: Organization, search: Team, office: PostOffice, way: str
) -> None:
    row = choose(search, "daily", email="x@partner.example")
    making.make_due(MONDAY)
    if way == "removed":
        recipients.remove_recipient(actor=None, recipient=row)
    elif way == "other mails":
        recipients.change_recipient(actor=None, recipient=row, kinds=["weekly"], attachment="csv", now=MONDAY)
    else:
        recipients.set_mail_rules(actor=None, organization=acme, domains="acme.example", hour=7)
    assert outbox.send_due(MONDAY) == 0
    assert mails() == [("x@partner.example", "failed", 1)]
    assert office.attempts == 0


@pytest.mark.django_db
def test_a_summary_stays_as_it_was_made(acme: Organization, search: Team, office: PostOffice) -> None:
    choose(search, "daily")
    making.make_due(MONDAY)
    first = deliver_at(office, MONDAY)
    spend(acme, MONDAY - timedelta(days=1), "3", team="Search")
    OutboxMail.objects.update(state="pending")
    office.envelopes.clear()
    again = deliver_at(office, MONDAY)
    assert first["Message-ID"] == again["Message-ID"]
    assert [text_of(first, kind) for kind in ("plain", "html")] == [text_of(again, kind) for kind in ("plain", "html")]
