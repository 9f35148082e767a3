"""What the dashboard says and does when an answer is late, refused, wrong, empty, or not worth asking for."""

import re

import pytest
from playwright.sync_api import Page, Request, Route, expect
from pytest_django import Settings

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import counted, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIXED = "?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z"
# The next answer is an error of the server. Not by a route: the browser would write one into its console.
FAILS_ONCE = """() => {
  const whole = window.fetch;
  window.fetch = async () => {
    window.fetch = whole;
    const body = {title: "Something broke", detail: "It is recorded.", request_id: "req-4711"};
    return new Response(JSON.stringify(body), {status: 500});
  };
}"""
# The next answer comes after all others, and does not care who gave it up.
COMES_LATE = """() => {
  const whole = window.fetch;
  let tell;
  window.arrived = new Promise((done) => { tell = done; });
  window.fetch = async (url, {signal, ...options}) => {
    window.fetch = whole;
    const answer = await whole(url, options);
    tell();
    await new Promise((done) => { window.comeLate = done; });
    return answer;
  };
}"""
SETTLED = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done)), 50))"
HIDDEN = """hidden => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def questions() -> list[str]:
    """Addresses of data requests, in order."""
    return []


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open, questions: list[str]) -> Page:
    """A day of traffic. The clock of the page goes on by itself, and faster when a test says so."""
    traffic.store(acme)
    page = open_page(owner, "/o/acme/")
    page.on("request", lambda request: questions.append(request.url) if "/data" in request.url else None)
    return ready(page)


def test_an_error_keeps_the_old_answer_has_an_id_and_is_tried_again(page: Page) -> None:
    page.evaluate(FAILS_ONCE)
    page.keyboard.press("r")
    failure = page.locator("#failure")
    expect(failure).to_contain_text("Something broke. It is recorded. Id: req-4711")
    expect(failure).to_have_attribute("role", "alert")
    assert counted(page, "requests") == "180"
    expect(page.locator('[data-panel="cost"] canvas')).to_be_visible()
    with page.expect_response(re.compile("/data")):
        failure.get_by_role("button", name="Retry").press("Enter")
    expect(failure).to_be_empty()
    ready(page)


def test_too_large_a_question_says_what_to_narrow(
    acme: Organization, owner: User, open_page: Open, settings: Settings
) -> None:
    settings.QUERY_FACT_BUDGET = 10
    traffic.store(acme)
    page = open_page(owner, "/o/acme/?from=now-6h&interval=15+minute")
    state = page.locator('[data-state="problem"]')
    expect(state).to_contain_text(re.compile(r"narrow the range to \d+ hours"))
    expect(state).to_contain_text("use an interval of an hour or more")
    expect(page.locator("#results")).to_be_hidden()
    settings.QUERY_FACT_BUDGET = 250_000
    page.reload()
    expect(page.locator("#results")).to_be_visible()
    # The same when the page stands already.
    settings.QUERY_FACT_BUDGET = 10
    ready(page).keyboard.press("r")
    expect(state.locator("li")).to_have_count(2)
    expect(page.locator("#results")).to_be_hidden()
    ready(page)


def test_a_question_that_another_one_follows_is_given_up(page: Page) -> None:
    held: list[Route] = []
    given_up: list[str] = []

    def failed(request: Request) -> None:
        given_up.append(f"{request.url} {request.failure}")

    page.on("requestfailed", failed)
    page.route("**/data?by=user", lambda route: held.append(route))  # noqa: PLW0108 - Playwright asks a function for its name
    page.locator('#view-by [data-by="user"]').click()
    expect(page.locator("#dashboard")).to_have_class(re.compile("is-loading"))
    expect(page.locator("#results")).to_have_css("opacity", "0.5")
    page.locator('#view-by [data-by="team"]').click()
    expect(page.locator(".breakdown-table tbody")).to_contain_text("Search")
    ready(page)
    assert len(held) == len(given_up) == 1
    assert re.search(r"by=user net::ERR_ABORTED$", given_up[0])


def test_an_answer_that_comes_late_is_not_drawn(page: Page) -> None:
    page.evaluate(COMES_LATE)
    page.locator('#view-by [data-by="user"]').click()
    page.evaluate("window.arrived")
    page.locator('#view-by [data-by="team"]').click()
    expect(page.locator("#breakdown-title")).to_have_text("Teams")
    ready(page)
    page.evaluate("window.comeLate()")
    page.evaluate(SETTLED)
    expect(page.locator("#breakdown-title")).to_have_text("Teams")
    assert page.title().startswith("Teams, ")
    expect(page.locator("#failure")).to_be_empty()


def test_refreshing_waits_for_a_fixed_range_and_a_hidden_tab_and_says_so(page: Page, questions: list[str]) -> None:
    page.clock.install()
    waits = page.locator("#refresh-waits")
    page.goto(page.url + FIXED)
    page.locator("#refresh-every").select_option("30")
    expect(waits).to_have_text("Paused: the range stands still")
    page.clock.run_for(61_000)
    assert questions == []
    page.locator("#refresh-every").select_option("0")
    expect(waits).to_be_hidden()

    page.locator("#range-menu summary").click()
    page.locator('[data-from="now-24h"]').click()
    ready(page)
    page.locator("#refresh-every").select_option("30")
    expect(waits).to_be_hidden()
    page.evaluate(HIDDEN, True)
    assert page.title().startswith("\u23f8 Models, ")
    page.clock.run_for(61_000)
    assert len(questions) == 1
    # Who comes back sees new numbers at once.
    with page.expect_response(re.compile("/data")):
        page.evaluate(HIDDEN, False)
        page.clock.run_for(1_000)
    ready(page)
    assert page.title().startswith("Models, ")
    assert len(questions) == 2


def test_what_no_filter_finds_leads_back_to_all(page: Page) -> None:
    page.goto(page.url + "?f=model:eq:nobody-has-it&p=77&by=nonsense")
    notices = page.locator("#messages .notice")
    expect(notices).to_have_count(2)
    notices.first.get_by_role("button", name="Dismiss").press("Enter")
    expect(notices).to_have_count(1)
    clear = page.locator('[data-state="nothing_for_filters"]').get_by_role("link", name="Clear the filters")
    ready(page)
    clear.press("Enter")
    expect(page.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text("180")
    ready(page)
