"""The pages of statements: who sees which, and what is on them."""

from typing import Final

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from analytics.chargeback import reading
from analytics.models import OutboxMail, Statement
from teams.access import nothing, scope_of_organization
from teams.models import Team, TeamMembership, User
from tests import pages
from tests.analytics.statements import HOSTILE, LATER, LIST, enter
from tests.analytics.world import HOSTILE as FORMULA
from tests.analytics.world import MEMBER, World

pytestmark = pytest.mark.usefixtures("kept_numbers", "december")
HEAD: Final = ["Team", "Requests", "Cost", "Statement", "E-mail"]


@pytest.mark.parametrize(
    ("persona", "listed", "own", "others"),
    [
        ("owner", 200, 200, 200),
        ("admin", 200, 200, 200),
        ("finance", 200, 200, 200),
        ("manager", 200, 200, 403),
        ("viewer", 200, 200, 403),
        ("member", 403, 403, 403),
        ("outsider", 404, 404, 404),
        ("nobody", 404, 404, 404),
        ("superuser", 404, 404, 404),
    ],
)
def test_who_may_open_what(
    persona: str,
    listed: int,
    own: int,
    others: int,
    numbers: dict[str, str],
    client: Client,
    request: pytest.FixtureRequest,
) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert client.get(LIST).status_code == listed
    for team, status in (("Search", own), ("Ads", others), ("Unassigned", others)):
        for suffix in ("/", "/csv", "/focus"):
            assert client.get(f"{LIST}{numbers[team]}{suffix}").status_code == status, (team, suffix)


def test_visitors_are_sent_to_sign_in_and_back(numbers: dict[str, str], client: Client) -> None:
    for path in (LIST, f"{LIST}{numbers['Search']}/", f"{LIST}{numbers['Search']}/csv", f"{LIST}absent/"):
        assert client.get(path)["Location"] == f"/sign-in?next={path}"


