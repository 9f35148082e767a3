"""Legends and menus of charts in a real browser: isolating by pointer and keys, more columns, sorted, explained."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOWN = '.legend [aria-pressed="true"]'


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """A day of traffic of three models."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/"))


def panel(page: Page, name: str) -> Locator:
    return page.locator(f'[data-panel="{name}"]')


def act(page: Page, name: str, act: str) -> None:
    panel(page, name).locator("summary").click()
    panel(page, name).locator(f'[data-act="{act}"]').click()


def test_click_isolates_ctrl_toggles_double_click_resets_in_all_panels(page: Page) -> None:
    cost, latency = panel(page, "cost"), panel(page, "latency")
    cost.locator(".legend button", has_text="gpt-5").click()
    expect(latency.locator(SHOWN)).to_have_count(1)
    expect(page.locator(".chip.isolated")).to_contain_text("Showing only gpt-5")
    ready(page)
    latency.locator(".legend button", has_text="claude").click(modifiers=["Control"])
    expect(cost.locator(SHOWN)).to_have_count(2)
    ready(page)
    cost.locator(".legend button").first.dblclick()
    expect(cost.locator(SHOWN)).to_have_count(3)
    expect(page.locator(".chip.isolated")).to_have_count(0)
    ready(page)


def test_keys_isolate_and_escape_shows_all(page: Page) -> None:
    button = panel(page, "cost").locator(".legend button").nth(1)
    button.focus()
    page.keyboard.press("Enter")
    expect(panel(page, "latency").locator(SHOWN)).to_have_count(1)
    ready(page)
    expect(button).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel(page, "latency").locator(SHOWN)).to_have_count(3)
    ready(page)


def numbers(of: Locator, column: int) -> list[float]:
    """Of the rows below the head; seconds as milliseconds."""
    texts = of.locator(f".long-legend li:not(.legend-head) .value:nth-last-child({column})").all_text_contents()
    found = [(float(re.sub(r"[^\d.]", "", text) or "-1"), text) for text in texts]
    return [value * 1000 if re.search(r" s$", text) else value for value, text in found]


def test_the_long_legend_has_last_max_and_range_and_is_sorted(page: Page) -> None:
    for name, whole in (("latency", "Range"), ("input_tokens", "Total")):
        of = panel(page, name)
        assert of.locator(".legend-head").count() == 0
        act(page, name, "legend")
        expect(of.locator(".legend-head button")).to_have_text(["Series", "Last", "Max", whole])
        for column, key in ((2, "max"), (1, "value"), (3, "last")):
            head = of.locator(f".legend-head .{key}")
            head.click()
            expect(head).to_contain_text("↓")
            assert len(numbers(of, column)) == 3
            assert numbers(of, column) == sorted(numbers(of, column), reverse=True)
            head.click()
            expect(head).to_contain_text("↑")
            expect(head).to_be_focused()
            assert numbers(of, column) == sorted(numbers(of, column))
        of.locator(".legend-head .name").click()
        names = of.locator(".long-legend .name:not(button)").all_text_contents()
        assert names == sorted(names)
    # What is isolated there is isolated everywhere.
    panel(page, "latency").locator(".long-legend button", has_text="gpt-5").click()
    expect(panel(page, "cost").locator(SHOWN)).to_have_count(1)
    ready(page)
    act(page, "latency", "legend")
    expect(panel(page, "latency").locator(".legend-head")).to_have_count(0)
    expect(panel(page, "latency").locator("[data-legend]")).to_be_visible()


def test_what_a_chart_shows_is_explained(page: Page) -> None:
    act(page, "latency", "explain")
    words = panel(page, "latency").locator("[data-definition]")
    expect(words).to_contain_text("Last byte sent - request received")
    expect(words).to_contain_text("at most 1.09 % from the exact value")
    expect(words).to_contain_text(re.compile(r"Read from .+; [\d,]+ rows"))
    act(page, "cost", "explain")
    expect(panel(page, "cost").locator("[data-definition]")).to_contain_text(re.compile(r"Price book version \d+\."))


def test_series_and_choices_are_told_apart_where_the_system_forces_its_colours(
    acme: Organization, owner: User, open_page: Open
) -> None:
    traffic.store(acme)
    page = ready(open_page(owner, "/o/acme/", forced_colors="active"))
    samples = panel(page, "latency").locator(".legend .swatch line")
    assert len(set(samples.evaluate_all("all => all.map((one) => one.getAttribute('stroke'))"))) == 3
    expect(page.locator('#view-by [aria-current="true"]')).to_have_css("outline-style", "solid")


def test_the_others_lead_to_the_table(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme, models=tuple(f"model-{number}" for number in range(7)))
    page = ready(open_page(owner, "/o/acme/?top=5&from=now-18h&interval=1+day"))
    canvas = panel(page, "cost").locator("canvas")
    expect(panel(page, "cost").locator("[data-legend]")).to_contain_text("Other (2)")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    button = page.locator(".tooltip").get_by_role("button", name="In the table")
    for place in (0.85, 0.5, 0.25):  # which day is where, and which has the others, depends on the hour
        page.mouse.click(box["x"] + box["width"] * place, box["y"] + 100)
        expect(page.locator(".tooltip")).to_be_visible()
        if button.is_visible():
            break
    button.click()
    expect(page.locator(".tooltip")).to_be_hidden()
    expect(page.locator("#breakdown .table-scroll")).to_be_focused()


def test_a_chart_has_a_percentile_of_its_own(page: Page) -> None:
    questions: list[str] = []
    page.on("request", lambda request: questions.append(request.url) if "/data" in request.url else None)
    latency, ttft = panel(page, "latency"), panel(page, "ttft")
    latency.locator("summary").click()
    expect(latency.locator('.panel-percentile [aria-current="true"]')).to_have_text("As all")
    latency.locator('[data-own="99"]').click()
    expect(page).to_have_url(re.compile(r"\?p_latency=99$"))
    expect(latency.locator("[data-note]")).to_contain_text("P99 · successful")
    page.keyboard.press("3")
    expect(ttft.locator("[data-note]")).to_contain_text("P90 · successful")
    expect(latency.locator("[data-note]")).to_contain_text("P99 · successful")
    assert questions == []
    ready(page).reload()
    ready(page)
    value = latency.locator("[data-headline]").text_content()
    latency.locator("summary").click()
    latency.locator('[data-own=""]').click()
    expect(page).to_have_url(re.compile(r"\?p=90$"))
    expect(latency.locator("[data-note]")).to_contain_text("P90 · successful")
    assert latency.locator("[data-headline]").text_content() != value


def test_without_scripts_a_chart_keeps_its_percentile(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    heads = []
    for query in ("p=99", "p_latency=99", "p=50"):
        written = open_page(owner, f"/o/acme/?{query}", java_script_enabled=False)
        heads.append([panel(written, name).locator("[data-headline]").text_content() for name in ("latency", "ttft")])
    assert heads[1] == [heads[0][0], heads[2][1]]
    assert heads[0][0] != heads[2][0]
