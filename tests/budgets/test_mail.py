"""Mails of notices: through the outbox with all that it promises, hostile names as text, rights asked again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied

from analytics.chargeback import outbox
from analytics.models import OutboxMail
from teams.models import Membership, Organization, ReportRecipient, Team, User
from tests.budgets.scene import NOW, budget, change, look, spend
from tests.chargeback.postoffice import DROP, PostOffice
from tests.chargeback.scene import mails

HOSTILE = '<script>alert(1)</script>{{ x }} "=1+1"'


def told(organization: Organization, *recipients: str, **fields: Any) -> Any:
    one = budget(organization, recipients=list(recipients), **fields)
    spend(organization, "85", team=fields.get("team"))
    look()
    return one


@pytest.mark.django_db
def test_the_mail_says_what_the_dashboard_says(acme: Organization, finance: User, office: PostOffice) -> None:
    told(acme, finance.email, name=HOSTILE)
    assert outbox.send_due(NOW) == 1
    (message,) = office.messages
    assert message["Subject"] == f"Budget {HOSTILE}: 85 % of $100.00 used"
    assert (message["To"], message["Auto-Submitted"]) == (finance.email, "auto-generated")
    assert message["Message-ID"] == OutboxMail.objects.get().message_id
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert f"Budget {HOSTILE}: 85 %" in plain.get_content()
    assert "Used       $85.00, 85 %" in plain.get_content()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html.get_content()
    assert "<script" not in html.get_content()
    assert "/o/acme/budgets/" in html.get_content()


@pytest.mark.django_db
def test_one_message_for_each_recipient_and_one_refused_does_not_stop_the_other(
    acme: Organization, owner: User, finance: User, office: PostOffice
) -> None:
    told(acme, owner.email, finance.email)
    office.answer("RCPT", "550 no", to=owner.email)
    assert outbox.send_due(NOW) == 1
    assert mails() == [(finance.email, "sent", 1), (owner.email, "failed", 1)]
    assert outbox.send_due(NOW + timedelta(days=1)) == 0


@pytest.mark.django_db
def test_what_may_have_arrived_is_not_sent_again(acme: Organization, owner: User, office: PostOffice) -> None:
    told(acme, owner.email)
    office.answer("CONTENT", DROP)
    assert outbox.send_due(NOW) == 0
    assert mails() == [(owner.email, "uncertain", 1)]
    assert outbox.send_due(NOW + timedelta(days=2)) == 0
    assert len(office.envelopes) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["removed", "disabled", "left", "no role"])
def test_who_may_not_see_it_any_more_gets_nothing(
    acme: Organization, search: Team, viewer: User, owner: User, office: PostOffice, way: str
) -> None:
    one = told(acme, viewer.email, team="Search")
    if way == "removed":
        change(one, recipients=[owner.email])
    elif way == "disabled":
        get_user_model().objects.filter(pk=viewer.pk).update(is_active=False)
    elif way == "left":
        Membership.objects.filter(user=viewer).delete()
    else:
        viewer.team_memberships.all().delete()
    assert outbox.send_due(NOW) == 0
    assert [one for one in mails() if one[0] == viewer.email] == [(viewer.email, "failed", 1)]
    assert office.attempts == 0


@pytest.mark.django_db
def test_recipients_of_the_teams_statements_may_be_told(acme: Organization, search: Team, office: PostOffice) -> None:
    ReportRecipient.objects.create(team=search, email="head@search.example")
    told(acme, "HEAD@search.example", team="Search")
    assert outbox.send_due(NOW) == 1
    assert office.recipients == [["head@search.example"]]


@pytest.mark.django_db
def test_administrators_send_again_in_their_organization(
    acme: Organization, finance: User, outsider: User, office: PostOffice
) -> None:
    told(acme, finance.email)
    OutboxMail.objects.update(state="uncertain")
    mail = OutboxMail.objects.get()
    with pytest.raises(PermissionDenied):
        outbox.send_again(actor=outsider, mail=mail, now=NOW)
    assert outbox.send_again(actor=finance, mail=mail, now=NOW)
    assert outbox.send_due(NOW) == 1


@pytest.mark.django_db
def test_the_administration_shows_them_to_their_organization_alone(
    acme: Organization, rival: Organization, finance: User, client: Any
) -> None:
    told(acme, finance.email, name="Ours", webhook="https://hooks.example.com/")
    told(rival, name="Theirs", webhook="https://hooks.example.com/")
    client.force_login(finance)
    for name in ("budget", "notice", "webhookcall", "outboxmail"):
        page = client.get(f"/admin/analytics/{name}/")
        assert page.status_code == 200
        assert b"Ours" in page.content
        assert b"Theirs" not in page.content
