"""The menu of a chart by keys and by mouse: every entry does what it says, and the answer of the page is in it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZE = "canvas => [canvas.width, canvas.height]"


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """A day of traffic."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/?by=team", permissions=["clipboard-read", "clipboard-write"]))


@pytest.fixture
def panel(page: Page) -> Locator:
    return page.locator('[data-panel="input_tokens"]')


def choose(page: Page, panel: Locator, act: str) -> None:
    """Open the menu and go to an entry by Tab alone."""
    panel.locator("details.menu > summary").focus()
    page.keyboard.press("Enter")
    entry = panel.locator(f'[data-act="{act}"]')
    for _ in range(12):
        page.keyboard.press("Tab")
        if entry.evaluate("one => one === document.activeElement"):
            break
    expect(entry).to_be_focused()
    page.keyboard.press("Enter")


def test_every_entry_is_reached_by_tab(page: Page, panel: Locator, tmp_path: Path) -> None:
    choose(page, panel, "table")
    expect(panel.locator(".panel-table")).to_be_focused()
    shown = panel.locator(".panel-table tfoot td").all_text_contents()
    headline = page.locator('[data-counter="input_tokens"] .counter-value .visually-hidden').text_content()
    assert f"{sum(int(text.replace(',', '')) for text in shown):,}" == headline

    choose(page, panel, "copy")
    expect(page.locator("#live")).to_have_text("Copied.")
    copied = [line.split("\t") for line in page.evaluate("navigator.clipboard.readText()").splitlines()]
    assert sorted(copied[0]) == ["Ads", "Search", "start"]
    assert f"{sum(int(cell) for line in copied[1:] for cell in line[1:]):,}" == headline
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", line[0]) for line in copied[2:])

    with page.expect_download() as download:
        choose(page, panel, "png")
    download.value.save_as(tmp_path / "panel.png")
    picture = (tmp_path / "panel.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    size = [int.from_bytes(picture[place : place + 4], "big") for place in (16, 20)]
    assert size == panel.locator("canvas").evaluate(SIZE)
    assert download.value.suggested_filename.startswith("input_tokens_acme_")

    choose(page, panel, "explain")
    expect(panel.locator("[data-definition]")).to_contain_text("Tokens sent to the model")
    choose(page, panel, "curl")
    expect(page.locator("#curl-title")).to_have_text("Input tokens by API")
    page.keyboard.press("Escape")
    expect(page.locator("#curl-dialog")).to_be_hidden()


def test_the_whole_screen_is_filled_and_left(page: Page, panel: Locator) -> None:
    small = panel.locator("canvas").evaluate(SIZE)
    choose(page, panel, "expand")
    expect(page.locator("[data-panel]:fullscreen h3")).to_have_text("Input tokens")
    # The tooltip is seen there too: what is outside of the element on the screen is not.
    canvas = panel.locator("canvas")
    expect(canvas).not_to_have_attribute("width", str(small[0]))
    canvas.focus()
    page.keyboard.press("End")
    expect(page.locator(".tooltip")).to_be_visible()
    box = page.locator(".tooltip").bounding_box()
    assert box is not None
    seen = "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.tooltip, .panel'))"
    assert page.evaluate(seen, [box["x"] + 5, box["y"] + 5])
    assert page.evaluate("document.fullscreenElement.contains(document.querySelector('.tooltip'))")
    choose(page, panel, "expand")
    expect(page.locator("[data-panel]:fullscreen")).to_have_count(0)
    expect(canvas).to_have_attribute("width", str(small[0]))
