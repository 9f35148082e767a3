"""Pages that come from libraries work under the content policy, in a real browser."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test for whatever the browser complains about, violations of the policy included."""
    context = browser.new_context()
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda request: complaints.append(request.url))
    yield opened
    context.close()
    assert complaints == []


def test_the_api_description_is_drawn_in_the_colours_of_the_portal(live_server: LiveServer, page: Page) -> None:
    for scheme, background in (("light", "rgb(250, 250, 250)"), ("dark", "rgb(28, 32, 34)")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # a literal of its
        page.goto(f"{live_server.url}/api/docs/")
        page.wait_for_selector(".swagger-ui .info .title")
        assert "Metrics portal API" in page.inner_text(".swagger-ui .info .title")
        assert page.locator(".swagger-ui .opblock, .swagger-ui h3").count() > 0
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == background


def test_the_administration_works(live_server: LiveServer, page: Page) -> None:
    owner = make.member(make.organization(), "owner")
    client = Client()
    client.force_login(owner)
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])
    page.goto(f"{live_server.url}/admin/")
    changelists = page.locator("#content th a").evaluate_all("links => links.map(link => link.href)")
    assert changelists
    for address in changelists:
        page.goto(address)
        page.wait_for_selector("#content")
        add = page.locator("a.addlink")
        if add.count():
            page.goto(add.first.evaluate("link => link.href"))
            page.wait_for_selector("#content form")
