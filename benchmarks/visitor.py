"""A browser that is signed in to a running portal, for the figures of the dashboard."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, sync_playwright

from tests.harness import chromium


def arguments(name: str, about: str) -> ArgumentParser:
    """What every script that visits a portal is told."""
    parser = ArgumentParser(prog=f"benchmarks.{name}", description=about)
    parser.add_argument("url", help="address of a running portal: http://127.0.0.1:8000")
    parser.add_argument("email", help="who signs in; the password is read from PORTAL_PASSWORD")
    parser.add_argument("--organization", default="demo", help="slug of the organization, default demo")
    return parser


@contextmanager
def signed_in(chosen: Namespace) -> Iterator[BrowserContext]:
    """A window of 1350 by 940 pixels, Lighthouse's desktop, with the session of that person."""
    path, password = chromium.find(), os.environ.get("PORTAL_PASSWORD")
    if path is None or password is None:
        sys.exit(chromium.WHY_NOT if path is None else "PORTAL_PASSWORD is not set")
    switches = [*chromium.SWITCHES, "--enable-precise-memory-info"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=switches)
        context = browser.new_context(viewport={"width": 1350, "height": 940})
        page = context.new_page()
        page.goto(f"{chosen.url}/sign-in")
        page.fill("input[name=username]", chosen.email)
        page.fill("input[type=password]", password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda address: "/sign-in" not in address)
        page.close()
        yield context
        browser.close()
