"""Shared costs: what is taken off some statements is put on others, to the picodollar, whatever happens later."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics import rollups
from analytics.chargeback.document import from_json, to_json
from analytics.chargeback.drafting import drafts
from analytics.chargeback.files import csv_lines
from analytics.chargeback.shared import percentage, split
from analytics.chargeback.sharing import acts
from analytics.chargeback.sharing.acts import Wanted
from analytics.models import Period, SharingRule, Statement
from ingestion.models import LLMRequest
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
    move,
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


class Story:
    """Use, late records, other prices and owners, rules and closings, as dice choose; and what must come of it."""

    ACCOUNTS: Final = ("bot", "tool", None)

    def __init__(self, organization: Organization, actor: User, seed: int) -> None:
        self.organization, self.actor, self.dice = organization, actor, random.Random(seed)
        self.teams = [make.team(organization, name) for name in ("Ads", "Labs", "Search")]
        make.virtual_account(organization, "bot", team=self.teams[0])
        make.virtual_account(organization, "tool")
        self.weights: dict[tuple[date, str], dict[str, int]] = {}

    def rules(self, month: date) -> None:
        """Perhaps another rule for each source."""
        for account in self.ACCOUNTS:
            if self.dice.random() < 0.6:
                self.rule(account or "", month)

    def rule(self, account: str, month: date) -> None:
        method = self.dice.choice(["even", "usage", "fixed"])
        cut = self.dice.randrange(1, 10_000)
        some = tuple(team.pk for team in self.dice.sample(self.teams, self.dice.choice([0, 2, 3])))
        fixed = ((self.teams[0].pk, cut), (self.teams[2].pk, 10_000 - cut))
        wanted = Wanted(account, method, month, teams=some, fixed=fixed if method == "fixed" else ())
        acts.add(actor=self.actor, organization=self.organization, wanted=wanted, now=LATER)

    def spend(self, month: int) -> None:
        spend(
            self.organization,
            day(month, 1, 0) + timedelta(hours=self.dice.choice((0, 13 * 24, 27 * 24 + 23))),
            self.dice.choice([None, "0", f"{self.dice.randrange(10**8)}e-12", "123.456789012345"]),
            team=self.dice.choice([None, None, "Search", "Ads"]),
            virtual_account=self.dice.choice(self.ACCOUNTS),
        )

    def change(self) -> None:
        request = self.dice.choice(list(LLMRequest.objects.order_by("pk")))
        if self.dice.random() < 0.7:
            reprice(request, self.dice.choice([None, "0", "0.000000000001", "7.5"]))
        else:
            move(request, self.dice.choice([None, *self.teams]))

    def close(self, month: date) -> list[Statement]:
        self.expect(month)
        rollups.drain()
        period = Period(organization=self.organization, month=month, zone="UTC")
        period.start, period.end = day(month.month, 1, 0), day(month.month + 1, 1, 0)
        drafted = [drafts(period, LATER) for _ in range(2)]
        assert drafted[0] == drafted[1]
        found = close(self.organization, month)
        lines = [document_of_draft.document.shared for document_of_draft in drafted[0].drafts]
        assert lines == [from_json(one.document).shared for one in sorted(found, key=lambda one: one.number)]
        return found

    def costs(self) -> Counter[tuple[date, str, str]]:
        """By month, team and account, of single requests."""
        answer = Counter[tuple[date, str, str]]()
        for one in LLMRequest.objects.select_related("team", "virtual_account"):
            account = one.virtual_account.name if one.virtual_account else ""
            team = one.team.name if one.team else ""
            answer[one.started_at.date().replace(day=1), team, account] += one.cost or 0
        return answer

    def in_force(self, month: date) -> dict[str, SharingRule]:
        found = SharingRule.objects.filter(since__lte=month).order_by("since")
        return {one.account.name if one.account else "": one for one in found}

    def expect(self, month: date) -> None:
        """Keep the weights of the month's rules as they are at its end."""
        rules, costs = self.in_force(month), self.costs()
        for source, rule in rules.items():
            targets = {one.team.name: one.hundredths for one in rule.targets.all()}
            names = [*targets] or [team.name for team in self.teams]
            own = {
                name: sum(
                    cost
                    for (when, team, account), cost in costs.items()
                    if when == month and team == name and not (account and account in rules)
                )
                for name in names
            }
            if rule.method == "fixed":
                self.weights[month, source] = targets
            elif rule.method == "usage" and sum(own.values()):
                self.weights[month, source] = own
            else:
                self.weights[month, source] = dict.fromkeys(names, 1)

    def check(self) -> None:
        """Of every shared month: taken off is what the sources cost now, and each target has its part of that."""
        costs, taken, given = self.costs(), Counter[tuple[date, str, str]](), Counter[tuple[date, str, str]]()
        for one in Statement.objects.all():
            document = from_json(one.document)
            team = "" if document.unassigned else document.team
            for line in document.shared:
                source = "" if line.account is None else line.source
                (given if line.is_share else taken)[line.adjusts or document.month, source, team] += line.cost
        for (month, source), weights in self.weights.items():
            base = self.base(costs, month, source)
            assert {key[2]: -cost for key, cost in taken.items() if key[:2] == (month, source) and cost} == base
            parts = {name: given[month, source, name] for name in weights}
            assert sum(parts.values()) == sum(base.values())
            for name, weight in weights.items():
                exact = Fraction(sum(base.values()) * weight, sum(weights.values()))
                assert abs(parts[name] - exact) < 1
        known = {(month, source) for month, source in self.weights}
        assert {key[:2] for found in (taken, given) for key, cost in found.items() if cost} <= known

    def base(self, costs: Counter[tuple[date, str, str]], month: date, source: str) -> dict[str, int]:
        answer = Counter[str]()
        sources = {name for when, name in self.weights if when == month}
        for (when, team, account), cost in costs.items():
            own = account if account and account in sources else ("" if not team else None)
            if when == month and own == source:
                answer[team] += cost
        return {team: cost for team, cost in answer.items() if cost}


def displayed(statement: Statement) -> tuple[Decimal, Decimal]:
    """The sum of the lines, and the total, as they are displayed."""
    document = from_json(statement.document)
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines(document)), newline="")))
    amounts = [Decimal(row["cost_usd"] or 0) for row in rows]
    assert [row["kind"] for row in rows] == sorted((row["kind"] for row in rows), key=KINDS.index)
    return sum(amounts[:-1], Decimal(0)), amounts[-1]


KINDS: Final = ["usage", "adjustment", "shared", "total"]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_shared_costs_follow_and_add_up_to_zero(acme: Organization, finance: User, seed: int) -> None:
    Organization.objects.filter(pk=acme.pk).update(zone="UTC")
    acme.refresh_from_db()
    story = Story(acme, finance, seed)
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        story.rules(month)
        for _ in range(7):
            story.spend(month.month)
        for _ in range(5 * Period.objects.count()):
            if story.dice.random() < 0.5:
                story.change()
            else:
                story.spend(story.dice.randrange(9, 12))
        found = story.close(month)
        assert sum(one.shared for one in found) == 0
        for one in found:
            lines, total = displayed(one)
            assert lines == total
        story.check()
    stored = {key: figures for key, figures in facts(acme).items() if key[0] <= "2026-11"}
    assert said(acme) == stored
    assert sum(one.cost for one in Statement.objects.all()) == sum(figures[4] for figures in stored.values())
    assert shares(*Statement.objects.all())


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
