"""Portals on either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.web import Portal, running
from tests.durability.installation import Installation, install, plain
from tests.harness import postgresql, redis


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """On either database."""
    if request.param == "sqlite":
        yield install(plain(tmp_path))
        return
    with postgresql.server("fsync=on") as server, redis.server() as broker:
        yield install(plain(tmp_path) | {"DATABASE_URL": server.url, "REDIS_URL": broker}, server)


@pytest.fixture
def portal(installation: Installation, tmp_path: Path) -> Iterator[Portal]:
    """Its web server."""
    with running(tmp_path, installation.environment) as started:
        yield started
