"""Shared costs: what is taken off some statements is put on others, to the picodollar, whatever happens later."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.chargeback.document import from_json, to_json
from analytics.chargeback.shared import percentage, split
from analytics.chargeback.sharing import acts
from analytics.chargeback.sharing.acts import Wanted
from analytics.models import Period, SharingRule, Statement
from teams.models import Organization, Team, User
from tests import make
from tests.chargeback.scene import (
    LATER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    close,
    day,
    facts,
    frozen,
    reprice,
    said,
    spend,
)

pytestmark = pytest.mark.django_db
Row = tuple[str, str, str, str]
USD: Final = 10**12


@pytest.fixture
def rule(acme: Organization, finance: User) -> Any:
    """Add a rule for Unassigned from September on, unless something else is said."""

    def add(method: str, account: str = "", since: date = SEPTEMBER, **wanted: Any) -> SharingRule:
        sent = Wanted(account, method, since, **wanted)
        return acts.add(actor=finance, organization=acme, wanted=sent, now=LATER)

    return add


def shares(*statements: Statement) -> list[Row]:
    """Team, text, corrected month and US dollars of every shared line, as frozen."""
    return [
        (one.team_name, line["text"], line.get("adjusts", ""), line["cost_usd"])
        for one in sorted(statements, key=lambda one: one.number)
        for line in one.document.get("shared", ())
    ]


def test_by_usage(acme: Organization, rule: Any) -> None:
    rule("usage")
    spend(acme, day(9), "3", team="Search")
    spend(acme, day(9), "1", team="Ads")
    spend(acme, day(9), "0.000000000003")
    spend(acme, day(9), None, model="mystery")
    ads, search, rest = close(acme, SEPTEMBER)
    assert shares(ads, search, rest) == [
        ("Ads", "Share of Unassigned, by usage, 25 %", "", "0.000000000001"),
        ("Search", "Share of Unassigned, by usage, 75 %", "", "0.000000000002"),
        ("Unassigned", "Shared with the teams, by usage", "", "-0.000000000003"),
    ]
    assert [(one.cost, one.shared) for one in (ads, search, rest)] == [(USD + 1, 1), (3 * USD + 2, 2), (0, -3)]
    assert rest.document["total"]["cost_usd"] == "0"
    assert not from_json(rest.document).is_unknown  # it is zero because it was given away, not because nobody knows
    assert ads.document["shared"][0] == {
        "text": "Share of Unassigned, by usage, 25 %",
        "source": "Unassigned",
        "account_id": None,
        "method": "usage",
        "percent": "25",
        "cost_usd": "0.000000000001",
    }
    assert to_json(from_json(ads.document)) == ads.document
    assert said(acme) == facts(acme)


def test_even_between_teams_that_used_nothing_too(acme: Organization, search: Team, ads: Team, rule: Any) -> None:
    """Claimed teams and those of the month's traffic get a share, and a statement; forgotten names of traffic none."""
    make.team(acme, "Forgotten", claimed=False)
    rule("even")
    spend(acme, day(9), "1")
    spend(acme, day(9), "0", team="Seen")
    found = close(acme, SEPTEMBER)
    assert shares(*found) == [
        ("Ads", "Share of Unassigned, evenly, 33.33 %", "", "0.333333333333"),
        ("Search", "Share of Unassigned, evenly, 33.33 %", "", "0.333333333334"),  # the first team that was made
        ("Seen", "Share of Unassigned, evenly, 33.33 %", "", "0.333333333333"),
        ("Unassigned", "Shared with the teams, evenly", "", "-1"),
    ]


def test_by_usage_is_even_where_no_target_used_anything(acme: Organization, search: Team, ads: Team, rule: Any) -> None:
    rule("usage", teams=(ads.pk,))
    spend(acme, day(9), "1", team="Search")
    spend(acme, day(9), "2")
    assert shares(*close(acme, SEPTEMBER)) == [
        ("Ads", "Share of Unassigned, by usage, 100 %", "", "2"),
        ("Unassigned", "Shared with the teams, by usage", "", "-2"),
    ]


def test_an_account_in_fixed_shares(acme: Organization, search: Team, ads: Team, rule: Any) -> None:
    """Wherever its requests are charged. What of it belongs to no team is not shared again by the other rule."""
    make.virtual_account(acme, "bot", team=search)
    rule("fixed", "bot", fixed=((search.pk, 1250), (ads.pk, 8750)))
    rule("usage")
    spend(acme, day(9), "8", virtual_account="bot")
    spend(acme, day(9), "4", virtual_account="bot", team="Ads")
    spend(acme, day(9), "1", team="Search")
    spend(acme, day(9), "3", team="Ads")
    spend(acme, day(9), "2")
    assert shares(*close(acme, SEPTEMBER)) == [
        ("Ads", "bot, shared in fixed shares", "", "-4"),
        ("Ads", "Share of bot, in fixed shares, 87.5 %", "", "10.5"),
        ("Ads", "Share of Unassigned, by usage, 75 %", "", "1.5"),  # own cost: without the account that is shared
        ("Search", "bot, shared in fixed shares", "", "-8"),
        ("Search", "Share of bot, in fixed shares, 12.5 %", "", "1.5"),
        ("Search", "Share of Unassigned, by usage, 25 %", "", "0.5"),
        ("Unassigned", "Shared with the teams, by usage", "", "-2"),
    ]


