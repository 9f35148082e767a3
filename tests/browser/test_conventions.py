"""What holds for the whole page: presets, colours, one crosshair, counters in words, badges of trust."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import PANELS, counted, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PRESETS = [
    *("Last 15 minutes", "Last hour", "Last 3 hours", "Last 6 hours", "Last 24 hours", "Last 2 days", "Last 7 days"),
    *("Last 30 days", "Last 90 days", "Today", "Yesterday", "This week", "Last week", "Month to date", "Last month"),
]
# Names of the legends of panels whose series are values of View by, with the colours of their samples.
SAMPLES = """() => [...document.querySelectorAll("[data-panel]")].flatMap(panel =>
  [...panel.querySelectorAll("[data-legend] li")].map(entry => {
    const shape = entry.querySelector(".swatch > *");
    const colour = shape.getAttribute("stroke") ?? shape.getAttribute("fill");
    return [panel.dataset.panel, entry.querySelector(".name").textContent, colour];
  }))"""
OF_ERRORS = ("failures_by_error_type", "failure_rate_by_status_code")
CROSSHAIRS = """() => [...document.querySelectorAll("[data-panel] canvas")].map(
  canvas => Chart.getChart(canvas).portalIndex ?? null)"""


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """Six hours, and six hours before them."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/?from=now-6h"))


def redness(colour: str) -> bool:
    """Whether red is by far the most of a colour: rgb(200, 50, 60)."""
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return red > 130 and red > 1.5 * max(green, blue)


def rgb(element: Locator) -> str:
    found: str = element.evaluate("one => getComputedStyle(one).color")
    return found


def test_ranges_and_refreshing_that_are_offered(page: Page) -> None:
    expect(page.locator(".range-presets a")).to_have_text(PRESETS)
    expect(page.locator("#range-menu summary")).to_contain_text("Last 6 hours · Europe/Berlin")
    expect(page.locator("#refresh-every option")).to_have_text(["Off", "30 s", "1 min", "5 min"])
    # The automatic interval is named and can be overridden; the page has as many points as fit.
    expect(page.locator("#interval option:checked, [name=interval] option:checked").first).to_have_text(
        re.compile(r"Auto \(\d+ minutes\)")
    )


def test_a_value_has_one_colour_everywhere_and_reds_are_for_errors(page: Page) -> None:
    found = page.evaluate(SAMPLES)
    of_values = {(name, colour) for panel, name, colour in found if panel not in OF_ERRORS}
    assert {name for name, _ in of_values} == set(traffic.MODELS)
    assert len(of_values) == len(traffic.MODELS)
    assert not any(redness(colour) for _, colour in of_values)
    assert all(redness(colour) for panel, _, colour in found if panel == OF_ERRORS[0])
    # On another visit, alone, each has it again.
    page.goto(page.url + "&f=model:eq:gpt-5&top=5")
    ready(page)
    alone = {(name, colour) for panel, name, colour in page.evaluate(SAMPLES) if panel not in OF_ERRORS}
    assert alone <= of_values
    assert len(alone) == 1


def test_counters_in_words_and_what_they_can_be_trusted_for(page: Page) -> None:
    for name in ("input_tokens", "output_tokens", "requests", "cost"):
        counter = page.locator(f'[data-counter="{name}"]')
        expect(counter.locator("svg.spark")).to_be_visible()
        expect(counter.locator(".counter-change")).to_have_text(
            re.compile(r"^\s*(up [\d.,]+ %|down [\d.,]+ %|unchanged)\s+vs the period before$")
        )
        # More is not worse: words and arrow have the colour of text.
        assert rgb(counter.locator(".counter-change")) == rgb(page.locator('[data-counter="cost"] .counter-change'))
    assert rgb(page.locator('[data-counter="requests"] .counter-notes a')) != rgb(page.locator(".counter-change").first)
    expect(page.locator('[data-counter="requests"] .counter-notes')).to_have_text(
        re.compile(r"^\d+ failed \([\d.]+ %\)$")
    )
    for name in ("input_tokens", "output_tokens", "cost"):
        headline = page.locator(f'[data-panel="{name}"] [data-headline]').inner_text()
        assert headline == page.locator(f'[data-counter="{name}"] .counter-value').inner_text().split("\n")[0]
    total = page.locator(".breakdown-table tfoot td").first
    assert total.text_content() == counted(page, "requests")
    expect(page.locator("#trust")).to_contain_text(re.compile(r"Up to \d\d:\d\d:\d\d"))
    expect(page.locator("#trust")).to_contain_text("Percentiles within 1.09 %")


def test_one_crosshair_in_all_charts_and_what_a_pinned_point_leads_to(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 3000})  # a chart out of sight is not drawn
    canvas = page.locator('[data-panel="requests_per_second"] canvas')
    canvas.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => ({CROSSHAIRS})().every(place => place === 1)")
    assert page.evaluate(CROSSHAIRS) == [1] * len(PANELS)
    page.keyboard.press("End")
    expect(page.locator(".tooltip-time")).to_contain_text("still filling")
    expect(page.locator(".tooltip-time")).to_contain_text(re.compile(r"\d\d:\d\d.* Europe/Berlin"))
    values = page.locator(".tooltip > .tooltip-row .value").all_text_contents()
    assert len(values) <= 12
    page.keyboard.press("Escape")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.locator(".tooltip").get_by_role("link", name="Exclude").first.click()
    expect(page.locator(".chip")).to_contain_text("is not")
    expect(page).to_have_url(re.compile("f=model:ne:"))
    ready(page)
