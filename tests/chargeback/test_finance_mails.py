"""Mails about all teams: who may have them, once each, with the figures of the pages; a closed month is told."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client

from analytics.chargeback import outbox
from analytics.chargeback.digests import closed, making
from analytics.models import Digest, OutboxMail, Statement
from teams.models import AuditEntry, Membership, Organization, Team, User
from teams.services import finance_mails
from tests import make
from tests.budgets.scene import budget
from tests.chargeback.postoffice import PostOffice
from tests.chargeback.scene import LATER, OCTOBER, SEPTEMBER, at_once, close, day, mails, spend, subscribe
from tests.chargeback.test_mail import SCRIPT, cells_of, text_of
from tests.chargeback.test_recipients import link_of
from tests.chargeback.test_summaries import LONG_AGO, MONDAY, deliver_at

pytestmark = pytest.mark.django_db
EVERY = ["closed", "weekly", "daily"]


def wants(person: User, *kinds: str, since: Any = LONG_AGO) -> None:
    """Let a person of acme have these mails alone."""
    organization = Organization.objects.get(slug="acme")
    finance_mails.choose_mails(actor=person, organization=organization, kinds=kinds, now=since)


def kinds_of(person: User) -> list[str]:
    return Membership.objects.get(user=person, organization__slug="acme").mails


@pytest.mark.parametrize("who", ["owner", "admin", "finance"])
def test_who_sees_all_costs_chooses_for_themselves(
    request: pytest.FixtureRequest, client: Client, search: Team, who: str
) -> None:
    person, others = request.getfixturevalue(who), [User.objects.create(email="x@acme.example")]
    make.member(search.organization, "finance", email="y@acme.example")
    client.force_login(person)
    assert client.post("/o/acme/statements/mails/mine", {"kind": ["closed", "daily"]}).status_code == 302
    assert kinds_of(person) == ["closed", "daily"]
    page = client.get("/o/acme/statements/mails/").content.decode()
    assert re.findall(r'name="kind" value="(\w+)" checked', page) == ["closed", "daily"]
    client.post("/o/acme/statements/mails/mine", {"kind": ["weekly", "hourly"]})
    assert kinds_of(person) == ["closed", "daily"]
    client.post("/o/acme/statements/mails/mine", {})
    assert kinds_of(person) == []
    assert sum(len(one.mails) for one in Membership.objects.exclude(user=person)) == 0
    assert others[0].pk
    acts = AuditEntry.objects.filter(action="finance_mails.choose").order_by("pk")
    assert [one.details.get("kinds") for one in acts if "kinds" in one.details] == [["closed", "daily"], []]


def test_who_does_not(manager: User, member: User, outsider: User) -> None:
    for person in (manager, member, outsider):
        with pytest.raises(PermissionDenied):
            wants(person, "closed")
    assert not Membership.objects.filter(closings=True).exists()


def test_the_summary_says_what_the_dashboard_says(
    acme: Organization, search: Team, ads: Team, finance: User, office: PostOffice, client: Client
) -> None:
    spend(acme, MONDAY - timedelta(days=1), "12.345678", team="Search", model="gpt-5")
    spend(acme, MONDAY - timedelta(days=9), "6", team="Search", model="gpt-5")
    spend(acme, MONDAY - timedelta(days=1), "1", team="Ads", model="claude")
    spend(acme, MONDAY - timedelta(days=2), None, model="mystery")
    budget(acme, "20", name="Tight", team="Search")
    budget(acme, "500", name="Wide", team="Search")
    budget(acme, "10", name="Over", team="Search")
    wants(finance, "weekly")
    assert making.make_due(MONDAY) == 1
    message = deliver_at(office, MONDAY)
    assert message["Subject"] == f"{acme.name}: LLM usage from 16 to 22 November 2026, at least $13.35"
    assert office.recipients == [[finance.email]]
    text = text_of(message, "plain")
    assert "Cost           at least $13.35 (up 122.4 % on the week before)\n" in text
    assert "1 request has no price and adds nothing to the cost." in text
    tables = text[text.index("\nTeams\n") : text.index("\nThe same in")]
    assert re.findall(r"^  (.+)$", tables, re.M) == [
        "Search: $12.35 (up 105.8 %), 1 request",
        "Ads: $1.00 (new), 1 request",
        "Unassigned: no price, 1 request",
        "gpt-5: $12.35 (up 105.8 %), 1 request",
        "claude: $1.00 (new), 1 request",
        "mystery: no price, 1 request",
        "Over, November 2026: $18.35 of $10.00 used, 183 %",
        "Tight, November 2026: $18.35 of $20.00 used, 91 %",
    ]
    assert {"$12.35", "up 105.8 %", "new"} <= set(cells_of(text_of(message, "html")))
    document = Digest.objects.get().document
    assert document["cost_usd"] == "13.345678"
    client.force_login(finance)
    assert "at least $13.35" in client.get(document["path"]).content.decode()


def test_a_closed_month_is_told_with_the_sums_of_its_page(
    acme: Organization, search: Team, ads: Team, finance: User, owner: User, office: PostOffice, client: Client
) -> None:
    spend(acme, day(9), "10", team="Search")
    close(acme, SEPTEMBER)
    wants(finance, "closed")
    spend(acme, day(9), "0.5", team="Search")
    spend(acme, day(10), "120.333", team="Search")
    spend(acme, day(10), "7.00005", team="Ads")
    spend(acme, day(10), None, model="mystery")
    close(acme, OCTOBER)
    close(acme, OCTOBER)
    message = deliver_at(office, LATER)
    assert message["Subject"] == f"{acme.name}: October 2026 is closed, at least $127.83"
    text = text_of(message, "plain")
    numbers = dict(Statement.objects.filter(period__month=OCTOBER).values_list("team_name", "number"))
    assert re.findall(r"^  (.+)$", text, re.M) == [
        f"Search, {numbers['Search']}: $120.83 (up 11-fold on the month before), 2 requests",
        f"Ads, {numbers['Ads']}: $7.0000, 1 request",
        f"Unassigned, {numbers['Unassigned']}: no price, 1 request",
    ]
    assert "1 request has no price." in text
    assert "Total" in cells_of(text_of(message, "html"))
    document = Digest.objects.get().document
    assert document["cost_usd"] == "127.83305"
    client.force_login(finance)
    page = client.get(document["path"]).content.decode()
    assert "at least $127.83" in page
    assert "at least $127.83" in client.get("/o/acme/statements/").content.decode()


def test_many_teams_are_summed_up(
    acme: Organization, finance: User, monkeypatch: pytest.MonkeyPatch, search: Team, ads: Team
) -> None:
    monkeypatch.setattr(closed, "MOST_TEAMS", 1)
    wants(finance, "closed")
    for team, usd in (("Search", "5"), ("Ads", "3"), (None, "2")):
        spend(acme, day(10), usd, **({"team": team} if team else {}))
    close(acme, OCTOBER)
    document = Digest.objects.get().document
    assert [(one["name"], one["cost"]) for one in document["rows"]] == [
        ("Search", "$5.0000"),
        ("2 more teams", "$5.0000"),
    ]
    assert document["cost"] == "$10.0000"


def test_nobody_who_wants_it_no_row(acme: Organization, search: Team) -> None:
    subscribe(search, "boss@acme.example")
    spend(acme, day(10), "3", team="Search")
    close(acme, OCTOBER)
    assert not Digest.objects.exists()
    assert OutboxMail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_several_schedulers_at_once_make_one(acme: Organization, finance: User, owner: User) -> None:
    for person in (finance, owner):
        wants(person, *EVERY)
    spend(acme, day(10), "3")
    at_once(*[lambda: making.make_due(MONDAY)] * 3)
    at_once(*[lambda: close(acme, OCTOBER)] * 2)
    assert sorted(Digest.objects.filter(team=None).values_list("kind", flat=True)) == sorted(EVERY)
    assert Digest.objects.count() == 3
    assert mails() == sorted([(finance.email, "pending", 0)] * 3 + [(owner.email, "pending", 0)] * 3)


def test_nobody_has_what_was_due_before_they_chose_it(acme: Organization, finance: User, owner: User) -> None:
    wants(finance, "daily", since=MONDAY)
    wants(owner, "daily")
    making.make_due(MONDAY)
    assert mails() == [(owner.email, "pending", 0)]
    assert making.make_due(MONDAY) == 0


@pytest.mark.parametrize("way", ["role", "gone", "disabled", "other mails"])
def test_the_right_is_asked_again_before_sending(
    acme: Organization, finance: User, office: PostOffice, way: str
) -> None:
    wants(finance, "daily")
    making.make_due(MONDAY)
    if way == "role":
        Membership.objects.filter(user=finance).update(role="member")
    elif way == "gone":
        Membership.objects.filter(user=finance).delete()
    elif way == "disabled":
        User.objects.filter(pk=finance.pk).update(is_active=False)
    else:
        wants(finance, "closed")
    assert outbox.send_due(MONDAY) == 0
    assert mails() == [(finance.email, "failed", 1)]
    assert office.attempts == 0
    assert making.make_due(MONDAY + timedelta(days=1)) == 0


def test_unsubscribing_ends_that_kind_alone(acme: Organization, finance: User, office: PostOffice) -> None:
    for kind in EVERY:
        wants(finance, *EVERY)
        Digest.objects.all().delete()
        office.envelopes.clear()
        if kind == "closed":
            spend(acme, day(10), "3")
            close(acme, OCTOBER)
        else:
            making.make_due(MONDAY)
            OutboxMail.objects.exclude(digest__kind=kind).delete()
        path, stranger = link_of(deliver_at(office, LATER)), Client(enforce_csrf_checks=True)
        assert finance.email in stranger.get(path).content.decode()
        assert kinds_of(finance) == EVERY  # reading ends nothing
        assert "You are unsubscribed" in stranger.post(path, {"List-Unsubscribe": "One-Click"}).content.decode()
        assert kinds_of(finance) == [one for one in EVERY if one != kind]
    assert AuditEntry.objects.filter(action="finance_mails.unsubscribe").count() == 3


@pytest.mark.parametrize("kind", [*EVERY, "hourly"])
def test_previews_and_tests_store_nothing(acme: Organization, finance: User, client: Client, kind: str) -> None:
    spend(acme, day(10), "3")
    close(acme, OCTOBER)
    client.force_login(finance)
    page = client.get("/o/acme/statements/mails/preview", {"kind": kind})
    frame = client.get("/o/acme/statements/mails/html", {"kind": kind})
    client.post("/o/acme/statements/mails/test", {"kind": kind})
    assert page.status_code == 200
    if kind == "hourly":
        assert "There is no such mail." in page.content.decode()
        assert (frame.status_code, mail.outbox) == (404, [])
    else:
        assert "All teams" in frame.content.decode()
        assert "sandbox" in frame["Content-Security-Policy"]
        (message,) = mail.outbox
        assert (message.to, message.subject[:7]) == ([finance.email], "[Test] ")
    assert (Digest.objects.count(), OutboxMail.objects.count()) == (0, 0)


@pytest.mark.parametrize("kind", ["closed", "daily"])
@pytest.mark.parametrize("name", [SCRIPT, "Search\r\nBcc: spy@rival.example\n\nbody", "{{ x }}{% now 'Y' %}"])
def test_no_name_gets_out_of_its_place(
    acme: Organization, search: Team, finance: User, office: PostOffice, name: str, kind: str
) -> None:
    spend(acme, MONDAY - timedelta(days=1), "3", team="Search")
    spend(acme, day(10), "3", team="Search")
    Organization.objects.filter(pk=acme.pk).update(name=name)
    Team.objects.filter(pk=search.pk).update(name=name)
    acme.refresh_from_db()
    wants(finance, kind)
    making.make_due(MONDAY) if kind == "daily" else close(acme, OCTOBER)
    message = deliver_at(office, LATER)
    assert office.recipients == [[finance.email]]
    assert "Bcc" not in message
    assert "<script" not in text_of(message, "html")
    assert " ".join(name.split())[:10] in " ".join(text_of(message, "plain").split())
