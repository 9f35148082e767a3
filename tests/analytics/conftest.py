"""Fixtures of the tests of statements and exports."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from pytest_django import DjangoDbBlocker, Settings

from analytics.exports import slots
from analytics.models import Statement
from teams.models import Organization, ReportRecipient, Team
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


def _close_november() -> None:
    for team in Team.objects.all():
        ReportRecipient.objects.create(team=team, email=f"{team.name.lower()}@{team.organization.slug}.example")
    for organization in Organization.objects.filter(slug__in=("acme", "rival")):
        close(organization)


@pytest.fixture(scope="module")
def kept_numbers(kept_world: None, django_db_blocker: DjangoDbBlocker) -> None:
    """`numbers` are stored once for a module all of whose tests ask for this."""
    with django_db_blocker.unblock(), time_machine.travel(LATER, tick=False):
        _close_november()


@pytest.fixture
def numbers(world: World) -> dict[str, str]:
    """Numbers of the statements of November by team, in both organizations; each team has one recipient."""
    if not Statement.objects.exists():
        _close_november()
    return dict(Statement.objects.values_list("team_name", "number"))


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Where exports in the background keep their files."""
    settings.EXPORT_DIR = tmp_path / "exports"
    return tmp_path / "exports"
