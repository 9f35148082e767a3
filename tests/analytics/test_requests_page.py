"""The list of single requests and one of them: complete, in order, within what a person may see, whatever the names."""

import re
from datetime import timedelta
from html import unescape
from typing import Any, Final

import pytest
from django.test import Client
from django.utils.http import urlencode

from analytics import rollups
from ingestion.models import LLMRequest, Watermark
from teams.models import Organization, Team
from tests import make, pages

PAGE: Final = "/o/acme/requests/"
ONE: Final = "/o/acme/requests/one"
DAY: Final = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
HOSTILE: Final = "a/b?c=1#d&e='\"><img src=x onerror=alert(1)>%2F..\\"


def links(html: str, words: str) -> list[str]:
    """Addresses of the links with exactly that text."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)
    return [unescape(href) for href, text in found if re.sub("<[^>]*>", "", text).strip() == words]


def ids(html: str) -> list[str]:
    """Request ids of the list, as the links' titles tell them."""
    return [unescape(one) for one in re.findall(r'<th scope="row" class="sticky"><a [^>]*title="([^"]*)"', html)]


@pytest.fixture
def read(client: Client, request: pytest.FixtureRequest) -> Any:
    """A page as a persona sees it."""

    def as_persona(path: str = PAGE, persona: str = "owner", status: int = 200, **parameters: Any) -> str:
        client.force_login(request.getfixturevalue(persona))
        response = client.get(path, parameters)
        assert response.status_code == status
        return response.content.decode()

    return as_persona


