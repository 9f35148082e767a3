"""Forecasts: used so far and the median of the weekdays that remain."""

from datetime import date, timedelta

import pytest
from django.http import QueryDict

from analytics.budgets import forecasting
from analytics.budgets.forecasting import Forecast, forecast, projected
from analytics.budgets.periods import span_at
from analytics.budgets.standing import Standing, standing
from analytics.dashboards.overview import build
from analytics.models import Notice, OutboxMail
from analytics.query.outlook import expected
from teams.access import scope_of_organization
from teams.models import Organization
from tests.budgets.scene import NOW, budget, look, spend

TODAY = date(2026, 11, 24)  # a Tuesday
LAST = date(2026, 11, 30)


def stand(used: int, amount: int, unpriced: int = 0) -> Standing:
    return Standing("tokens", span_at("month", NOW, "UTC"), used, amount, unpriced)


def test_the_rest_of_the_month_goes_like_its_weekdays() -> None:
    # Oldest first; the last Monday is the day before today. 10 from Monday to Friday, 1 at weekends, one outlier.
    usual = {0: 10, 1: 10, 2: 10, 3: 10, 4: 10, 5: 1, 6: 1}
    days = [usual[(TODAY - timedelta(days=back)).weekday()] for back in range(28, 0, -1)]
    days[-3] = 9_999  # a Saturday
    # Today 4 so far: 6 more; Wednesday to Friday 30; Saturday and Sunday 1 each; Monday 10.
    assert expected([*days, 4], TODAY, LAST) == [6, 10, 10, 10, 1, 1, 10]
    # A busy day takes nothing back.
    assert expected([*days, 400], TODAY, LAST) == [0, 10, 10, 10, 1, 1, 10]
    assert expected([*days, 4], TODAY, TODAY) == [6]


def test_two_weeks_are_needed() -> None:
    assert expected([], TODAY, LAST) is None
    assert expected([1] * 14, TODAY, LAST) is None
    assert expected([1] * 15, TODAY, LAST) == [0, *[1] * 6]


def test_the_amount_is_crossed_on_the_day_that_reaches_it() -> None:
    days = [6, 10, 10, 10, 1, 1, 10]
    assert projected(stand(100, 137), TODAY, days) == Forecast(148, date(2026, 11, 28))
    assert projected(stand(100, 148), TODAY, days) == Forecast(148, LAST)
    assert projected(stand(100, 149), TODAY, days) == Forecast(148, None)


def test_words() -> None:
    found = Forecast(148, date(2026, 11, 28))
    assert forecasting.words(found, stand(100, 137)) == (
        "Forecast: will cross 100 % on 28 November, 148 tokens by the end of the month."
    )
    assert forecasting.words(Forecast(148, None), stand(100, 149)) == "Forecast: 148 tokens by the end of the month."
    assert forecasting.words(None, stand(100, 149)) == ""


@pytest.mark.django_db
def test_the_forecast_is_told_once_before_it_comes_true(acme: Organization) -> None:
    one = budget(acme, "29", forecast=True, thresholds=[100], name="All")
    for back in range(30):
        spend(acme, "1", NOW - timedelta(days=back))
    found = standing(one, span_at("month", NOW, acme.zone), NOW)
    assert forecast(one, found, NOW) == Forecast(30 * 10**12, date(2026, 11, 29))
    later = NOW + timedelta(seconds=1)  # the page Overview ends now, and the last request began at NOW
    assert build(QueryDict(""), scope_of_organization(acme), later)["forecast"] == "$30.00"
    assert look() == 1
    spend(acme, "0.5")
    assert look() == 0
    assert list(Notice.objects.values_list("threshold", flat=True)) == [Notice.FORECAST]
    notice = Notice.objects.get()
    assert notice.document["subject"] == "Budget All: will be used up on 29 November"
    assert notice.document["forecast"] == "30"
    assert OutboxMail.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("every", ["day", "month"])
def test_none_is_told_for_days_and_from_little(acme: Organization, every: str) -> None:
    one = budget(acme, "5", forecast=True, thresholds=[100], every=every)
    for back in range(4 if every == "month" else 30):
        spend(acme, "1", NOW - timedelta(days=back))
    assert forecast(one, standing(one, span_at(every, NOW, acme.zone), NOW), NOW) is None
    assert look() == 0
