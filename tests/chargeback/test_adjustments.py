"""What changes in a closed month becomes lines of the next statement; what was said stays as it was said."""

import random
from datetime import date, timedelta

import pytest

from analytics.models import Statement, StatementLine
from ingestion.models import LLMRequest
from teams.models import Organization, Team
from tests import make
from tests.chargeback.scene import (
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    Key,
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
Row = tuple[str, date | None, str, int, int]
USD = 10**12


def lines(*statements: Statement) -> list[Row]:
    """Team, corrected month, model, requests and thousandths of a dollar of every line."""
    rows = StatementLine.objects.filter(statement__in=statements).order_by("statement__number", "position")
    columns = rows.values_list("statement__team_name", "adjusts", "model", "requests", "cost")
    return [(team, adjusts, model, requests, cost * 1000 // USD) for team, adjusts, model, requests, cost in columns]


def test_a_late_request_is_a_line_of_the_next_statement(acme: Organization, search: Team) -> None:
    spend(acme, day(9), "1", team="Search")
    september = close(acme, SEPTEMBER)
    before = frozen(*september)
    spend(acme, day(9), "0.25", team="Search", model="claude", status_code=500)
    spend(acme, day(10), "2", team="Search")
    (october,) = close(acme, OCTOBER)
    assert lines(october) == [("Search", None, "gpt-4o", 1, 2000), ("Search", SEPTEMBER, "claude", 1, 250)]
    assert october.document["adjustments"] == [
        {
            "model": "claude",
            "adjusts": "2026-09",
            "requests": 1,
            "failed": 1,
            "input_tokens": 1000,
            "output_tokens": 100,
            "unpriced_requests": 0,
            "priced_requests": 1,
            "cost_usd": "0.25",
        }
    ]
    assert october.document["total"]["cost_usd"] == "2.25"
    assert (october.requests, october.failed, october.cost) == (2, 1, 2_250_000_000_000)
    # The month before is compared by its own use, as it was stated.
    assert october.document["previous"]["cost_usd"] == "1"
    assert frozen(*september) == before


def test_a_correction_is_made_once(acme: Organization) -> None:
    close(acme, SEPTEMBER)
    spend(acme, day(9), "3", team="Ads")
    assert lines(*close(acme, OCTOBER)) == [("Ads", SEPTEMBER, "gpt-4o", 1, 3000)]
    assert lines(*close(acme, NOVEMBER)) == []


def test_a_statement_may_hold_corrections_alone(acme: Organization, search: Team) -> None:
    request = spend(acme, day(9), "3", team="Search")
    close(acme, SEPTEMBER)
    reprice(request, "1")
    spend(acme, day(10), team="Ads")
    ads, search_statement = close(acme, OCTOBER)
    assert lines(ads) == [("Ads", None, "gpt-4o", 1, 1000)]
    assert lines(search_statement) == [("Search", SEPTEMBER, "gpt-4o", 0, -2000)]
    assert search_statement.document["lines"] == []
    assert (search_statement.requests, search_statement.cost) == (0, -2 * USD)


@pytest.mark.parametrize(
    ("stated", "now", "cost", "unpriced"),
    [("1", "1.5", 500, 0), ("1", "0.25", -750, 0), ("1", "0", -1000, 0), (None, "2", 2000, -1), ("2", None, -2000, 1)],
)
def test_another_price_is_a_signed_correction(
    acme: Organization, stated: str | None, now: str | None, cost: int, unpriced: int
) -> None:
    request = spend(acme, day(9), stated, team="Search")
    september = close(acme, SEPTEMBER)
    before = frozen(*september)
    reprice(request, now)
    (october,) = close(acme, OCTOBER)
    assert lines(october) == [("Search", SEPTEMBER, "gpt-4o", 0, cost)]
    assert [line.unpriced_requests for line in october.lines.all()] == [unpriced]
    assert frozen(*september) == before


def test_a_new_price_alone_changes_nothing_that_is_stored(acme: Organization) -> None:
    make.price("gpt-4o", "input", "2.5")
    make.price("gpt-4o", "output", "10")
    spend(acme, day(9), None, team="Search")
    (september,) = close(acme, SEPTEMBER)
    assert lines(september) == [("Search", None, "gpt-4o", 1, 3)]
    assert september.document["total"]["cost_usd"] == "0.0035"
    before = frozen()
    make.price("gpt-4o", "input", "250", effective_from=day(9, 1))
    assert frozen() == before
    assert close(acme, OCTOBER) == []
    assert said(acme) == facts(acme)


def test_what_moves_to_another_team_is_taken_from_one_and_given_to_the_other(
    acme: Organization, search: Team, ads: Team
) -> None:
    moved = [spend(acme, day(9), "3", team="Search"), spend(acme, day(9), "5")]
    spend(acme, day(9), "7", team="Search")
    close(acme, SEPTEMBER)
    for request, team in zip(moved, (ads, search), strict=True):
        move(request, team)
    assert lines(*close(acme, OCTOBER)) == [
        ("Ads", SEPTEMBER, "gpt-4o", 1, 3000),
        ("Search", SEPTEMBER, "gpt-4o", 0, 2000),
        ("Unassigned", SEPTEMBER, "gpt-4o", -1, -5000),
    ]


def test_each_month_and_model_is_corrected_by_itself_oldest_first(acme: Organization) -> None:
    for month in (SEPTEMBER, OCTOBER):
        close(acme, month)
    for number, model, usd in ((10, "b", "1"), (10, "a", "2"), (9, "b", "3"), (9, "a", "4"), (11, "c", "5")):
        spend(acme, day(number), usd, team="Search", model=model)
    assert lines(*close(acme, NOVEMBER)) == [
        ("Search", None, "c", 1, 5000),
        ("Search", SEPTEMBER, "a", 1, 4000),
        ("Search", SEPTEMBER, "b", 1, 3000),
        ("Search", OCTOBER, "a", 1, 2000),
        ("Search", OCTOBER, "b", 1, 1000),
    ]


def test_nothing_changed_nothing_corrected(acme: Organization) -> None:
    request = spend(acme, day(9), "1", team="Search")
    close(acme, SEPTEMBER)
    reprice(request, "2")
    reprice(request, "1")
    spend(acme, day(10), "1", team="Search")
    assert lines(*close(acme, OCTOBER)) == [("Search", None, "gpt-4o", 1, 1000)]


def test_months_that_are_closed_out_of_order_are_stated_once(acme: Organization) -> None:
    """A statement corrects months before its own alone: October waits for November, September is still open."""
    spend(acme, day(9), "1", team="Search")
    spend(acme, day(10), "2", team="Search")
    close(acme, OCTOBER)
    spend(acme, day(10), "4", team="Search")
    assert lines(*close(acme, SEPTEMBER)) == [("Search", None, "gpt-4o", 1, 1000)]
    assert lines(*close(acme, NOVEMBER)) == [("Search", OCTOBER, "gpt-4o", 1, 4000)]
    assert said(acme) == facts(acme)


def test_renaming_a_team_corrects_nothing(acme: Organization, search: Team) -> None:
    spend(acme, day(9), "1", team="Search")
    (september,) = close(acme, SEPTEMBER)
    search.name = "Discovery"
    search.save()
    spend(acme, day(10), "1", team="Discovery")
    (october,) = close(acme, OCTOBER)
    assert lines(october) == [("Discovery", None, "gpt-4o", 1, 1000)]
    assert october.document["previous"]["number"] == september.number
    september.refresh_from_db()
    assert (september.team_name, september.document["team"]["name"]) == ("Search", "Search")


class Story:
    """Requests come late, are priced and attributed anew, and months close, in an order that dice choose."""

    def __init__(self, organization: Organization, teams: list[Team], seed: int) -> None:
        self.organization, self.teams, self.dice = organization, teams, random.Random(seed)
        self.closed: list[str] = []

    def spend(self, month: int) -> None:
        """In few hours, because each is rolled up by itself, and on the first day and late in the month."""
        hour = self.dice.choice((0, 1, 13 * 24, 27 * 24 + 23))
        spend(
            self.organization,
            day(month, 1, 0) + timedelta(hours=hour, minutes=self.dice.randrange(60)),
            self.dice.choice([None, "0", f"{self.dice.randrange(10**8)}e-12", "123.456789012345"]),
            model=self.dice.choice(["gpt-5", "claude"]),
            team=self.dice.choice([None, "Search", "Ads"]),
            status_code=self.dice.choice([200, 500]),
        )

    def change(self) -> None:
        request = self.dice.choice(list(LLMRequest.objects.order_by("pk")))
        if self.dice.random() < 0.7:
            reprice(request, self.dice.choice([None, "0", "0.000000000001", "7.5"]))
        else:
            move(request, self.dice.choice([None, *self.teams]))

    def close(self, month: int) -> None:
        before = frozen(*Statement.objects.all())
        close(self.organization, date(2026, month, 1))
        self.closed.append(f"2026-{month:02}")
        assert [row for row in frozen(*Statement.objects.all()) if row in before] == before

    def facts(self) -> dict[Key, tuple[int, ...]]:
        return {key: figures for key, figures in facts(self.organization).items() if key[0] in self.closed}


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_statements_and_corrections_equal_the_requests_exactly(
    acme: Organization, search: Team, ads: Team, seed: int
) -> None:
    story = Story(acme, [search, ads], seed)
    for month in (8, 9, 10, 11):
        for _ in range(8):
            story.spend(month)
        for _ in range(6 * len(story.closed)):
            if story.dice.random() < 0.5:
                story.change()
            else:
                story.spend(story.dice.randrange(8, 12))
        story.close(month)
        assert said(acme) == story.facts()
    corrections = StatementLine.objects.exclude(adjusts=None)
    assert corrections.filter(cost__gt=0).exists()
    assert corrections.filter(cost__lt=0).exists()