def many(acme: Organization, count: int) -> list[str]:
    """Requests of which several start at the same instant; newest first, those stored last first among equals."""
    for number in range(count):
        make.request(acme, request_id=f"n{number}", started_at=make.NOW - timedelta(minutes=number // 3))
    rows = LLMRequest.objects.filter(organization=acme).order_by("-started_at", "-pk")
    return list(rows.values_list("request_id", flat=True))


@pytest.mark.django_db
def test_every_request_is_on_one_page_and_back(acme: Organization, read: Any) -> None:
    expected = many(acme, 120)
    period = {"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}
    html, seen, trail = read(**period), [], []
    while True:
        seen += ids(html)
        trail.append(html)
        older = links(html, "Older")
        if not older:
            break
        assert "from=2020" in older[0]
        html = read(PAGE + older[0])
    assert seen == expected
    assert len(trail) == 3
    assert "place=" not in links(trail[-1], "Failed only")[0]
    for earlier in trail[-2::-1]:
        html = read(PAGE + links(html, "Newer")[0])
        assert ids(html) == ids(earlier)
    assert ids(read(PAGE + links(trail[-1], "Newest")[0])) == expected[:50]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "place", ["", "x", "1-2-sideways", "9" * 17 + "-1-older", "1-" + "9" * 18 + "-newer", "-1--1-older"]
)
def test_a_place_that_somebody_changed_is_no_error(acme: Organization, read: Any, place: str) -> None:
    many(acme, 3)
    assert "<h1>Requests</h1>" in read(place=place, **{"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"})


@pytest.mark.usefixtures("world")
def test_what_each_may_see(read: Any) -> None:
    html = read(**DAY)
    assert ids(html) == ["u1", "a2", "s3", "s2", "a1", "s1"]
    assert "rival" not in html
    assert ids(read(persona="viewer", **DAY)) == ["s3", "s2", "s1"]
    assert ids(read(persona="member", **DAY)) == ["a1"]
    read(persona="outsider", status=404, **DAY)
    read(ONE, persona="viewer", id="s1")
    for hidden in ("a1", "u1", "rival-1", "nothing", "", "\0"):
        read(ONE, persona="viewer", status=404, id=hidden)
    read(ONE, persona="outsider", status=404, id="s1")
    trace = read(ONE, id="s1")
    assert [row[1] for row in pages.rows(trace) if len(row) == 4] == ["Request", "s2"]


@pytest.mark.usefixtures("world")
def test_failed_ones_and_filters(read: Any) -> None:
    html = read(**DAY)
    (failed,) = links(html, "Failed only")
    found = read(PAGE + failed)
    assert {row[1] for row in pages.rows(found)[1:]} >= {"429 RateLimitError"}
    assert len(ids(found)) < 6
    assert sorted(ids(read(PAGE + links(found, "Show all")[0]))) == sorted(ids(html))
    assert re.search(r"6 requests, \d failed", html)
    assert "No data for these filters" in read(f="model:eq:never", **DAY)
    assert ids(read(f="team:eq:Ads", **DAY)) == [one for one in ids(html) if one.startswith("a")]


@pytest.mark.django_db
def test_names_are_shown_literally_and_the_link_leads_to_the_request(acme: Organization, read: Any) -> None:
    metadata = {"tenant": HOSTILE, HOSTILE[:40]: "x"}
    make.request(
        acme, request_id=HOSTILE, user=HOSTILE, model=HOSTILE, team=HOSTILE, metadata=metadata, status_code=500,
        error_type=HOSTILE, error_message=HOSTILE,
    )  # fmt: skip
    rollups.drain()
    html = read(**{"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"})
    assert ids(html) == [HOSTILE]
    assert "<img src=x" not in html
    address = unescape(re.findall(r'<th scope="row" class="sticky"><a href="([^"]*)"', html)[0])
    assert address == f"{ONE}?{urlencode({'id': HOSTILE})}".replace("+", "%20")
    one = read(address)
    assert "<img src=x" not in one
    found = pages.definitions(one)
    assert (found["User"], found["Model"], found["tenant"]) == (HOSTILE, HOSTILE, HOSTILE)
    for link in re.findall(r'<dd><a href="([^"]*)"', one):
        period = "&from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"
        assert ids(read(unescape(link) + period)) == [HOSTILE], link


@pytest.mark.django_db
def test_one_request_tells_where_time_and_money_went(acme: Organization, search: Team, read: Any) -> None:
    make.price("gpt-5", "input", "1.25")
    make.price("gpt-5", "cache_read", "0.125")
    make.price("gpt-5", "output", "10")
    make.adjustment(acme, "discount", "10")
    make.virtual_account(acme, "search-api", team=search)
    first = make.request(acme, request_id="sibling", trace_id="t1", model="gpt-5")
    make.request(
        acme, request_id="mine", trace_id="t1", model="gpt-5", virtual_account="search-api", input_tokens=1_000,
        cache_read_tokens=400, output_tokens=100, latency_ms=2_000.0, ttft_ms=500.0, started_at=first.started_at,
    )  # fmt: skip
    html = read(ONE, id="mine")
    assert [row[1:5] for row in pages.rows(html) if len(row) == 6 and "per 1M" in row[2]] == [
        ["600", "$1.25 per 1M", "$0.00075", "by hand, gpt-5"],
        ["400", "$0.125 per 1M", "$0.00005", "by hand, gpt-5"],
        ["100", "$10 per 1M", "$0.001", "by hand, gpt-5"],
    ]
    found = pages.definitions(html)
    assert (found["Price book"], found["Contracted"], found["Billed"]) == ("$0.0018", "$0.00162", "$0.00162")
    assert (found["Team"], found["Why this team"]) == ("Search", "the virtual account belongs to it")
    assert "500 ms to the first token, 1.50 s from there to the last" in html
    assert 'class="first" x="0" y="0" width="250"' in html
    assert "sibling" in html
    assert "has changed since" not in html
    make.price("gpt-5", "input", "2", effective_from=first.started_at.replace(year=2021))
    assert "repricing would give it the amount above" in read(ONE, id="mine")


@pytest.mark.django_db
def test_removed_requests_are_named(acme: Organization, read: Any) -> None:
    make.request(acme, started_at=make.NOW)
    period = {"from": "2026-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}
    assert "Single requests are kept since" not in read(**period)
    Watermark.objects.create(organization=acme, subject="requests", before=make.NOW.replace(hour=0, minute=0))
    assert "Single requests are kept since" in read(**period)


@pytest.mark.django_db
def test_an_empty_list_says_what_to_do(acme: Organization, read: Any) -> None:
    assert "Connect your gateway" in read()
    make.request(acme, started_at=make.NOW)
    assert "No requests in this range" in read(**{"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})
