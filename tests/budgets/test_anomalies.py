"""Days that stand out: judged against the same weekdays, told once, with what made the difference."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from analytics.budgets import anomalies, anomaly_watches, notices
from analytics.budgets.anomalies import Day, judged
from analytics.models import Notice, OutboxMail
from teams.models import Organization, Team, User
from tests.budgets.scene import NOW, is_locked, spend
from tests.chargeback.scene import at_once

YESTERDAY = NOW - timedelta(days=1)


def test_the_pattern_of_the_weekday_decides() -> None:
    weeks = [100, 50, 50, 50, 50, 5, 5] * 8
    assert judged([*weeks, 100], 1) is None
    assert judged([*weeks, 105], 1) is None
    assert judged([*weeks, 125], 1) is None  # less than 5.2 times a twentieth of the usual
    assert judged([*weeks, 126], 1) == Day(126, 100)
    assert judged([*weeks, 126], 27) is None  # not worth a word
    assert judged([*weeks, 50], 1) == Day(50, 100)
    assert judged([*weeks, 100, 100], 1) == Day(100, 50)  # of a Tuesday


def test_one_outlier_of_the_past_neither_hides_nor_makes_one() -> None:
    weeks = [100, 50, 50, 50, 50, 5, 5] * 7
    assert judged([9_999, 0, 0, 0, 0, 0, 0, *weeks, 100], 1) is None
    assert judged([9_999, 0, 0, 0, 0, 0, 0, *weeks, 200], 1) == Day(200, 100)


def test_weekdays_that_vary_are_given_room() -> None:
    same = [60, 140, 80, 120, 70, 130, 90, 110]
    days = [one for value in same for one in (value, 0, 0, 0, 0, 0, 0)]
    assert judged([*days, 229], 1) is None
    assert judged([*days, 230], 1) == Day(230, 100)


def test_four_weeks_are_needed() -> None:
    assert judged([10, 0, 0, 0, 0, 0, 0] * 3 + [500], 1) is None
    assert judged([10, 0, 0, 0, 0, 0, 0] * 4 + [500], 1) == Day(500, 10)


@pytest.fixture
def busy(acme: Organization, search: Team, ads: Team, finance: User, manager: User) -> Organization:
    """Mondays of 20 dollars, and a Monday of 100 because of one model and account of Search."""
    for week in range(1, 7):
        when = YESTERDAY - timedelta(weeks=week)
        spend(acme, "10", when, team="Search", model="gpt-4o")
        spend(acme, "10", when, team="Ads", model="other")
    spend(acme, "90", YESTERDAY, team="Search", model="gpt-4o", virtual_account="<b>app</b>")
    spend(acme, "10", YESTERDAY, team="Ads", model="other")
    return acme


@pytest.mark.django_db
def test_finance_is_told_once_with_the_driver(busy: Organization, finance: User) -> None:
    assert anomalies.find_due(NOW) == 1
    assert anomalies.find_due(NOW + timedelta(hours=1)) == 0
    notice = Notice.objects.get()
    assert (notice.budget, notice.team, notice.starts_on) == (None, None, date(2026, 11, 23))
    assert notice.document["subject"] == "Acme Works: $100.00 on 23 November, $80.00 more than usual"
    assert notice.document["drivers"] == [
        "Model gpt-4o: $90.00, usually $10.00 (100.0 % of the difference)",
        "Team Search: $90.00, usually $10.00 (100.0 % of the difference)",
        "Virtual account <b>app</b>: $90.00, usually $0.00 (100.0 % of the difference)",
    ]
    assert list(OutboxMail.objects.values_list("recipient", flat=True)) == [finance.email]


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_tell_once(busy: Organization) -> None:
    at_once(*[lambda: anomalies.find_due(NOW)] * 2)
    assert Notice.objects.count() == OutboxMail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_tells_has_the_organization_to_itself(busy: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    real, locked = notices.tell, []

    def asking(**fields: Any) -> Any:
        locked.append(is_locked(Organization, busy.pk))
        return real(**fields)

    monkeypatch.setattr("analytics.budgets.anomalies.tell", asking)
    assert anomalies.find_due(NOW) == 1
    assert locked == [True]


@pytest.mark.django_db
def test_nothing_before_late_records_had_time(busy: Organization) -> None:
    midnight = NOW.replace(hour=0) - timedelta(hours=1)  # of Berlin
    assert anomalies.find_due(midnight + timedelta(hours=2, minutes=59)) == 0
    assert anomalies.find_due(midnight + timedelta(hours=3)) == 1


@pytest.mark.django_db
def test_a_team_is_told_when_it_wants_to(
    busy: Organization, search: Team, ads: Team, manager: User, viewer: User, finance: User
) -> None:
    def set_watch(actor: User, team: Team | None, enabled: bool) -> None:
        minimum = anomaly_watches.DEFAULT_MINIMUM
        anomaly_watches.set_watch(actor=actor, organization=busy, team=team, enabled=enabled, minimum=minimum)

    for actor, team in ((viewer, search), (manager, ads), (manager, None)):
        with pytest.raises(PermissionDenied):
            set_watch(actor, team, True)
    set_watch(finance, None, False)
    set_watch(manager, search, True)
    assert anomalies.find_due(NOW) == 1
    assert list(OutboxMail.objects.values_list("recipient", flat=True)) == [manager.email]
    assert Notice.objects.get().document["drivers"][0].startswith("Model gpt-4o")
    with pytest.raises(ValidationError):
        anomaly_watches.set_watch(
            actor=finance, organization=busy, team=None, enabled=True, minimum=anomaly_watches.LARGEST_MINIMUM + 1
        )
