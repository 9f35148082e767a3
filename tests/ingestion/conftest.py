"""The sender of tests over HTTP."""

from collections.abc import Iterator

import pytest
import time_machine

from teams.models import Organization
from tests import make


@pytest.fixture
def _frozen_clock() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def headers(_frozen_clock: None, acme: Organization) -> dict[str, str]:
    """Of a sender of acme, at NOW."""
    return make.bearer(make.key(acme, "ingest"))
