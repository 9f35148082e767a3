"""The page of shared costs: who manages rules, what it refuses in words, and what statements and months then say."""

import json
import re
from decimal import Decimal
from html import unescape
from typing import Any, Final

import pytest
from django.test import Client

from analytics.models import SharingRule, Statement
from teams.models import AuditEntry, Organization, Team, User
from teams.services import IssuedKey
from tests import make, pages
from tests.analytics.statements import HOSTILE, LATER, LIST, close, enter, table
from tests.analytics.test_api_statements import URL, get
from tests.analytics.world import World

pytestmark = pytest.mark.usefixtures("december", "kept_world")
PAGE: Final = f"{LIST}shared/"
USAGE: Final[dict[str, Any]] = {"source": "Unassigned", "method": "usage", "since": "2026-11"}


def send(client: Client, status: int = 302, path: str = PAGE, **fields: Any) -> str:
    """What the page answers to a form."""
    response = client.post(path, fields)
    assert response.status_code == status, response.content
    return response.content.decode()


def told(content: str) -> str:
    """The sentence of a refusal."""
    return unescape(re.search(r'role="alert">.*?<span>(.*?)</span>', content, re.S)[1])  # type: ignore[index] # fails then


@pytest.mark.parametrize(
    ("persona", "status"),
    [
        ("owner", 200),
        ("admin", 200),
        ("finance", 200),
        ("manager", 403),
        ("viewer", 403),
        ("member", 403),
        ("outsider", 404),
        ("nobody", 404),
    ],
)
def test_who_manages_rules(persona: str, status: int, client: Client, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert client.get(PAGE).status_code == status
    done = 302 if status == 200 else status
    send(client, done, **USAGE)
    assert SharingRule.objects.exists() == (status == 200)
    number = SharingRule.objects.get().pk if status == 200 else 1
    send(client, done, f"{PAGE}{number}/switch")
    send(client, done, f"{PAGE}{number}/delete")
    assert not SharingRule.objects.exists()
    acts = list(
        AuditEntry.objects.filter(action__startswith="sharing.").order_by("pk").values_list("action", flat=True)
    )
    assert acts == (["sharing.add", "sharing.switch", "sharing.delete"] if status == 200 else [])


def test_rules_of_others_are_not_there(
    world: World, client: Client, finance: User, outsider: User, rival: Organization
) -> None:
    client.force_login(outsider)
    send(client, path="/o/rival/statements/shared/", **USAGE)
    (foreign,) = SharingRule.objects.all()
    client.force_login(finance)
    for act in ("switch", "delete"):
        send(client, 404, f"{PAGE}{foreign.pk}/{act}")
        send(client, 404, f"{PAGE}987654/{act}")
    assert SharingRule.objects.get().active


def test_what_cannot_be_says_why_and_changes_nothing(
    world: World, client: Client, finance: User, search: Team, ads: Team
) -> None:
    make.virtual_account(world.acme, "bot", team=search)
    foreign = Team.objects.filter(organization=world.rival).first()
    assert foreign is not None
    client.force_login(finance)
    send(client, **USAGE)
    before = list(SharingRule.objects.values())
    fixed = USAGE | {"method": "fixed", "since": "2026-12"}
    share, other = f"percent_{search.pk}", f"percent_{ads.pk}"
    for wrong, says in (
        (USAGE, "There is a rule for Unassigned from November 2026 on already: delete it first."),
        (fixed, "Give at least one team a percentage."),
        (fixed | {share: "99.99"}, "The percentages add up to 99.99 %. They must add up to 100.00 %."),
        (fixed | {share: "60", other: "40.01"}, "The percentages add up to 100.01 %."),
        (fixed | {share: "33.333"}, "“33.333” is not a percentage such as 12.5, with at most two decimals."),
        (fixed | {share: "-5"}, "“-5” is not a percentage"),
        (fixed | {share: HOSTILE}, "“<img src=x onerror=a” is not a percentage"),
        (fixed | {f"percent_{foreign.pk}": "100"}, "One of the teams is not a team of this organization."),
        (USAGE | {"since": "2026-12", "team": [search.pk, foreign.pk]}, "One of the teams is not a team"),
        (USAGE | {"since": "2026-12", "team": "x"}, "One of the teams is not a team"),
        (USAGE | {"source": "bot", "team": search.pk}, "bot belongs to Search, and that is the only team"),
        (fixed | {"source": "bot", share: "100"}, "bot belongs to Search, and that is the only team"),
        (USAGE | {"source": "absent"}, "There is no virtual account “absent” in this organization."),
        (USAGE | {"source": "a\0b"}, "There is no virtual account"),
        (USAGE | {"since": "soon"}, "The month is not one such as 2026-10."),
        (USAGE | {"since": "2027-01", "method": "all"}, "Choose how the costs are split."),
        ({}, "The month is not one such as 2026-10."),
    ):
        page = send(client, 400, **wrong)
        assert says in told(page), wrong
        assert told(page).endswith("Nothing was changed.")
        assert HOSTILE not in page
    assert list(SharingRule.objects.values()) == before
    assert AuditEntry.objects.filter(action__startswith="sharing").count() == 1
    # What was typed is still there.
    page = send(client, 400, **(fixed | {share: "60", other: "39"}))
    assert f'name="{share}" inputmode="decimal" maxlength="6" autocomplete="off" value="60"' in page


def test_a_rule_and_what_becomes_of_it(
    world: World, client: Client, finance: User, viewer: User, search: Team, ads: Team, read_key: IssuedKey
) -> None:
    client.force_login(finance)
    send(client, **{**USAGE, "method": "fixed", f"percent_{search.pk}": "75", f"percent_{ads.pk}": "25.00"})
    assert tuple(
        one for one in ("Unassigned", "Search 75.00 %", "shares now") if one in enter(client, finance, PAGE)
    ) == ("Unassigned", "Search 75.00 %", "shares now")
    draft = enter(client, finance, f"{LIST}months/2026-11/")
    close(world.acme)
    numbers = dict(Statement.objects.values_list("team_name", "number"))
    month = enter(client, finance, f"{LIST}months/2026-11/")
    for page in (draft, month):
        rows = pages.rows(page)
        assert [(row[0], *row[2:6]) for row in rows[:5]] == [
            ("Team", "Use", "Corrections", "Shared", "Charge"),
            ("Ads", "at least $1.00", "–", "+$0.0025", "at least $1.0025"),  # noqa: RUF001 - no value
            ("Search", "$0.75", "–", "+$0.0075", "$0.7575"),  # noqa: RUF001
            ("Unassigned", "$0.010", "–", "-$0.010", "$0.0000"),  # noqa: RUF001
            ("Total", "at least $1.76", "–", "0 USD", "at least $1.7600"),  # noqa: RUF001
        ]
        assert rows[-1] == ["Unassigned, in fixed shares", "-0.01 USD", "0.01 USD"]
    assert pages.definitions(month)["Its shared costs, taken off and added"] == "0 USD"
    assert "Statements and corrections equal the stored requests, to the picodollar." in month
    page = enter(client, viewer, f"{LIST}{numbers['Search']}/")
    assert pages.rows(page)[3:6] == [
        ["Shared costs"],
        ["Share of Unassigned, in fixed shares, 75 %", "", "", "", "", "$0.0075"],
        ["Total", "3", "1", "400", "40", "$0.7575"],
    ]
    assert "with +$0.0075 of shared costs" in page
    file = table(enter(client, viewer, f"{LIST}{numbers['Search']}/csv"))
    assert file[-2][4:] == ["shared", "", "Share of Unassigned, in fixed shares, 75 %", *["0"] * 5, "0.0075", "0.0075"]
    listed = {one["team"]: one for one in get(read_key)["results"]}
    assert [(one["shared_usd"], one["charged_usd"]) for one in listed.values()] == [
        ("0.0025", "1.0025"),
        ("0.0075", "0.7575"),
        ("-0.01", "0.0000"),
    ]
    document = get(read_key, f"{URL}/{numbers['Unassigned']}")["document"]
    assert [(one["percent"], one["cost_usd"]) for one in document["shared"]] == [(None, "-0.01")]
    assert "ival" not in json.dumps(document)


def test_hostile_names_stay_text(world: World, client: Client, finance: User, ads: Team) -> None:
    make.virtual_account(world.acme, HOSTILE)
    make.virtual_account(world.acme, "=1+1")
    client.force_login(finance)
    for source in (HOSTILE, "=1+1"):
        send(client, **USAGE | {"source": source, "team": ads.pk})
    for name in (HOSTILE, "=1+1"):
        make.request(world.acme, now=LATER, started_at=make.NOW, virtual_account=name, reported_cost_usd=Decimal("0.5"))
    close(world.acme)
    number = Statement.objects.get(team__isnull=True).number
    for path in (PAGE, f"{LIST}months/2026-11/", f"{LIST}{number}/"):
        assert HOSTILE not in enter(client, finance, path), path
    texts = [row[6] for row in table(enter(client, finance, f"{LIST}{number}/csv")) if row[4] == "shared"]
    assert texts == [f"{HOSTILE}, shared by usage", "'=1+1, shared by usage"]
