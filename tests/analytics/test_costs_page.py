"""The cost check: figures by group, trouble first, links to what is unpriced, within what a person may see."""

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from analytics import rollups
from analytics.dashboards.costs import price_url
from teams.models import Organization, Team, User
from tests import make, pages
from tests.analytics.world import store

PAGE: Final = "/o/acme/costs/"
DAY: Final = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
NONE: Final = "–"  # noqa: RUF001 - no value
HOSTILE: Final = "=<img src=x onerror=alert(1)>&provider=evil"
EMPTY: Final = [NONE] * 6
Read = Callable[..., str]


def request(number: int, team: str | None, model: str, usd: str | None = None, **fields: Any) -> dict[str, Any]:
    """A request of a thousand tokens in and a hundred out; `usd` is the gateway's figure."""
    return {
        "request_id": f"c{number}",
        "started_at": make.NOW.replace(day=20),
        "team": team,
        "user": f"user of {team}",
        "virtual_account": f"account of {team}",
        "model": model,
        "provider": "openai",
        "input_tokens": 1_000,
        "output_tokens": 100,
        "latency_ms": 900.0,
        "status_code": 200,
        "reported_cost_usd": None if usd is None else Decimal(usd),
    } | fields


@pytest.fixture
def costs(acme: Organization, rival: Organization, search: Team, ads: Team) -> Organization:
    """Two priced models with figures of the gateway, one with that figure alone, two without anything."""
    for model, usd in (("gpt-5", "1"), ("gpt-4o", "2"), ("free", "0")):
        make.price(model, "input", usd)
        make.price(model, "output", usd)
    store(
        acme,
        request(1, "Search", "gpt-5", "0.0021"),  # the book says 0.0011
        request(2, "Ads", "gpt-5"),
        request(3, "Ads", "gpt-4o", "0.0022"),  # as the book
        request(4, "Search", "gemini", "12.5"),
        request(5, "Search", "mystery"),
        request(6, "Ads", "mystery", provider=None),
        request(7, "Search", HOSTILE, provider="acme"),
        request(8, None, "gpt-5", status_code=429, error_type="RateLimitError", input_tokens=None, output_tokens=None),
    )
    store(rival, request(1, "rival-team", "rival-model"))
    rollups.drain()
    return acme


@pytest.fixture
def read(client: Client, request: pytest.FixtureRequest) -> Read:
    """What a persona reads there."""

    def as_persona(persona: str = "owner", **parameters: Any) -> str:
        client.force_login(request.getfixturevalue(persona))
        response = client.get(PAGE, DAY | parameters)
        assert response.status_code == 200
        return response.content.decode()

    return as_persona


def table(html: str) -> dict[str, list[str]]:
    """The cells of each row by its label, in the order of the page; the column of links left out."""
    head, *rows = pages.rows(html.partition("costs-table")[2])
    width = head.index("in %")
    return {row[0]: row[1 : width + 1] for row in rows}


