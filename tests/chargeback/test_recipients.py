"""Pages of recipients, the link to unsubscribe, previews and tests, the outbox for finance."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from analytics.budgets import anomaly_watches, notices
from analytics.chargeback import outbox
from analytics.chargeback.digests import making
from analytics.chargeback.recipients import MOST_TESTS
from analytics.models import AnomalyWatch, OutboxMail
from teams.models import AuditEntry, Organization, ReportRecipient, Team, User
from teams.services import recipients
from tests import make
from tests.budgets import scene as budgets
from tests.chargeback.postoffice import PostOffice
from tests.chargeback.scene import LATER, OCTOBER, close, day, mails, spend
from tests.chargeback.test_mail import text_of
from tests.chargeback.test_summaries import MONDAY, choose

pytestmark = pytest.mark.django_db
BOSS = "boss@acme.example"


def page(client: Client, person: User, path: str = "", **sent: Any) -> Any:
    """What a person gets below the statements of acme; POST when something is sent."""
    client.force_login(person)
    address = f"/o/acme/statements/{path}"
    return client.post(address, sent) if sent else client.get(address)


def rows(team: Team) -> list[tuple[str, list[str], str]]:
    return [(one.email, one.kinds, one.attachment) for one in ReportRecipient.objects.filter(team=team)]


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("who", ["finance", "admin", "owner", "manager"])
def test_who_manages_recipients(request: pytest.FixtureRequest, client: Client, search: Team, who: str) -> None:
    person, path = request.getfixturevalue(who), f"recipients/{search.pk}/"
    added = page(client, person, path, email=" Boss@Acme.Example ", kind=["statement", "weekly"], attachment="none")
    assert added.status_code == 302
    assert rows(search) == [(BOSS, ["statement", "weekly"], "none")]
    row = ReportRecipient.objects.get()
    page(client, person, f"{path}{row.pk}/change", kind=["daily"], attachment="csv")
    assert rows(search) == [(BOSS, ["daily"], "csv")]
    assert BOSS in page(client, person, path).content.decode()
    page(client, person, f"{path}{row.pk}/remove", go="1")
    assert rows(search) == []
    assert acts() == ["recipient.add", "recipient.change", "recipient.remove"]


def test_who_does_not(client: Client, viewer: User, manager: User, search: Team, ads: Team) -> None:
    for person, team in ((viewer, search), (manager, ads)):
        row = choose(team, "statement")
        for path in (f"{team.pk}/", f"{team.pk}/{row.pk}/change", f"{team.pk}/{row.pk}/remove", f"{team.pk}/test"):
            answer = page(client, person, f"recipients/{path}", email="x@acme.example", kind="daily", attachment="csv")
            assert answer.status_code == 403
        with pytest.raises(PermissionDenied):
            recipients.remove_recipient(actor=person, recipient=row)
        assert rows(team) == [(BOSS, ["statement"], "csv")]


def test_where_there_is_no_team_yet(client: Client) -> None:
    empty = make.organization("acme")
    answer = page(client, make.member(empty, "owner"), "recipients/")
    assert answer.status_code == 200
    assert "There is no team yet" in answer.content.decode()
    assert page(client, make.member(empty, "member"), "recipients/").status_code == 403


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"email": "no address"}, "This is not an e-mail address."),
        ({"email": "a@acme.example\nBcc: b@rival.example"}, "This is not an e-mail address."),
        ({"email": "A <a@acme.example>"}, "This is not an e-mail address."),
        ({"email": "BOSS@acme.example"}, "boss@acme.example is a recipient of Search already."),
        ({"email": "a@acme.example", "kind": "hourly"}, "Mails are of these kinds: statement, weekly, daily."),
        ({"email": "a@acme.example", "attachment": "exe"}, "A statement comes with one of: csv, "),
        (
            {"email": "a@rival.example"},
            "outside the domains to which mails of Acme Works may go: acme.example, b.example.",
        ),
        ({"email": "a@sub.acme.example"}, "outside the domains"),
    ],
)
def test_what_is_refused_changes_nothing(
    client: Client, finance: User, search: Team, sent: dict[str, str], words: str
) -> None:
    choose(search, "statement")
    page(client, finance, "mails/rules", domains="@acme.example, B.example", hour="7")
    answer = page(client, finance, f"recipients/{search.pk}/", **{"kind": "statement", "attachment": "csv"} | sent)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert rows(search) == [(BOSS, ["statement"], "csv")]


def test_members_may_be_recipients_whatever_their_domain(acme: Organization, search: Team) -> None:
    make.member(acme, email="freelancer@elsewhere.example")
    recipients.set_mail_rules(actor=None, organization=acme, domains="acme.example", hour=7)
    search.refresh_from_db()
    choose(search, "statement", email="freelancer@elsewhere.example")
    assert rows(search) == [("freelancer@elsewhere.example", ["statement"], "csv")]


@pytest.mark.parametrize(
    ("domains", "hour", "words"),
    [("acme", "7", "Not a domain such as example.com: acme"), ("acme.example <b>", "7", "&lt;b&gt;")]
    + [("", hour, "The hour of summaries is a whole number from 0 to 23.") for hour in ("24", "-1", "", "x", "7.5")],
)
def test_rules_that_cannot_be(
    acme: Organization, client: Client, finance: User, domains: str, hour: str, words: str
) -> None:
    answer = page(client, finance, "mails/rules", domains=domains, hour=hour)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    acme.refresh_from_db()
    assert (acme.mail_domains, acme.summary_hour) == ([], 7)


def test_each_receives_what_they_chose(acme: Organization, search: Team, office: PostOffice) -> None:
    choose(search, "statement", email="csv@acme.example")
    choose(search, "weekly", email="weekly@acme.example")
    row = choose(search, "statement", email="plain@acme.example")
    recipients.change_recipient(actor=None, recipient=row, kinds=["statement"], attachment="none", now=LATER)
    spend(acme, day(10), "3", team="Search")
    close(acme, OCTOBER)
    assert outbox.send_due(LATER) == 2
    attached = {str(one["To"]): len(list(one.iter_attachments())) for one in office.messages}
    assert attached == {"csv@acme.example": 1, "plain@acme.example": 0}
    plain = next(one for one in office.messages if one["To"] == "plain@acme.example")
    assert "CSV" not in text_of(plain, "plain") + text_of(plain, "html")


def link_of(message: Any) -> str:
    """The path of the link to unsubscribe: the same in header, text and HTML."""
    header = str(message["List-Unsubscribe"]).strip()  # folded: a link is longer than a line
    found = re.fullmatch(r"<http://127\.0\.0\.1:8000(/unsubscribe/\S+)>", header)
    assert found, header
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert all(found[1] in text_of(message, kind) for kind in ("plain", "html"))
    return found[1]


@pytest.mark.parametrize("kind", ["statement", "weekly", "daily"])
def test_unsubscribing_ends_that_kind_alone(acme: Organization, search: Team, office: PostOffice, kind: str) -> None:
    every = ["statement", "weekly", "daily"]
    choose(search, *every)
    choose(search, *every, email="other@acme.example")
    spend(acme, day(10), "3", team="Search")
    close(acme, OCTOBER)
    making.make_due(LATER)
    assert outbox.send_due(LATER) == 6
    of_kind = {"statement": "in October", "weekly": "from ", "daily": " on "}[kind]
    message = next(one for one in office.messages if one["To"] == BOSS and of_kind in one["Subject"])
    path, stranger = link_of(message), Client(enforce_csrf_checks=True)
    shown = stranger.get(path)
    assert shown.status_code == 200
    assert BOSS in shown.content.decode()
    assert rows(search)[0][1] == every  # reading ends nothing
    for _ in range(2):
        ended = stranger.post(path, {"List-Unsubscribe": "One-Click"})
        assert "You are unsubscribed" in ended.content.decode()
    left = [one for one in every if one != kind]
    assert rows(search) == [(BOSS, left, "csv"), ("other@acme.example", every, "csv")]
    assert acts().count("recipient.unsubscribe") == 1


def test_a_mail_that_waits_is_not_sent_after_unsubscribing(search: Team, office: PostOffice) -> None:
    row = choose(search, "daily")
    making.make_due(MONDAY)
    assert recipients.unsubscribe(recipient=row, kind="daily")
    assert outbox.send_due(MONDAY) == 0
    assert mails() == [(BOSS, "failed", 1)]
    assert office.attempts == 0


@pytest.mark.parametrize("change", ["forged", "cut", "other", "gone", "moved"])
def test_links_that_are_not_ours_are_like_unknown_ones(
    client: Client, search: Team, office: PostOffice, change: str
) -> None:
    row = choose(search, "daily")
    making.make_due(MONDAY)
    outbox.send_due(MONDAY)
    path = link_of(office.messages[0])
    body, _, signature = path.rpartition(":")
    paths = {"forged": f"{body}:{signature[::-1]}", "cut": path[:-1], "other": f"{body[:-4]}AAAA:{signature}"}
    if change == "gone":
        row.delete()
    elif change == "moved":
        ReportRecipient.objects.update(email="another@acme.example")
    address = paths.get(change, path)
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code == 404
        unknown = client.get("/unsubscribe/unknown")
        assert _plain(answer) == _plain(unknown)
    assert not AuditEntry.objects.filter(action="recipient.unsubscribe").exists()


def _plain(answer: Any) -> str:
    return re.sub(r'value="\w{64}"', "", answer.content.decode())


def test_notices_have_such_links_too(
    acme: Organization, search: Team, owner: User, finance: User, office: PostOffice, client: Client
) -> None:
    one = budgets.budget(acme, recipients=[owner.email, finance.email])
    budgets.spend(acme, "85")
    budgets.look()
    assert outbox.send_due(budgets.NOW) == 2
    path = link_of(next(one for one in office.messages if one["To"] == finance.email))
    assert "You are unsubscribed" in client.post(path).content.decode()
    one.refresh_from_db()
    assert one.recipients == [owner.email]
    assert acts()[-1] == "budget.unsubscribe"


def test_whoever_unsubscribed_from_days_that_stand_out_can_return(
    acme: Organization, finance: User, office: PostOffice, client: Client
) -> None:
    notice = notices.tell(
        organization=acme,
        team=None,
        budget=None,
        starts_on=OCTOBER,
        threshold=None,
        document={"kind": "anomaly", "subject": "A day", "path": "/o/acme/budgets/"},
        recipients=[finance.email],
        now=LATER,
    )
    assert outbox.send_due(LATER) == 1
    client.post(link_of(office.messages[0]))
    assert notices.why_not(notice, finance.email) == "The address is no longer told of days that stand out."
    assert AnomalyWatch.objects.get().enabled
    watch = AnomalyWatch.objects.get()
    anomaly_watches.set_watch(actor=finance, organization=acme, team=None, enabled=True, minimum=watch.minimum)
    assert anomaly_watches.recipients(acme, None) == [finance.email]


def test_preview_and_its_frame(acme: Organization, search: Team, manager: User, client: Client) -> None:
    Team.objects.filter(pk=search.pk).update(name="<script>alert(1)</script>")
    for kind in ("weekly", "daily"):
        shown = page(client, manager, f"recipients/{search.pk}/preview?kind={kind}").content.decode()
        assert "LLM usage" in shown
        assert "<script>alert" not in shown
    frame = page(client, manager, f"recipients/{search.pk}/html?kind=daily")
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "default-src 'none'" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" not in frame.content.decode()
    none = page(client, manager, f"recipients/{search.pk}/preview?kind=statement").content.decode()
    assert "was issued yet" in none
    assert page(client, manager, f"recipients/{search.pk}/html?kind=none").status_code == 404
    assert OutboxMail.objects.count() == 0


def test_a_test_goes_to_who_asks_and_counts_as_nothing(
    search: Team, manager: User, finance: User, client: Client
) -> None:
    choose(search, "daily")
    for _ in range(MOST_TESTS + 2):
        answer = page(client, manager, f"recipients/{search.pk}/test", kind="daily")
    assert [one.to for one in mail.outbox] == [[manager.email]] * MOST_TESTS
    sent = mail.outbox[0]
    assert sent.subject.startswith("[Test] Search: LLM usage on ")
    assert sent.body.startswith(f"This is a test that {manager.email} asked for.")
    assert isinstance(sent, EmailMultiAlternatives)
    assert f"This is a test that {manager.email} asked for." in str(sent.alternatives[0][0])
    assert OutboxMail.objects.count() == 0
    assert "At most 5 tests in an hour." in client.get(answer["Location"]).content.decode()
    page(client, finance, f"recipients/{search.pk}/test", kind="daily")  # others have their own
    assert len(mail.outbox) == MOST_TESTS + 1


def test_finance_sees_the_outbox_and_sends_again(
    acme: Organization, rival: Organization, search: Team, finance: User, client: Client
) -> None:
    choose(search, "daily")
    theirs = make.team(rival, "Theirs")
    choose(theirs, "daily", email="spy@rival.example")
    making.make_due(MONDAY)
    OutboxMail.objects.update(state="uncertain", error="The connection broke", tries=3)
    shown = page(client, finance, "mails/?state=uncertain").content.decode()
    assert all(one in shown for one in (BOSS, "The connection broke", "Daily summary"))
    assert "rival.example" not in shown
    assert BOSS not in page(client, finance, "mails/?state=sent").content.decode().partition("Rules")[0]
    ours, other = (OutboxMail.objects.get(organization=one).pk for one in (acme, rival))
    assert page(client, finance, f"mails/{other}/again", go="1").status_code == 404
    assert page(client, finance, f"mails/{ours}/again", go="1").status_code == 302
    assert [one.state for one in OutboxMail.objects.order_by("organization__slug")] == ["pending", "uncertain"]
    assert "nothing was changed" in client.post(f"/o/acme/statements/mails/{ours}/again", follow=True).content.decode()
