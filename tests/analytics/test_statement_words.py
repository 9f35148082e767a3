"""What the pages of statements and their files say: months, amounts, hostile names."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from analytics.models import Statement
from teams.models import Organization, ReportRecipient, Team, User
from tests import pages
from tests.analytics.statements import HOSTILE, LIST, close, enter, table
from tests.analytics.world import World, at, store

pytestmark = pytest.mark.usefixtures("december")


def test_what_has_no_price_is_not_zero(world: World, client: Client, finance: User) -> None:
    store(world.acme, {"request_id": "l1", "started_at": at(12), "team": "Labs", "model": "mystery", "input_tokens": 5})
    close(world.acme)
    number = Statement.objects.get(team_name="Labs").number
    page = enter(client, finance, f"{LIST}{number}/")
    assert [row[-1] for row in pages.rows(page)][:3] == ["Cost", "no price", "no price"]
    assert pages.rows(page)[-2:] == [["User", "Cost", "Share", "Requests"], ["Without a user", "no price", "–", "1"]]  # noqa: RUF001 - no value
    assert "Exact total" not in pages.definitions(page)
    assert "exactly" not in page
    total = table(enter(client, finance, f"{LIST}{number}/csv"))[-1]
    assert total[4:] == ["total", "", "", "1", "0", "5", "0", "1", "", ""]


def test_a_statement_costs_the_same_in_the_list_and_for_everybody(
    acme: Organization, search: Team, client: Client, finance: User, viewer: User
) -> None:
    cost = {"model": "gpt-5", "reported_cost_usd": Decimal("133.335"), "started_at": at(9)}
    store(acme, *({"request_id": team, "team": team} | cost for team in ("Ads", "Labs", "Search")))
    close(acme)
    own = enter(client, viewer, f"{LIST}{Statement.objects.get(team=search).number}/")
    (total,) = (row for row in pages.rows(own) if row[0] == "Total")
    assert total[-1] == "$133.34"
    assert [row[2] for row in pages.rows(enter(client, viewer))] == ["Cost", "$133.34"]
    listed = enter(client, finance)
    assert [row[2] for row in pages.rows(listed)] == ["Cost", *["$133.34"] * 3]
    assert "<strong>$400.02</strong>" in listed


def test_corrections_and_the_month_before(acme: Organization, search: Team, client: Client, finance: User) -> None:
    october = datetime(2026, 10, 20, 9, tzinfo=UTC)
    used = {"team": "Search", "model": "gpt-5", "input_tokens": 4, "reported_cost_usd": Decimal("0.5")}
    store(acme, used | {"request_id": "o1", "started_at": october})
    close(acme, date(2026, 10, 1))
    store(acme, used | {"request_id": "o2", "started_at": october}, used | {"request_id": "n1", "started_at": at(9)})
    close(acme)
    earlier, later = Statement.objects.order_by("number").values_list("number", flat=True)
    page = enter(client, finance, f"{LIST}{later}/")
    assert pages.rows(page)[1:5] == [
        ["gpt-5", "1", "0", "4", "0", "$0.5000"],
        ["Corrections of closed months"],
        ["gpt-5 · October 2026", "1", "0", "4", "0", "$0.5000"],
        ["Total", "2", "0", "8", "0", "$1.0000"],
    ]
    facts = pages.definitions(page)
    assert facts["Cost"] == "$1.0000\nunchanged on October 2026 ($0.50)"
    assert facts["Statement before"] == "October 2026"
    assert f'href="{LIST}{earlier}/"' in page
    assert "Corrections" not in enter(client, finance, f"{LIST}{earlier}/")


def test_months_say_where_they_stand(world: World, client: Client, finance: User, viewer: User) -> None:
    october = datetime(2026, 10, 20, 9, tzinfo=UTC)
    store(world.acme, {"request_id": "o1", "started_at": october, "team": "Ads", "model": "gpt-5"})
    close(world.acme, date(2026, 10, 1))
    words = (
        r'<h2 id="month-\d">(?:<a [^>]*>)?(.*?)(?:</a>)?</h2>\s*<span class="badge (\w+)">(\w+)</span>\s*'
        r'(?:<p class="muted small">(.*?)</p>)?'
    )
    with time_machine.travel(datetime(2026, 12, 2, tzinfo=UTC), tick=False):
        assert re.findall(words, enter(client, finance)) == [
            ("December 2026", "open", "open", "Still running. Statements are issued on 4 January 2027."),
            ("November 2026", "grace", "grace", "Waiting for late records. Closes on 4 December 2026."),
            ("October 2026", "closed", "closed", ""),
        ]
        assert re.findall(words, enter(client, viewer))[-1][-1] == "There were no requests of your teams in this month."


def test_an_organization_without_requests_reads_what_to_expect(
    acme: Organization, rival: Organization, client: Client, finance: User
) -> None:
    store(rival, {"request_id": "r1", "started_at": at(9), "model": "rival-model"})
    close(rival)
    page = enter(client, finance)
    assert "No statement yet" in page
    assert 'href="/o/acme/"' in page
    assert pages.rows(page) == []


def test_the_file_in_full(numbers: dict[str, str], client: Client, viewer: User) -> None:
    number = numbers["Search"]
    content = enter(client, viewer, f"{LIST}{number}/csv")
    response = client.get(f"{LIST}{number}/csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="statement-{number}.csv"'
    assert response["Cache-Control"] == "private, no-store"
    assert content.startswith("\ufeffstatement,organization,team,month,kind,adjusts,model,")
    head = [number, "Acme Works", "Search", "2026-11"]
    assert table(content)[1:] == [
        [*head, "usage", "", "gpt-5", "2", "1", "100", "10", "0", "0.5000", "0.5"],
        [*head, "usage", "", "claude-sonnet-4-5", "1", "0", "300", "30", "0", "0.2500", "0.25"],
        [*head, "total", "", "", "3", "1", "400", "40", "0", "0.7500", "0.75"],
    ]


@pytest.mark.parametrize(
    ("name", "in_page", "in_file"),
    [
        (HOSTILE, "&lt;img src=x onerror=alert(1)&gt;", HOSTILE),
        ("</title><script>alert(1)</script>", "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;", None),
        ("=1+1", "=1+1", "'=1+1"),
        ("@SUM(A1)", "@SUM(A1)", "'@SUM(A1)"),
        ("{{ organization.pk }}{% now 'Y' %}", "{{ organization.pk }}{% now &#x27;Y&#x27; %}", None),
    ],
)
def test_hostile_names_stay_text(
    name: str, in_page: str, in_file: str | None, acme: Organization, client: Client, finance: User
) -> None:
    store(acme, {"request_id": "h", "started_at": at(9), "team": name, "model": name, "output_tokens": 1})
    close(acme)
    own = f"{LIST}{Statement.objects.get().number}/"
    for page in (enter(client, finance), enter(client, finance, own)):
        assert in_page in page
        assert "<img src=x" not in page
        assert "alert(1)</script>" not in page
    first = table(enter(client, finance, f"{own}csv"))[1]
    assert (first[2], first[6]) == (in_file or name, in_file or name)


def test_more_statements_are_no_more_queries(
    acme: Organization, client: Client, finance: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def close_with(month: int, teams: int) -> None:
        started = datetime(2026, month, 20, tzinfo=UTC)
        names = (f"team-{number}" for number in range(teams))
        store(
            acme, *({"request_id": f"{month}-{one}", "started_at": started, "team": one, "model": "m"} for one in names)
        )
        rows = [ReportRecipient(team=team, email="all@acme.example") for team in Team.objects.all()]
        ReportRecipient.objects.bulk_create(rows, ignore_conflicts=True)
        close(acme, date(2026, month, 1))

    close_with(10, 2)
    enter(client, finance)
    with django_assert_max_num_queries(20) as few:
        assert len(pages.rows(client.get(LIST).content.decode())) == 3
    close_with(11, 30)
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert len(pages.rows(client.get(LIST).content.decode())) == 34


def test_pages_are_for_reading(numbers: dict[str, str], client: Client, finance: User) -> None:
    client.force_login(finance)
    for path in (LIST, f"{LIST}{numbers['Search']}/", f"{LIST}{numbers['Search']}/csv"):
        assert client.post(path).status_code == 405
        assert client.head(path).status_code == 200
