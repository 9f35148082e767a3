"""Requests without a model have all failed: their line does not flatten those of the models, and the panel says so."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, User
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PANEL = '[data-panel="failure_rate"]'
WORDS = "(none) (100.0 %) goes above this axis"
# Pixels of the grey of "(none)" along the upper edge of the chart.
MARKED = """canvas => {
  const {ctx, chartArea: area, currentDevicePixelRatio: ratio} = Chart.getChart(canvas);
  const {data} = ctx.getImageData(area.left * ratio, area.top * ratio, area.width * ratio, 2 * ratio);
  const near = (value, wanted) => Math.abs(value - wanted) < 6;
  return data.filter((_, i) => i % 4 === 0 && near(data[i], 102) && near(data[i + 1], 112) && data[i + 3] > 200).length;
}"""
TOP = "canvas => Chart.getChart(canvas).scales.y.max"


def ready(page: Page) -> Page:
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    return page


def _store(organization: Organization, failing: dict[str | None, int]) -> None:
    """In each of the last 23 hours 20 requests per model, so many of which fail, from the tenth on.

    So no bucket that the range cuts holds a failure without nine others.
    """
    records = [
        RequestRecord(
            request_id=f"{model}-{hour}-{number}",
            started_at=timezone.now() - timedelta(hours=hour, minutes=number + 1),
            model=model,
            status_code=500 if (number + 10) % 20 < count else 200,
        )
        for model, count in failing.items()
        for hour in range(23)
        for number in range(20)
    ]
    outcome = ingest_records(
        organization=organization, records=records, source="test", now=timezone.now(), past_days=None
    )
    assert outcome.accepted == len(records)


def shown(page: Page) -> tuple[str, float]:
    """The note of the panel and the end of its axis."""
    top: float = page.locator(f"{PANEL} canvas").evaluate(TOP)
    return page.locator(f"{PANEL} [data-note]").text_content() or "", top


def test_what_has_no_model_is_above_the_axis_of_the_models(acme: Organization, owner: User, open_page: Open) -> None:
    _store(acme, {"gpt-5": 1, "claude-sonnet-4-5": 0, None: 20})
    page = ready(open_page(owner, "/o/acme/?from=now-24h&interval=1+hour", color_scheme="light"))
    note, top = shown(page)
    assert WORDS in note
    assert 0.05 <= top <= 0.15  # one of 20 fails in an hour
    assert page.locator(f"{PANEL} canvas").evaluate(MARKED) > 100
    legend = page.locator(f"{PANEL} .legend button", has_text="(none)")
    expect(legend).to_contain_text("100.0 %")
    label = page.locator(f"{PANEL} canvas").get_attribute("aria-label") or ""
    assert "(none) 100.0 %" in label
    assert "above" in label

    box = page.locator(f"{PANEL} canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".tooltip .tooltip-row").first).to_contain_text("(none)100.0 %")

    legend.click()  # alone it has an axis of its own
    ready(page)
    note, top = shown(page)
    assert "above" not in note
    assert top == 1
    legend.click()
    ready(page)
    assert WORDS in shown(page)[0]
    page.locator('#view-by [data-by="team"]').click()
    expect(page.locator(".breakdown-table thead")).to_contain_text("Teams")
    ready(page)
    assert "above" not in shown(page)[0]


@pytest.mark.parametrize("failing", [{"gpt-5": 16, None: 20}, {None: 20}], ids=["others fail too", "nothing else"])
def test_an_axis_on_which_all_can_be_read_is_whole(
    acme: Organization, owner: User, open_page: Open, failing: dict[str | None, int]
) -> None:
    _store(acme, failing)
    page = ready(open_page(owner, "/o/acme/?from=now-24h&interval=1+hour"))
    note, top = shown(page)
    assert "above" not in note
    assert top == 1
