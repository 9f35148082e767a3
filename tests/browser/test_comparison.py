"""Lines beside lines: what was before and what everyone has, dashed, named, and in tables; exact values of counters."""

import re

import pytest
from playwright.sync_api import Page, expect

from teams.models import Membership, Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import counted, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# What a chart is told to draw: the dashes of its lines.
DASHES = """canvas => Chart.getChart(canvas).getDatasetMeta(0).controller.marks
  .filter(({path, dash}) => path && dash).map(({dash}) => dash.join(" "))"""
SERIES = "canvas => Chart.getChart(canvas).data.datasets[0].model.series.map(({label, values}) => [label, values])"
BEFORE, EVERYONE = "4 4", "5 4"
LATENCY = '[data-panel="latency"]'


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """Half a day, and half a day before it."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/?from=now-12h&pop=all"))


def test_the_period_before_is_a_dashed_line_of_each_series(page: Page) -> None:
    canvas = page.locator(f"{LATENCY} canvas")
    assert BEFORE not in canvas.evaluate(DASHES)
    page.locator("select[name=compare]").select_option("previous_period")
    expect(page.locator(f"{LATENCY} [data-note]")).to_contain_text("compared with")
    ready(page)
    assert canvas.evaluate(DASHES).count(BEFORE) == len(traffic.MODELS)
    assert BEFORE not in page.locator('[data-panel="cost"] canvas').evaluate(DASHES)
    page.locator("select[name=compare]").select_option("none")
    expect(page.locator(f"{LATENCY} [data-note]")).not_to_contain_text("compared with")
    ready(page)
    assert BEFORE not in canvas.evaluate(DASHES)


def test_one_user_is_seen_against_everyone(page: Page) -> None:
    whole = page.locator('[data-panel="failure_rate"] [data-headline]').text_content() or ""
    page.goto(page.url + "&by=user&f=user:eq:user-1")
    ready(page)
    assert EVERYONE not in page.locator(f"{LATENCY} canvas").evaluate(DASHES)
    page.locator("select[name=compare]").select_option("everyone")
    expect(page).to_have_url(re.compile("compare=everyone"))
    everyone = page.locator('[data-panel="failure_rate"] .legend-fixed')
    expect(everyone).to_have_text(re.compile(rf"^Everyone\s*{re.escape(whole)}$"))
    ready(page)
    for name in ("failure_rate", "latency", "ttft", "tpot"):
        canvas = page.locator(f'[data-panel="{name}"] canvas')
        assert EVERYONE in canvas.evaluate(DASHES), name
        (user, own), (label, others) = canvas.evaluate(SERIES)
        assert (user, label) == ("user-1", "Everyone")
        assert own != others
        expect(page.locator(f'[data-panel="{name}"] .panel-table thead th')).to_have_text(["From", user, label])
    for name in ("requests_per_second", "cost"):
        assert EVERYONE not in page.locator(f'[data-panel="{name}"] canvas').evaluate(DASHES), name
    # It stays beside what is isolated.
    page.locator(f"{LATENCY} .legend button").click()
    expect(page.locator(".chip.isolated")).to_contain_text("user-1")
    ready(page)
    assert EVERYONE in page.locator(f"{LATENCY} canvas").evaluate(DASHES)
    page.locator(f"{LATENCY} canvas").focus()
    page.keyboard.press("End")
    for _ in range(12):
        if page.locator(".tooltip .tooltip-row .name", has_text="Everyone").count():
            break
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".tooltip .tooltip-row .name", has_text="Everyone")).to_be_visible()
    page.keyboard.press("Escape")


def test_counters_are_exact_under_the_mouse_and_with_the_keyboard(page: Page) -> None:
    value = page.locator('[data-counter="input_tokens"] .counter-value')
    exact = page.locator('[data-counter="input_tokens"] .counter-exact')
    expect(exact).to_have_css("opacity", "0")
    value.hover()
    expect(exact).to_have_css("opacity", "1")
    expect(exact).to_have_text(re.compile(r"^\d{2,3},\d{3}$"))
    expect(exact).to_have_text(counted(page, "input_tokens"))
    page.mouse.move(0, 0)
    expect(exact).to_have_css("opacity", "0")
    page.locator('[data-counter="input_tokens"]').evaluate("one => one.previousElementSibling")
    value.focus()
    page.keyboard.press("Shift+Tab")
    expect(exact).to_have_css("opacity", "0")
    page.keyboard.press("Tab")
    expect(value).to_be_focused()
    expect(exact).to_have_css("opacity", "1")


def test_paper_is_light_in_the_dark_theme(page: Page) -> None:
    grid = "canvas => Chart.getChart(canvas).options.scales.y.grid.color"
    charts = [page.locator(f'[data-panel="{name}"] canvas') for name in ("requests_per_second", "output_tokens")]
    light = [chart.evaluate(grid) for chart in charts]
    page.emulate_media(color_scheme="dark")
    for chart, colour in zip(charts, light, strict=True):
        page.wait_for_function(
            f"([canvas, colour]) => ({grid})(canvas) !== colour", arg=[chart.element_handle(), colour]
        )
    page.emulate_media(color_scheme="dark", media="print")
    assert [chart.evaluate(grid) for chart in charts] == light
    page.emulate_media(color_scheme="dark", media="screen")
    ready(page)
    assert [chart.evaluate(grid) for chart in charts] != light


def test_a_role_that_the_portal_does_not_know_sees_nothing(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    Membership.objects.filter(user=owner).update(role="auditor")
    page = ready(open_page(owner, "/o/acme/"))
    expect(page.locator('[data-state="no_permission"]')).to_contain_text("Your role in this organization is none that")
    expect(page.locator("#results")).to_be_hidden()
    expect(page.locator("#annotations")).to_be_hidden()
    # The words of the script are those of the page.
    page.keyboard.press("r")
    ready(page)
    expect(page.locator('[data-state="no_permission"]')).to_contain_text("Your role in this organization is none that")
