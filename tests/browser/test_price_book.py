"""Pricing a model in a real browser: the bill while typing, a slip of the unit, units, and the way to repricing."""

import pytest

from ingestion.models import PriceEntry
from teams.models import Organization, User
from tests import make
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BOOK = "/admin/ingestion/priceentry/"
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
LONG = "self-hosted/" + "very-long-" * 20 + "name"


@pytest.fixture
def unpriced(acme: Organization) -> None:
    """Two requests of a million tokens each without a price, and a catalogue that knows another model."""
    for _ in range(2):
        make.request(acme, model="new-model", input_tokens=1_000_000, output_tokens=100_000)
    make.request(acme, model=LONG)
    make.request(acme, model="<b>bold</b>")
    make.price("gpt-4o", "input", "2.5", source="catalogue:litellm@1")


@pytest.mark.usefixtures("unpriced")
def test_the_bill_follows_what_is_typed(acme: Organization, finance: User, open_page: Open) -> None:
    page = open_page(finance, BOOK)
    page.click("#unpriced tr:has-text('new-model') >> text=Price this model")
    assert page.input_value("[name=model_match]") == "new-model"
    page.fill("[name=price_input]", "0.0000025")
    page.wait_for_selector("#error_price_input:has-text('meant per token? Per 1M tokens that is 2.5')")
    page.fill("[name=price_input]", "0.0025")
    page.wait_for_selector("#bill .strange:has-text('Very low for 1M tokens')")
    page.fill("[name=price_input]", "2.5")
    page.fill("[name=price_output]", "10")
    page.wait_for_selector("[data-example=unpriced] tfoot:has-text('$7.00')")
    assert page.inner_text("[data-example=unpriced] caption") == "All 2 unpriced requests of this model"
    assert page.locator("#bill .strange").count() == 0
    assert page.inner_text("#error_price_input") == ""
    page.click("summary:has-text('Billed by the piece')")
    page.click("#add-unit")
    page.locator("[name=unit_name]").last.fill("web_search")
    page.locator("[name=unit_price]").last.fill("0.01")
    page.wait_for_selector("[data-example=million] tr:has-text('web_search')")
    assert not PriceEntry.objects.filter(organization=acme).exists()
    page.click("text=Save prices")
    page.wait_for_selector("text=3 prices added")
    page.click("text=Reprice them")
    assert page.input_value("[name=model]") == "new-model"
    assert page.input_value("[name=first]") == "2026-11-24"
    stored = PriceEntry.objects.filter(organization=acme).order_by("id")
    assert [one.token_class for one in stored] == ["input", "output", "unit:web_search"]


@pytest.mark.usefixtures("unpriced")
def test_a_conflict_is_seen_while_typing_and_replaced(acme: Organization, finance: User, open_page: Open) -> None:
    make.price("new-model", "input", "1", organization=acme, provider="openai", effective_from=make.NOW)
    page = open_page(finance, f"{BOOK}price/?provider=openai&model=new-model")
    assert not page.is_visible("#replace-row")
    page.fill("[name=price_input]", "2")
    page.wait_for_selector("#bill-state:has-text('There is already a price of this line from that instant: 1 USD')")
    page.click("text=Save prices")
    page.wait_for_selector(".errornote:has-text('Tick “replace it” to correct it.')")
    page.check("[name=replace]")
    page.click("text=Save prices")
    page.wait_for_selector("#history s:has-text('input: 1')")
    assert PriceEntry.objects.filter(organization=acme, corrects__isnull=False).count() == 1


@pytest.mark.usefixtures("unpriced")
def test_without_scripts_the_preview_shows_the_same_bill(acme: Organization, finance: User, open_page: Open) -> None:
    page = open_page(finance, f"{BOOK}price/?provider=openai&model=new-model", java_script_enabled=False)
    page.fill("[name=price_input]", "2.5")
    page.fill("[name=price_output]", "10")
    page.click("text=Preview")
    assert "$7.00" in page.inner_text("[data-example=unpriced] tfoot")
    assert page.input_value("[name=price_output]") == "10"
    assert not PriceEntry.objects.filter(organization=acme).exists()


@pytest.mark.usefixtures("unpriced")
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_show_names_as_text(
    acme: Organization, finance: User, open_page: Open, width: int, scheme: str
) -> None:
    make.price("new-model", "input", "1", organization=acme)
    paths = [
        "",
        f"price/?provider=openai&model={LONG}",
        f"model/?provider=openai&model={LONG}",
        "model/?model=new-model",
    ]
    for path in paths:
        page = open_page(finance, BOOK + path, viewport={"width": width, "height": 800}, color_scheme=scheme)
        assert page.evaluate(TOO_WIDE) <= 0, path
        assert page.locator("#content b").count() == 0