def test_not_yours_looks_like_not_there(numbers: dict[str, str], client: Client, outsider: User, finance: User) -> None:
    own, foreign = numbers["Search"], numbers["rival-team"]
    client.force_login(outsider)
    paths = [
        LIST,
        f"{LIST}{own}/",
        f"{LIST}{own}/csv",
        f"{LIST}absent/",
        "/o/absent/statements/",
        f"/o/rival/statements/{own}/",
    ]
    answers = [client.get(path) for path in paths]
    client.force_login(finance)
    paths = [f"{LIST}{foreign}/", f"{LIST}{foreign}/csv", f"{LIST}absent/", f"{LIST}absent/csv", "/o/rival/statements/"]
    answers += [client.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [404] * 11
    assert len({answer.content for answer in answers}) == 1


def test_who_may_not_see_a_statement_learns_nothing_of_it(
    numbers: dict[str, str], client: Client, viewer: User, member: User
) -> None:
    client.force_login(viewer)
    refusals = [client.get(f"{LIST}{numbers[team]}/") for team in ("Ads", "Unassigned")]
    client.force_login(member)
    refusals += [client.get(path) for path in (LIST, f"{LIST}{numbers['Search']}/", f"{LIST}absent/")]
    assert [answer.status_code for answer in refusals] == [403] * 5
    assert len({answer.content for answer in refusals}) == 1


@pytest.mark.parametrize("persona", ["manager", "viewer"])
def test_teams_see_their_own_alone(
    persona: str, numbers: dict[str, str], client: Client, request: pytest.FixtureRequest
) -> None:
    person, own = request.getfixturevalue(persona), f"{LIST}{numbers['Search']}/"
    listed = enter(client, person)
    assert pages.rows(listed) == [HEAD, ["Search", "3", "$0.7500", numbers["Search"], "1 pending"]]
    assert "<strong>$0.7500</strong>" in listed
    for content in (listed, enter(client, person, own), enter(client, person, f"{own}csv")):
        for foreign in (
            "Ads",
            "mystery",
            "Unassigned",
            numbers["Ads"],
            "1.76",
            "1.000",
            "0.01",
            "@acme.example</td>",
            "ival",
        ):
            assert foreign not in content, foreign


def test_several_teams_are_listed_together(
    numbers: dict[str, str], client: Client, viewer: User, ads: Team, world: World
) -> None:
    TeamMembership.objects.create(team=ads, user=viewer, role="viewer")
    assert [row[:3] for row in pages.rows(enter(client, viewer))] == [
        HEAD[:3],
        ["Ads", "2", "at least $1.0000"],
        ["Search", "3", "$0.7500"],
    ]


@pytest.mark.parametrize("persona", ["owner", "admin", "finance"])
def test_the_organization_is_listed_whole(
    persona: str, numbers: dict[str, str], client: Client, request: pytest.FixtureRequest
) -> None:
    listed = enter(client, request.getfixturevalue(persona))
    assert pages.rows(listed)[:4] == [
        HEAD,
        ["Ads", "2", "at least $1.0000", numbers["Ads"], "1 pending"],
        ["Search", "3", "$0.7500", numbers["Search"], "1 pending"],
        ["Unassigned", "1", "$0.0100", numbers["Unassigned"], "no recipient"],
    ]
    assert "<strong>at least $1.7600</strong>" in listed
    assert "rival" not in listed.lower()


def test_one_statement_in_full(numbers: dict[str, str], client: Client, finance: User) -> None:
    page = enter(client, finance, f"{LIST}{numbers['Ads']}/")
    digest = Statement.objects.get(number=numbers["Ads"]).digest
    # By virtual account and token class: tests/chargeback/test_classes.py
    classes = [row for row in pages.rows(page) if len(row) == 7]
    assert classes[0][:3] == ["Model", "Virtual account", "Token class"]
    assert [row for row in pages.rows(page) if row not in classes] == [
        ["Model", "Requests", "Failed", "Input tokens", "Output tokens", "Cost"],
        ["gpt-5", "1", "0", "1,000", "100", "$1.0000"],
        ["mystery", "1", "0", "5", "5", "no price"],
        ["Total", "2", "0", "1,005", "105", "at least $1.0000"],
        ["User", "Cost", "Share", "Requests"],
        [MEMBER, "$1.00", "100.0 %", "1"],
        [FORMULA, "no price", "–", "1"],  # noqa: RUF001 - an en dash stands for "no value"
        ["Recipient", "State", "Remark"],
        ["ads@acme.example", "Pending", ""],
    ]
    facts = pages.definitions(page)
    assert facts.pop("Prices").startswith("50.0 % of the billable requests have a price. Price book version ")
    assert facts == {
        "Cost": "at least $1.0000",
        "Requests": "2\n0 failed",
        "Input tokens": "1,005",
        "Output tokens": "105",
        "Month": "November 2026, days of Europe/Berlin",
        "Issued": "5 December 2026",
        "Exact total": "at least 1.000000000001 USD",
        "SHA-256": digest,
    }
    assert "1 request has no price and adds nothing to the total." in page


def test_mails_are_shown_to_those_who_manage_chargeback(
    numbers: dict[str, str], client: Client, finance: User, manager: User, viewer: User, search: Team
) -> None:
    path = f"{LIST}{numbers['Search']}/"
    mail = OutboxMail.objects.get(statement__team=search)
    mail.state, mail.error = OutboxMail.State.FAILED, f"The mail server answered 550 {HOSTILE}"
    mail.save()
    page = enter(client, finance, path)
    assert pages.rows(page)[-1] == ["search@acme.example", "Failed", mail.error]
    assert HOSTILE not in page
    for person in (manager, viewer):
        page = enter(client, person, path)
        assert "search@acme.example" not in page
        assert "mail server answered" not in page
        # The list counts: it is the team's own mail, and somebody should ask why it failed.
        assert pages.rows(enter(client, person))[1][-1] == "1 failed"


def test_the_scope_of_one_organization_opens_none_of_another(world: World, numbers: dict[str, str]) -> None:
    scope = scope_of_organization(world.rival)
    with pytest.raises(PermissionDenied):
        reading.list_months(world.acme, scope, LATER)
    with pytest.raises(PermissionDenied):
        reading.open_statement(world.acme, scope, numbers["Search"])


def test_a_scope_that_sees_nothing_opens_nothing(world: World, numbers: dict[str, str]) -> None:
    with pytest.raises(PermissionDenied):
        reading.list_months(world.acme, nothing(world.acme), LATER)
    with pytest.raises(PermissionDenied):
        reading.open_statement(world.acme, nothing(world.acme), numbers["Search"])
