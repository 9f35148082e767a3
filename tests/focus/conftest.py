"""Where files that are prepared in the background lie."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """A folder of the test's own."""
    settings.EXPORT_DIR = tmp_path / "exports"
    return tmp_path / "exports"
