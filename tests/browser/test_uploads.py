"""Uploading a file in a real browser, with and without JavaScript: sent, looked into, imported, reported."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from ingestion import services, tasks
from ingestion.models import LLMRequest, Upload
from ingestion.uploads import running
from teams.models import Organization, User
from tests.browser.conftest import Open
from tests.ingestion.uploads import content

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
HOSTILE = "<img src=x onerror=alert(1)> with a name that is longer than a phone is wide.csv"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of this test; a worker stores ten records a turn, so that the page can be looked at in between."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    monkeypatch.setattr(running, "TURN", timedelta(seconds=-1))
    monkeypatch.setattr(services.batches, "__defaults__", (10,))
    return tmp_path


def choose(page: Page, folder: Path, body: bytes, name: str = "requests.csv") -> None:
    (folder / "chosen").mkdir(exist_ok=True)
    path = folder / "chosen" / name
    path.write_bytes(body)
    page.set_input_files("#upload-file", str(path))
    page.get_by_role("button", name="Upload and preview").click()


def work() -> None:
    """What a worker does when it is called once."""
    tasks.import_upload(str(Upload.objects.get().pk))


def finish() -> None:
    """Workers are called until nothing is left to do."""
    while Upload.objects.filter(state="queued").exists():
        work()


def test_from_the_page_of_ingest_to_the_report(acme: Organization, admin: User, open_page: Open, folder: Path) -> None:
    page = open_page(admin, "/o/acme/ingestion/")
    page.get_by_role("link", name="Upload a file").click()
    choose(page, folder, content.csv(25, more=content.REJECTED))
    expect(page.locator("h1")).to_have_text("requests.csv")
    expect(page.locator(".upload-records tbody tr")).to_have_count(20)
    expect(page.locator("main")).to_contain_text("recognised as csv · 26 records")
    expect(page.locator("main")).to_contain_text("1 of the first 26 records would be rejected")

    page.get_by_role("button", name="Import").click()
    expect(page.locator("#upload-words")).to_have_text("Waits for a worker")
    bar, seen = page.locator("#upload-bar"), [0]
    for records in ("10", "20"):
        work()
        expect(page.locator('[data-shown="records"]')).to_have_text(records)
        seen.append(bar.evaluate("one => one.value"))
    finish()
    expect(page.locator("#upload-words")).to_have_text("Imported")
    seen.append(bar.evaluate("one => one.value"))
    assert (sorted(seen), seen[-1]) == (seen, 100)
    assert LLMRequest.objects.count() == 25
    expect(page.locator('[data-shown="accepted"]')).to_have_text("25")
    expect(page.locator('[data-shown="rejected"]')).to_have_text("1")
    expect(page.locator("section[aria-labelledby=rejections] tbody tr")).to_contain_text("started_at must be a time")
    page.get_by_role("link", name="See these requests").click()
    expect(page.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text("25")


def test_the_bar_moves_with_the_file(acme: Organization, admin: User, open_page: Open, folder: Path) -> None:
    page = open_page(admin, "/o/acme/ingestion/upload")
    rows = 6_000
    choose(page, folder, content.csv(rows))
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#upload-words")).to_have_text("Waits for a worker")
    work()
    expect(page.locator('[data-shown="records"]')).to_have_text("10")
    share = page.locator("#upload-bar").evaluate("one => one.value")
    assert 0 < share < 100
    expect(page.locator('[data-shown="share"]')).to_have_text(str(int(share)))
    expect(page.locator('[data-shown="rate"]')).to_contain_text("/s")


def test_without_javascript(acme: Organization, admin: User, open_page: Open, folder: Path) -> None:
    page = open_page(admin, "/o/acme/ingestion/upload", java_script_enabled=False)
    choose(page, folder, content.csv(15))
    page.get_by_role("button", name="Import").click()
    work()
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator('[data-shown="records"]')).to_have_text("10")
    finish()
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#upload-words")).to_have_text("Imported")
    expect(page.locator('[data-shown="accepted"]')).to_have_text("15")


def test_files_that_are_refused_leave_the_page_as_it_was(
    acme: Organization, admin: User, open_page: Open, folder: Path, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 1_000_000
    page = open_page(admin, "/o/acme/ingestion/upload")
    choose(page, folder, b"x" * 1_000_001)
    expect(page.locator("#upload-error")).to_contain_text("Compress it with gzip, or split it.")
    page.evaluate("document.getElementById('upload-form').dataset.maxBytes = 1e9")
    expect(page.get_by_role("button", name="Upload and preview")).to_be_enabled()
    assert Upload.objects.count() == 0


def test_a_session_that_ended_is_told(acme: Organization, admin: User, open_page: Open, folder: Path) -> None:
    page = open_page(admin, "/o/acme/ingestion/upload")
    page.context.clear_cookies()
    choose(page, folder, content.csv(1))
    expect(page.locator("#upload-error")).to_contain_text("You were signed out.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_every_page_fits(
    acme: Organization, admin: User, open_page: Open, folder: Path, width: int, scheme: str
) -> None:
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = open_page(admin, "/o/acme/ingestion/upload", **options)
    assert page.evaluate(TOO_WIDE) <= 0
    choose(page, folder, content.csv(12, more=content.REJECTED), HOSTILE)
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#upload-words")).to_have_text("Waits for a worker")
    assert page.evaluate(TOO_WIDE) <= 0
    finish()
    expect(page.locator("#upload-words")).to_have_text("Imported")
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_label("Breadcrumb").get_by_role("link", name="Upload").click()
    expect(page.locator("section[aria-labelledby=latest] tbody tr")).to_contain_text("Imported")
    assert page.evaluate(TOO_WIDE) <= 0
