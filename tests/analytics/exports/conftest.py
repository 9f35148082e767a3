"""The clock of the tests of files stands, and their folder is empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from pytest_django import Settings

from tests import make


@pytest.fixture
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Where jobs keep their files."""
    settings.EXPORT_DIR = tmp_path / "exports"
    return tmp_path / "exports"
