"""A year of shared costs by dice: late records, other prices, owners and rules; an oracle over single requests."""

import csv
import io
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest

from analytics import rollups
from analytics.chargeback.document import from_json
from analytics.chargeback.drafting import drafts
from analytics.chargeback.files import csv_lines
from analytics.chargeback.sharing import acts
from analytics.chargeback.sharing.acts import Wanted
from analytics.models import Period, SharingRule, Statement
from ingestion.models import LLMRequest
from teams.models import Organization, User
from tests import make
from tests.chargeback.scene import LATER, NOVEMBER, OCTOBER, SEPTEMBER, close, day, facts, move, reprice, said, spend

pytestmark = pytest.mark.django_db


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
            elif rule.method == "usage" and any(own.values()):
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
    assert Statement.objects.exclude(shared=0).exists()
