"""Fixtures of the tests of retention."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker, Settings

from ingestion import purging
from teams.models import Organization
from tests import kept
from tests.retention import scene


@pytest.fixture(scope="module")
def _four_months(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[int]:
    with kept.for_the_module(request, django_db_blocker):
        with django_db_blocker.unblock():
            made = scene.four_months().pk
        yield made


@pytest.fixture
def organization(_four_months: int, db: None) -> Organization:
    """Four months of requests, rolled up, every month up to November closed; made once for a module."""
    return Organization.objects.get(pk=_four_months)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Requests that go in one transaction, so few that a pass needs many."""
    few = purging.REQUESTS._replace(at_once=dict.fromkeys(purging.REQUESTS.at_once, 7))
    monkeypatch.setattr("analytics.retention.passes.SUBJECTS", _with(few))
    return 7


def _with(kind: purging.Kind) -> object:
    from analytics.retention import passes

    return tuple((kind if one.subject == kind.subject else one, limit) for one, limit in passes.SUBJECTS)


@pytest.fixture
def short_hours(settings: Settings) -> int:
    """Hours are kept 120 days."""
    settings.KEEP_HOURS_DAYS = 120
    return 120
