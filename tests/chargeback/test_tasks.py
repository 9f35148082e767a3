"""Every task of the clock: twice at once, again, late and out of order leave what one run leaves."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import time_machine
from django.db.models import Model

from analytics import rollups
from analytics.models import ChangedDay, DayAggregate, HourAggregate, OutboxMail, Period, Statement, StatementLine
from ingestion.models import ChangedHour
from metricsportal.celery import app
from teams.models import Organization
from tests import make
from tests.chargeback.postoffice import PostOffice
from tests.chargeback.scene import LATER, at_once, day, facts, mails, said, spend, subscribe

pytestmark = pytest.mark.django_db(transaction=True)
IN_ORDER: Final = ("sweep", "close_due_periods", "send_due_mail", "verify")
"""Each makes work for the next."""
STATE: Final[tuple[type[Model], ...]] = (HourAggregate, DayAggregate, Period, Statement, StatementLine, OutboxMail)


@pytest.fixture(autouse=True)
def _later() -> Iterator[None]:
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def organization() -> Organization:
    """Two teams with requests in three months, and a reader of each."""
    organization = make.organization("acme", zone="Asia/Kolkata")
    for name in ("Ads", "Search"):
        for month in (9, 10, 11):
            spend(organization, day(month), str(month), team=name)
        subscribe(organization.teams.get(name=name), f"{name}@acme.example")
    return organization


def task(name: str) -> Any:
    """The task as a worker finds it."""
    return app.tasks[f"analytics.tasks.{name}"]


def state() -> list[str]:
    """Every row that tasks write."""
    return [str(sorted(row.items())) for model in STATE for row in model._default_manager.order_by("pk").values()]


def assert_all_is_done_once(organization: Organization, office: PostOffice) -> None:
    assert not ChangedHour.objects.exists()
    assert not ChangedDay.objects.exists()
    assert rollups.verify(organization, LATER).differences == ()
    assert said(organization) == facts(organization)
    assert {(state, tries) for _, state, tries in mails()} == {("sent", 1)}
    assert set(office.copies.values()) == {1}
    assert len(office.copies) == OutboxMail.objects.count() == 6


def test_each_task_twice_at_once_and_five_times_again(organization: Organization, office: PostOffice) -> None:
    app.loader.import_default_modules()
    for name in IN_ORDER:
        at_once(task(name), task(name))
    assert_all_is_done_once(organization, office)
    before = state()
    for name in (*IN_ORDER, *reversed(IN_ORDER)):
        for _ in range(5):
            assert task(name)() == 0, name
    assert state() == before
    assert_all_is_done_once(organization, office)


@pytest.mark.slow
def test_all_tasks_at_once_come_to_the_same(organization: Organization, office: PostOffice) -> None:
    app.loader.import_default_modules()
    at_once(*[task(name) for name in IN_ORDER * 2])
    for name in IN_ORDER:
        task(name)()
    assert_all_is_done_once(organization, office)
