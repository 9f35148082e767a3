"""The clock of the tests of files stands."""

from collections.abc import Iterator

import pytest
import time_machine

from tests import make


@pytest.fixture
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield
