"""The page of ingest in a real browser: with and without traffic, narrow and wide, dark and light."""

import json

import pytest
from django.test import Client

from teams.models import Organization, User
from teams.services import IssuedKey
from tests import make
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_with_and_without_senders(
    acme: Organization, owner: User, ingest_key: IssuedKey, open_page: Open, width: int, scheme: str
) -> None:
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = open_page(owner, "/o/acme/ingestion/", **options)
    assert "Connect your gateway" in page.inner_text("main")
    assert page.evaluate(TOO_WIDE) <= 0
    page.click("text=Send a test record")
    page.wait_for_selector("text=The test record was stored.")
    bad = [{"request_id": "x" * 300, "started_at": "2026-11-24T09:00:00Z", "user": "u" * 40}]
    body = json.dumps(bad)
    Client().post("/api/v1/requests", body, content_type="application/json", headers=make.bearer(ingest_key))
    page.reload()
    assert page.locator("section[aria-labelledby=senders] tbody tr").count() == 2
    assert "128 printable ASCII" in page.inner_text("section[aria-labelledby=refused]")
    assert page.evaluate(TOO_WIDE) <= 0
