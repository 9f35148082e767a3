"""Fixtures of the tests of statements and exports."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from pytest_django import Settings

from analytics.exports import slots
from analytics.models import Statement
from teams.models import ReportRecipient, Team
from tests.analytics.statements import LATER, close
from tests.analytics.world import World


@pytest.fixture(autouse=True)
def _no_files_under_way() -> Iterator[None]:
    """A client of a test may drop a file unread; a server would have closed it."""
    yield
    slots._open.clear()


@pytest.fixture
def december() -> Iterator[None]:
    """The clock stands at 5 December."""
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def numbers(world: World) -> dict[str, str]:
    """Numbers of the statements of November by team, in both organizations; each team has one recipient."""
    for team in Team.objects.all():
        ReportRecipient.objects.create(team=team, email=f"{team.name.lower()}@{team.organization.slug}.example")
    for organization in (world.acme, world.rival):
        close(organization)
    return dict(Statement.objects.values_list("team_name", "number"))


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Where exports in the background keep their files."""
    settings.EXPORT_DIR = tmp_path / "exports"
    return tmp_path / "exports"
