"""Each threshold is told once per period: after restarts, late records, kills, and with several looks at once."""

from datetime import timedelta
from typing import Any

import pytest

from analytics import rollups
from analytics.budgets import alerts, notices
from analytics.models import Budget, ChangedSpend, Notice, OutboxMail
from teams.models import Organization, Team
from tests.budgets.scene import NOW, at, budget, change, look, spend, subjects, told
from tests.chargeback.scene import at_once

NOVEMBER = "2026-11-01"


@pytest.mark.django_db
def test_thresholds_are_told_as_they_are_reached(acme: Organization) -> None:
    one = budget(acme, name="Everything")
    spend(acme, "49.999999999999")
    assert look() == 0
    spend(acme, "0.000000000001")
    assert look() == 1
    assert told() == [(NOVEMBER, 50)]
    spend(acme, "60")
    assert look() == 2
    assert told() == [(NOVEMBER, 50), (NOVEMBER, 80), (NOVEMBER, 100)]
    spend(acme, "500")
    assert look() == 0
    (address,) = one.recipients
    assert subjects() == [
        (address, "Budget Everything: 50 % of $100.00 used"),
        (address, "Budget Everything: 110 % of $100.00 used"),
    ]
    notice = Notice.objects.get(threshold=100)
    assert notice.document["passed"] == [80, 100]
    assert (notice.document["used"], notice.document["amount"]) == ("110", "100")


@pytest.mark.django_db
def test_unknown_cost_is_at_least(acme: Organization) -> None:
    budget(acme, name="Everything")
    spend(acme, "55")
    spend(acme, None)
    look()
    document = Notice.objects.get().document
    assert document["subject"] == "Budget Everything: at least 55 % of $100.00 used"
    assert document["used_words"] == "at least $55.00"
    assert document["unpriced_words"] == "1 request has no price and add nothing to it."


@pytest.mark.django_db(transaction=True)
def test_four_looks_at_once_tell_once(acme: Organization, search: Team) -> None:
    for amount in ("100", "10", "1"):
        budget(acme, amount, team="Search", forecast=True)
    spend(acme, "90", team="Search")
    ChangedSpend.objects.all().delete()
    rollups.drain()  # the way it goes: the rollup says which hours changed
    at_once(*[lambda: alerts.look_due(NOW)] * 4)
    assert Notice.objects.count() == 8  # 50 and 80 of the first, all three of the others
    assert OutboxMail.objects.count() == 3
    assert not ChangedSpend.objects.exists()


@pytest.mark.django_db
def test_a_kill_in_between_loses_and_repeats_nothing(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = budget(acme), budget(acme, "50")
    spend(acme, "100")
    real, calls = notices.tell, []

    def dying(**fields: Any) -> Any:
        calls.append(fields["budget"])
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(**fields)

    monkeypatch.setattr(alerts, "tell", dying)
    with pytest.raises(KeyboardInterrupt):
        look()
    assert len(told(first)) == 3
    assert told(second) == []  # all of one budget, or nothing
    monkeypatch.setattr(alerts, "tell", real)
    assert look() == 3
    assert len(told(first)) == len(told(second)) == 3
    assert OutboxMail.objects.count() == 2


@pytest.mark.django_db
def test_a_budget_that_fails_keeps_its_hours(acme: Organization, rival: Organization, monkeypatch: Any) -> None:
    budget(acme)
    budget(rival)
    spend(acme, "100")
    spend(rival, "100")
    real = alerts.look

    def failing(organization: Organization, *arguments: Any) -> int:
        if organization == acme:
            raise RuntimeError("no")
        return real(organization, *arguments)

    monkeypatch.setattr(alerts, "look", failing)
    assert look() == 3
    assert {*ChangedSpend.objects.values_list("organization", flat=True)} == {acme.pk}
    monkeypatch.setattr(alerts, "look", real)
    assert look() == 3


@pytest.mark.django_db
def test_nothing_is_looked_at_where_nothing_changed(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    budget(acme)
    look()
    monkeypatch.setattr(alerts, "look", lambda *arguments: pytest.fail("it was looked at"))
    assert look() == 0


@pytest.mark.django_db
def test_late_records_tell_of_the_period_before(acme: Organization) -> None:
    one = budget(acme, now=at(20, month=10))
    spend(acme, "60", at(25, month=10))
    look(at(26, month=10))
    assert told() == [("2026-10-01", 50)]
    spend(acme, "30", at(28, month=10))  # arrives in November
    spend(acme, "55")
    assert look() == 2
    assert told() == [("2026-10-01", 50), ("2026-10-01", 80), (NOVEMBER, 50)]
    assert look(NOW + timedelta(days=1)) == 0
    change(one, amount="10000", thresholds=[1, 50, 80, 95])  # October ended with 100, and keeps it
    spend(acme, "6", at(28, month=10))
    assert look() == 2
    assert told()[:4] == [("2026-10-01", 1), ("2026-10-01", 50), ("2026-10-01", 80), ("2026-10-01", 95)]


@pytest.mark.django_db
def test_the_period_before_the_budget_is_not_judged(acme: Organization) -> None:
    budget(acme, now=at(2))
    spend(acme, "500", at(28, month=10))
    assert look() == 0
    assert told() == []


@pytest.mark.django_db
def test_another_amount_holds_from_now_on(acme: Organization) -> None:
    one = budget(acme)
    spend(acme, "60")
    look()
    change(one, amount="1000")
    assert look() == 0
    spend(acme, "700")
    assert look() == 0  # 76 %: 50 % was told already
    spend(acme, "50")
    assert look() == 1
    assert told() == [(NOVEMBER, 50), (NOVEMBER, 80)]
    change(one, amount="80")
    assert look() == 1
    assert told() == [(NOVEMBER, 50), (NOVEMBER, 80), (NOVEMBER, 100)]
    change(one, thresholds=[20, 100])  # below what was told: noted, not told
    before = OutboxMail.objects.count()
    assert look() == 1
    assert OutboxMail.objects.count() == before


@pytest.mark.django_db
def test_every_period_is_told_anew(acme: Organization) -> None:
    one = budget(acme, every="day", thresholds=[100])
    for day in (22, 23, 24):
        spend(acme, "100", at(day))
        look(at(day, 11))
        look(at(day, 12))
    assert told(one) == [("2026-11-22", 100), ("2026-11-23", 100), ("2026-11-24", 100)]


@pytest.mark.django_db
def test_a_deleted_budget_tells_nothing(acme: Organization) -> None:
    one = budget(acme)
    spend(acme, "100")
    look()
    Budget.objects.filter(pk=one.pk).delete()
    assert not Notice.objects.exists()
    assert not OutboxMail.objects.exists()
    assert look() == 0
