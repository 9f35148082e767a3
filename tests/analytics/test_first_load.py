"""What a browser without a cache loads for the dashboard is small."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from teams.models import Organization, User
from tests.browser import traffic

pytestmark = pytest.mark.django_db
BUDGET = 350_000
"""Bytes, compressed."""
IMPORTED = re.compile(r'^(?:import|export)\b[^;]*?from "\./([\w-]+\.js)"|^import "\./([\w-]+\.js)"', re.MULTILINE)


def with_imports(path: Path, found: dict[str, Path]) -> None:
    """Add a file, and what a module imports."""
    if path.name in found:
        return
    found[path.name] = path
    if path.parent.name == "js":
        for names in IMPORTED.findall(path.read_text()):
            with_imports(path.with_name("".join(names)), found)


def test_page_scripts_and_styles_are_below_350_kb(client: Client, acme: Organization, owner: User) -> None:
    traffic.store(acme)
    client.force_login(owner)
    page = client.get("/o/acme/")
    found: dict[str, Path] = {}
    for address in re.findall(rf'(?:src|href|data-icons)="{settings.STATIC_URL}([^"#]+)', page.text):
        name = re.sub(r"\.[0-9a-f]{12}\.", ".", address)
        source = finders.find(name)
        assert isinstance(source, str), name
        with_imports(Path(source), found)
    assert {"chart.umd.min.js", "dashboard.js", "tooltip.js", "dashboard.css", "icons.svg"} <= found.keys()
    sizes = {name: len(gzip.compress(path.read_bytes())) for name, path in found.items()}
    assert len(gzip.compress(page.content)) + sum(sizes.values()) < BUDGET, sizes
