"""Benchmarks load and measure as who owns the tables: they drop indexes and write tables anew."""

from collections.abc import Iterator

import pytest

from tests import restricted


@pytest.fixture
def as_owner(transactional_db: None) -> Iterator[None]:
    """Where the suite runs behind row-level security: policies hold for no owner that is a superuser."""
    with restricted.as_owner():
        yield
