"""Every operator of a filter through the dialog, by keys and by mouse; all filters taken away at once."""

import re

import pytest
from playwright.sync_api import Page, expect

from analytics.query.parsing import OPERATOR_WORDS
from analytics.query.values import Operator
from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ALL = traffic.COUNT
FAST = 50
"""Latencies are 800, 810, 820 … ms: so many are below 1,300."""
ASKED: dict[Operator, tuple[str, tuple[str, ...], int]] = {
    Operator.EQ: ("model", ("gpt-5",), ALL // 3),
    Operator.NE: ("model", ("gpt-5",), ALL * 2 // 3),
    Operator.IN: ("model", ("gpt-5", "gpt-4.1-mini"), ALL * 2 // 3),
    Operator.NIN: ("model", ("gpt-5", "gpt-4.1-mini"), ALL // 3),
    Operator.CONTAINS: ("model", ("sonnet",), ALL // 3),
    Operator.NCONTAINS: ("model", ("sonnet",), ALL * 2 // 3),
    Operator.STARTS: ("model", ("gpt",), ALL * 2 // 3),
    Operator.NSTARTS: ("model", ("gpt",), ALL // 3),
    Operator.ENDS: ("model", ("mini",), ALL // 3),
    Operator.NENDS: ("model", ("mini",), ALL * 2 // 3),
    Operator.NULL: ("error_type", (), ALL * 8 // 9),
    Operator.NNULL: ("error_type", (), ALL // 9),
    Operator.GT: ("latency_ms", ("1300",), ALL - FAST - 1),
    Operator.GTE: ("latency_ms", ("1300",), ALL - FAST),
    Operator.LT: ("latency_ms", ("1300",), FAST),
    Operator.LTE: ("latency_ms", ("1300",), FAST + 1),
    Operator.BETWEEN: ("latency_ms", ("800", "1300"), FAST + 1),
}
"""Field, values, and how many of the requests are left."""
PLACE = """(list, value) => [...list.options].findIndex((one) => one.value === value) - list.selectedIndex"""


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """A day of traffic and an hour, so that all of it is in the range at any minute."""
    traffic.store(acme)
    page = open_page(owner, "/o/acme/?from=now-25h")
    # Suggestions have tests of their own: without them Enter takes what was typed, however late they come.
    page.route("**/values?*", lambda route: route.fulfill(json={"results": []}))
    return ready(page)


def by_keys(page: Page, name: str, value: str) -> None:
    """Choose in a list as one does who has no mouse."""
    found = page.locator(name)
    found.focus()
    steps = found.evaluate(PLACE, value)
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
    expect(found).to_have_value(value)


def type_values(page: Page, values: tuple[str, ...]) -> None:
    if page.locator("#filter-numbers").is_visible():
        for name, value in zip(("low", "high"), values, strict=False):
            page.locator(f"#filter-{name}").fill(value)
        return
    for value in values:
        box = page.locator("#filter-values-field .ts-control input")
        box.press_sequentially(value)
        expect(page.locator(".ts-dropdown .create.active")).to_contain_text(f"“{value}”")
        box.press("Enter")
        expect(page.locator(f'#filter-values-field .item[data-value="{value}"]')).to_have_count(1)


def shows(page: Page, operator: Operator) -> None:
    """The filter in the address, its words on the chip, and what it leaves."""
    field, values, count = ASKED[operator]
    expect(page).to_have_url(re.compile(re.escape(f"f={field}:{operator.value}:{','.join(values)}") + "($|&)"))
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator(".chip .muted")).to_have_text(OPERATOR_WORDS[operator])
    ready(page)
    expect(page.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text(str(count))


def test_every_operator_is_asked_by_keys(page: Page) -> None:
    assert set(ASKED) == set(Operator)
    for operator, (field, values, _) in ASKED.items():
        page.keyboard.press("f")
        by_keys(page, "#filter-field", field)
        by_keys(page, "#filter-operator", operator.value)
        type_values(page, values)
        page.locator("#filter-form [type=submit]").press("Enter")
        shows(page, operator)
        page.locator(".chip button").press("Delete")
        expect(page.locator(".chip")).to_have_count(0)
        ready(page)


@pytest.mark.slow
def test_every_operator_is_edited_by_mouse(page: Page) -> None:
    page.locator("#filter-add").click()
    for operator, (field, values, _) in ASKED.items():
        page.locator("#filter-field").select_option(field)
        page.locator("#filter-operator").select_option(operator.value)
        for item in page.locator("#filter-values-field .item .remove").all():
            item.click()
        type_values(page, values)
        page.locator("#filter-form [type=submit]").click()
        shows(page, operator)
        page.locator(".chip .chip-text").click()
        expect(page.locator("#filter-title")).to_have_text("Edit filter")
        expect(page.locator("#filter-operator")).to_have_value(operator.value)
    page.keyboard.press("Escape")


def test_all_filters_are_taken_away_at_once(page: Page) -> None:
    clear = page.locator("#filters-clear")
    expect(clear).to_be_hidden()
    page.goto(page.url + "&by=team&f=model:eq:gpt-5&f=error_type:null:&f=latency_ms:lt:1300")
    ready(page)
    expect(page.locator(".chip")).to_have_count(3)
    clear.click()
    expect(page).to_have_url(re.compile(r"\?from=now-25h&by=team$"))
    expect(page.locator(".chip")).to_have_count(0)
    expect(clear).to_be_hidden()
    ready(page)
    expect(page.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text(str(ALL))
    page.go_back()
    expect(page.locator(".chip")).to_have_count(3)
    expect(clear).to_be_visible()
    ready(page)