def links(html: str, text: str) -> list[str]:
    """Addresses of the links whose label or text holds that text."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"([^>]*)>(.*?)</a>', html, re.DOTALL)
    return [href.replace("&amp;", "&") for href, attributes, content in found if text in attributes + content]


def test_every_figure_by_model_with_trouble_first(costs: Organization, read: Read) -> None:
    assert list(table(read()).items()) == [
        ("mystery", ["2", "2", "0.0 %", "2,200", *EMPTY]),
        (HOSTILE, ["1", "1", "0.0 %", "1,100", *EMPTY]),
        ("gpt-5", ["3", "0", "100.0 %", "0", "$0.0022", "$0.0022", "$0.0022", "$0.0021", "+$0.0010", "+90.9 %"]),
        ("gemini", ["1", "0", "100.0 %", "0", NONE, "$12.50", "$12.50", "$12.50", NONE, NONE]),
        ("gpt-4o", ["1", "0", "100.0 %", "0", "$0.0022", "$0.0022", "$0.0022", "$0.0022", "equal", ""]),
        (
            "Total",
            [
                *("8", "3", "57.1 %", "3,300"),
                *("at least $0.0044", "at least $12.50", "at least $12.50", "$12.50", "+$0.0010", "+30.3 %"),
            ],
        ),
    ]


def test_a_free_model_that_the_gateway_charges_differs_without_a_percentage(costs: Organization, read: Read) -> None:
    store(costs, request(9, "Ads", "free", "0.5"))
    assert table(read())["free"][4:] == ["$0.00", "$0.00", "$0.00", "$0.50", "+$0.50", NONE]


@pytest.mark.parametrize(
    ("view", "first"), [("team", "Search"), ("user", "user of Search"), ("virtual_account", "account of Search")]
)
def test_other_views_have_the_same_total(costs: Organization, read: Read, view: str, first: str) -> None:
    found = table(read(by=view))
    assert next(iter(found)) == first
    assert found[first][:4] == ["4", "2", "50.0 %", "2,200"]
    assert found["Total"] == table(read())["Total"]


def test_a_column_sorts_and_leads_back_to_trouble(costs: Organization, read: Read) -> None:
    html = read(sort="-cost_usd")
    assert [*table(html)][:3] == ["gemini", "gpt-4o", "gpt-5"]  # equal ones by name
    assert [*table(html)][3:] == [HOSTILE, "mystery", "Total"]  # unknown ones last in both directions
    assert [*table(read(sort="cost_usd"))][-3:] == [HOSTILE, "mystery", "Total"]
    assert 'aria-sort="descending"' in html
    (back,) = links(html, "Trouble first")
    assert "sort" not in back
    assert [*table(read(sort="-nonsense"))] == [*table(read())]


def test_filters_and_range_are_those_of_the_dashboard(costs: Organization, read: Read) -> None:
    assert [*table(read(f=["team:eq:Ads", "model:ne:mystery"]))] == ["gpt-4o", "gpt-5", "Total"]
    assert [*table(read(f="cost_state:eq:unpriced"))] == ["mystery", HOSTILE, "Total"]
    assert "No requests in this range" in read(**{"from": "2025-01-01T00:00:00Z", "to": "2025-01-02T00:00:00Z"})
    assert "No data for these filters" in read(f="team:eq:Nobody")
    assert "There is no dimension" in read(f="nonsense:eq:1")


def test_the_dashboard_leads_here_with_its_range_and_filters(costs: Organization, client: Client, owner: User) -> None:
    client.force_login(owner)
    html = client.get("/o/acme/", DAY | {"f": "team:eq:Search", "by": "team", "sort": "label"}).content.decode()
    (link,) = links(html, "priced, 2 requests unpriced")
    assert (urlsplit(link).path, parse_qs(urlsplit(link).query)) == (
        PAGE,
        {name: [value] for name, value in DAY.items()} | {"f": ["team:eq:Search"]},
    )
    assert client.get(link).status_code == 200


def test_unpriced_numbers_lead_to_their_requests(costs: Organization, read: Read, client: Client) -> None:
    first, second = links(read(f="provider:nnull:"), "Show the unpriced requests")
    assert parse_qs(urlsplit(first).query)["f"] == ["provider:nnull:", f"model:eq:{HOSTILE}", "cost_state:eq:unpriced"]
    assert parse_qs(urlsplit(second).query)["f"] == ["provider:nnull:", "model:eq:mystery", "cost_state:eq:unpriced"]
    for link in (first, second):
        html = client.get(link).content.decode()
        assert re.findall(r'data-counter="requests".*?visually-hidden">([^<]*)<', html, re.DOTALL) == ["1"]


def test_the_file_is_the_table(costs: Organization, read: Read, client: Client) -> None:
    (link,) = links(read(f="team:eq:Search"), "CSV")
    response: Any = client.get(link)
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert response["Content-Type"].startswith("text/csv")
    assert {row["model"]: (row["requests"], row["unpriced_requests"], row["cost_usd"]) for row in rows} == {
        "gpt-5": ("1", "0", "0.0011"),
        "gemini": ("1", "0", "12.5"),
        "mystery": ("1", "1", ""),
        f"'{HOSTILE}": ("1", "1", ""),
    }
    assert {row["model"]: row["reported_to_list"] for row in rows}["gpt-5"].startswith("1.90909")


def test_people_see_what_the_dashboard_shows_them(
    costs: Organization, read: Read, client: Client, outsider: User
) -> None:
    for persona in ("admin", "finance"):
        assert table(read(persona)) == table(read("owner")), persona
    for persona in ("manager", "viewer"):
        html = read(persona, by="team")
        assert [*table(html)] == ["Search", "Total"], persona
        assert "Ads" not in html
    assert "Connect your gateway" in read("member")  # none of the requests is theirs
    client.force_login(outsider)
    assert client.get(PAGE).status_code == 404
    client.logout()
    assert client.get(PAGE).headers["Location"].startswith("/sign-in")
    assert client.post(PAGE).status_code == 405


def test_nothing_of_another_organization_is_there(costs: Organization, read: Read) -> None:
    for view in ("model", "team", "user", "virtual_account"):
        assert "rival" not in read(by=view)


@pytest.mark.parametrize("persona", ["owner", "admin", "finance"])
def test_those_who_manage_prices_are_led_to_the_form(
    costs: Organization, read: Read, client: Client, persona: str
) -> None:
    html = read(persona)
    found = links(html, "Set a price")
    assert [parse_qs(urlsplit(link).query) for link in found] == [
        {"organization": [str(costs.pk)], "provider": [provider], name_of_model(link): [model]}
        for link, (provider, model) in zip(
            found, [("*", "mystery"), ("openai", "mystery"), ("acme", HOSTILE)], strict=True
        )
    ]
    assert all(client.get(link).status_code == 200 for link in found)
    assert links(read(persona, by="team"), "Set a price") == []
    (narrowed,) = links(read(persona, f="team:eq:Ads"), "Set a price")
    assert parse_qs(urlsplit(narrowed).query)["provider"] == ["*"]


def name_of_model(link: str) -> str:
    return "model_match" if "/add/" in link else "model"


@pytest.mark.parametrize("persona", ["manager", "viewer"])
def test_others_are_not(costs: Organization, read: Read, persona: str) -> None:
    html = read(persona)
    assert table(html)["mystery"][:2] == ["1", "1"]
    assert links(html, "Set a price") == []


def test_names_are_text(costs: Organization, read: Read) -> None:
    html = read()
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_a_question_that_is_too_large_is_refused_with_what_to_narrow(
    costs: Organization, read: Read, settings: Any
) -> None:
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 1
    html = read(f="cost_state:eq:unpriced")
    assert "This question is too large" in html
    assert "remove the filter on Cost state" in html
    assert "costs-table" not in html


def test_many_groups_come_in_pages(acme: Organization, read: Read) -> None:
    store(acme, *(request(number, "Search", f"model-{number:02}") for number in range(30)))
    assert [*table(read())] == [*(f"model-{number:02}" for number in range(25)), "Total"]
    html = read(page="2")
    assert [*table(html)] == [*(f"model-{number:02}" for number in range(25, 30)), "Total"]
    assert table(html)["Total"][0] == "30"


@time_machine.travel(make.NOW, tick=False)
def test_the_page_costs_few_statements(
    costs: Organization, client: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(owner)
    with django_assert_max_num_queries(40):
        client.get(PAGE, DAY)


def test_links_lead_to_the_page_of_a_model_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(name: str) -> str:
        return "/admin/prices/price/" if name == "admin:ingestion_priceentry_price" else reverse(name)

    monkeypatch.setattr("analytics.dashboards.costs.reverse", known)
    assert price_url(7, "", "a&b=c d") == "/admin/prices/price/?organization=7&provider=%2A&model=a%26b%3Dc+d"
