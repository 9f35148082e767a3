"""Several processes close at the same time: one set of statements, and no correction stated twice."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection

from analytics.chargeback import closing, drafting
from analytics.chargeback.adjustments import adjustments
from analytics.chargeback.document import Line
from analytics.models import Period, Statement
from teams.models import Organization
from tests import make
from tests.chargeback.scene import (
    LATER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    at_once,
    close,
    day,
    facts,
    mails,
    said,
    spend,
    subscribe,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organization() -> Organization:
    """Three teams with requests in September, October and November."""
    organization = make.organization("acme")
    for name in ("Ads", "Search", None):
        for month in (9, 10, 11):
            spend(organization, day(month), str(month), team=name)
    return organization


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes waits, with the facts read and nothing written, for a second one to get as far.

    With the lock nobody else can, and the wait ends by itself.
    """
    barrier = Barrier(2)

    def wait(organization: Organization, month: date, now: datetime) -> dict[int | None, list[Line]]:
        found = adjustments(organization, month, now)
        with suppress(BrokenBarrierError):
            barrier.wait(0.5)
        return found

    monkeypatch.setattr(drafting, "adjustments", wait)


def closer(organization: Organization, month: date) -> Callable[[], list[str]]:
    return lambda: [one.number for one in close(organization, month)]


@pytest.mark.usefixtures("together")
def test_two_that_close_one_month_make_one_set_of_statements(organization: Organization) -> None:
    for team in organization.teams.all():
        subscribe(team, f"{team.name}@acme.example")
    numbers = at_once(closer(organization, OCTOBER), closer(organization, OCTOBER))
    assert numbers[0] == numbers[1] == [f"S{organization.pk}-202610-00{position}" for position in (1, 2, 3)]
    assert list(Period.objects.values_list("month", flat=True)) == [OCTOBER]
    assert sorted(Statement.objects.values_list("team_name", "cost")) == [
        ("Ads", 10 * 10**12),
        ("Search", 10 * 10**12),
        ("Unassigned", 10 * 10**12),
    ]
    assert mails() == [("Ads@acme.example", "pending", 0), ("Search@acme.example", "pending", 0)]


@pytest.mark.usefixtures("together")
def test_two_that_close_two_months_state_a_correction_once(organization: Organization) -> None:
    close(organization, SEPTEMBER)
    spend(organization, day(9), "0.5", team="Ads")
    at_once(closer(organization, OCTOBER), closer(organization, NOVEMBER))
    assert said(organization) == facts(organization)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer: nothing arrives meanwhile")
def test_all_statements_of_a_month_tell_of_one_moment(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def arrive(organization: Organization, month: date, now: datetime) -> dict[int | None, list[Line]]:
        at_once(lambda: [spend(organization, day(number), "0.5", team="Ads") for number in (9, 10)])
        return adjustments(organization, month, now)

    close(organization, SEPTEMBER)
    monkeypatch.setattr(drafting, "adjustments", arrive)
    before = facts(organization)
    close(organization, OCTOBER)
    assert said(organization) == {key: figures for key, figures in before.items() if key[0] != "2026-11"}
    monkeypatch.undo()
    close(organization, NOVEMBER)
    assert said(organization) == facts(organization)


def test_many_that_close_all_that_is_due(organization: Organization) -> None:
    done = at_once(*[lambda: closing.close_due(LATER)] * 4)
    assert sum(done) >= 3
    assert list(Period.objects.order_by("pk").values_list("month", flat=True)) == [SEPTEMBER, OCTOBER, NOVEMBER]
    assert Statement.objects.count() == 9
    assert said(organization) == facts(organization)


def test_requests_that_arrive_meanwhile_are_stated_or_corrected(organization: Organization) -> None:
    def arrive() -> list[str]:
        return [spend(organization, day(10), "0.25", team="Ads").request_id for _ in range(8)]

    at_once(arrive, closer(organization, OCTOBER), arrive)
    close(organization, SEPTEMBER)
    close(organization, NOVEMBER)
    assert said(organization) == facts(organization)