def test_an_account_without_a_team_is_no_part_of_the_rest(acme: Organization, ads: Team, rule: Any) -> None:
    make.virtual_account(acme, "bot")
    rule("even", "bot", teams=(ads.pk,))
    rule("even", teams=(make.team(acme, "Labs").pk,))
    spend(acme, day(9), "8", virtual_account="bot")
    spend(acme, day(9), "2")
    assert shares(*close(acme, SEPTEMBER)) == [
        ("Ads", "Share of bot, evenly, 100 %", "", "8"),
        ("Labs", "Share of Unassigned, evenly, 100 %", "", "2"),
        ("Unassigned", "bot, shared evenly", "", "-8"),
        ("Unassigned", "Shared with the teams, evenly", "", "-2"),
    ]


def test_a_rule_holds_until_the_next_one_and_ends_where_it_is_off(
    acme: Organization, search: Team, ads: Team, finance: User, rule: Any
) -> None:
    rule("even", since=OCTOBER, teams=(ads.pk,))
    off = rule("even", since=NOVEMBER, teams=(search.pk,))
    acts.switch(actor=finance, rule=off, active=False)
    for month in (9, 10, 11):
        spend(acme, day(month), "1")
    found = {month: shares(*close(acme, month)) for month in (SEPTEMBER, OCTOBER, NOVEMBER)}
    assert [len(found[month]) for month in found] == [0, 2, 0]
    assert not Period.objects.get(month=NOVEMBER).sharing


def test_shares_of_a_closed_month_follow_late_records_by_the_rule_of_then(
    acme: Organization, search: Team, ads: Team, finance: User, rule: Any
) -> None:
    first = rule("usage")
    spend(acme, day(9), "3", team="Search")
    spend(acme, day(9), "1", team="Ads")
    request = spend(acme, day(9), "4")
    september = close(acme, SEPTEMBER)
    before = frozen(*september)
    acts.delete(actor=finance, rule=first)
    rule("fixed", since=OCTOBER, fixed=((search.pk, 10_000),))
    reprice(request, "2")
    spend(acme, day(9), "6", team="Ads")  # what the others used is of then, too
    spend(acme, day(10), "1")
    assert shares(*close(acme, OCTOBER)) == [
        ("Ads", "Share of Unassigned, by usage, 25 %", "2026-09", "-0.5"),
        ("Search", "Share of Unassigned, in fixed shares, 100 %", "", "1"),
        ("Search", "Share of Unassigned, by usage, 75 %", "2026-09", "-1.5"),
        ("Unassigned", "Shared with the teams, in fixed shares", "", "-1"),
        ("Unassigned", "Shared with the teams, by usage", "2026-09", "2"),
    ]
    assert frozen(*september) == before
    assert shares(*close(acme, NOVEMBER)) == []
    assert said(acme) == facts(acme)


def test_a_month_that_had_nothing_to_share_shares_what_comes_late(acme: Organization, ads: Team, rule: Any) -> None:
    rule("even", teams=(ads.pk,))
    close(acme, SEPTEMBER)
    spend(acme, day(9), "5")
    assert shares(*close(acme, OCTOBER)) == [
        ("Ads", "Share of Unassigned, evenly, 100 %", "2026-09", "5"),
        ("Unassigned", "Shared with the teams, evenly", "2026-09", "-5"),
    ]


def test_without_rules_documents_are_what_they_were(acme: Organization) -> None:
    spend(acme, day(9), "1", team="Search")
    spend(acme, day(9), "1")
    for one in close(acme, SEPTEMBER):
        assert "shared" not in one.document
        assert one.shared == 0
    assert Period.objects.get().sharing == []


WEIGHTS = st.dictionaries(st.integers(1, 99), st.integers(0, 10**18), min_size=1, max_size=12)


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**20), WEIGHTS.filter(lambda weights: any(weights.values())))
def test_a_split_is_exact_and_in_proportion(amount: int, weights: dict[int, int]) -> None:
    parts = split(amount, weights)
    assert sum(parts.values()) == amount
    assert parts.keys() == weights.keys()
    for key, weight in weights.items():
        assert abs(parts[key] - Fraction(amount * weight, sum(weights.values()))) < 1
    assert split(amount, dict(reversed(weights.items()))) == parts


def test_percentages() -> None:
    assert list(percentages()) == ["0", "under 0.01", "0.01", "33.33", "66.67", "12.5", "99.99", "100"]


def percentages() -> Iterator[str]:
    for part, whole in ((0, 3), (1, 10**6), (1, 10**4), (1, 3), (2, 3), (1, 8), (9999, 10_000), (7, 7)):
        yield percentage(part, whole)
