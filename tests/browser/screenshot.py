"""Takes the picture of the dashboard that the README shows, from a running portal.

PORTAL_PASSWORD=... python -m tests.browser.screenshot http://127.0.0.1:8000/o/demo/ EMAIL docs/images/dashboard.png
"""

import os
import sys
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.harness import chromium

WIDTH, HEIGHT = 1440, 1500


def take(page_url: str, email: str, password: str, target: str) -> None:
    """Sign in, open the last 30 days by team, wait until every chart is drawn, store a PNG."""
    parts = urlsplit(page_url)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.SWITCHES))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(f"{parts.scheme}://{parts.netloc}/sign-in")
        page.fill("input[name=username]", email)
        page.fill("input[type=password]", password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda address: "/sign-in" not in address)
        page.goto(f"{page_url}?from=now-30d&to=now&by=team")
        page.wait_for_selector('#dashboard[data-ready="true"]')
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1], sys.argv[2], os.environ["PORTAL_PASSWORD"], sys.argv[3])
