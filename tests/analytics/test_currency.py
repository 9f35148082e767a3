"""The second currency: the rate at the end of a period, applied where amounts are shown, added and never rewritten."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from analytics import currency
from analytics.currency import Rate, rate_at
from analytics.models import ExchangeRate
from ingestion.models import LLMRequest
from teams.models import AuditEntry, Organization, User
from tests import make, pages
from tests.analytics.world import World

NOVEMBER: Final = datetime(2026, 11, 1, tzinfo=UTC)
DAY: Final = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
ADD: Final = "/admin/analytics/exchangerate/add/"
Enter = Callable[[str], Client]


def rate(
    organization: Organization, units: str, effective_from: datetime = NOVEMBER, code: str = "EUR"
) -> ExchangeRate:
    return ExchangeRate.objects.create(
        organization=organization, currency=code, rate=Decimal(units), effective_from=effective_from
    )


@pytest.fixture
def enter(client: Client, request: pytest.FixtureRequest) -> Enter:
    """Sign in a persona by name."""

    def sign_in(persona: str) -> Client:
        client.force_login(request.getfixturevalue(persona))
        return client

    return sign_in


def sent(organization: Organization, **fields: str) -> dict[str, str]:
    """The form of one rate."""
    known = {
        "organization": str(organization.pk),
        "currency": "EUR",
        "rate": "0.9213",
        "effective_from_0": "2026-11-01",
        "effective_from_1": "00:00:00",
        "note": "European Central Bank",
    }
    return known | fields


@pytest.mark.parametrize(
    ("usd", "units", "amount"),
    [
        ("100", "0.9213", "92.13"),
        ("0.5", "0.05", "0.02"),  # 0.025: to the even cent
        ("0.7", "0.05", "0.04"),  # 0.035
        ("-0.5", "0.05", "-0.02"),
        ("0.000001", "1", "0.00"),
    ],
)
def test_amounts_are_rounded_once_half_even(usd: str, units: str, amount: str) -> None:
    assert str(currency.converted(Decimal(usd), Rate("EUR", Decimal(units), NOVEMBER))) == amount


@pytest.mark.parametrize("units", ["1.00000001", "9999999999.99999999", "0.00000001"])
@pytest.mark.parametrize("usd", ["9223372.036854775807", "12345678901234567890.125", "-0.000000000001"])
def test_no_digit_is_lost_before_the_rounding(usd: str, units: str) -> None:
    found = currency.converted(Decimal(usd), Rate("EUR", Decimal(units), NOVEMBER))
    # Python rounds half to even too.
    assert int(str(found).replace(".", "")) == round(Fraction(usd) * Fraction(units) * 100)


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        ("1340", "≈ 1,234.54 EUR at 0.9213 of 2026-11-01"),
        ("0", "≈ 0.00 EUR at 0.9213 of 2026-11-01"),
        ("0.000001", "below 0.01 EUR at 0.9213 of 2026-11-01"),
    ],
)
def test_words_name_the_rate_and_its_day(usd: str, words: str) -> None:
    assert currency.words(Decimal(usd), Rate("EUR", Decimal("0.92130000"), NOVEMBER), "Europe/Berlin") == words


def test_the_day_is_that_of_the_reporting_zone() -> None:
    late = Rate("JPY", Decimal("150.00000000"), datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    assert currency.words(Decimal(1), late, "Europe/Berlin") == "≈ 150.00 JPY at 150 of 2026-11-01"


def test_the_rate_is_the_one_in_force_at_the_end(acme: Organization, rival: Organization) -> None:
    rate(rival, "99")
    assert rate_at(acme.pk, make.NOW) is None
    first = rate(acme, "0.9", datetime(2026, 10, 1, tzinfo=UTC))
    rate(acme, "0.92")
    found = {day: rate_at(acme.pk, datetime(2026, *day, tzinfo=UTC)) for day in ((9, 30), (10, 1), (10, 2), (11, 1))}
    units = {day: one.units if one else None for day, one in found.items()}
    # A range ends before its end: what begins there is of the next one.
    assert units == {(9, 30): None, (10, 1): None, (10, 2): first.rate, (11, 1): first.rate}
    assert rate_at(acme.pk, make.NOW) == Rate("EUR", Decimal("0.92"), NOVEMBER)
    rate(acme, "0.8", datetime(2026, 11, 2, tzinfo=UTC), "GBP")
    assert rate_at(acme.pk, make.NOW) == Rate("GBP", Decimal("0.8"), datetime(2026, 11, 2, tzinfo=UTC))


@pytest.mark.django_db
def test_the_database_refuses_a_second_rate_of_an_instant_and_every_rewrite(acme: Organization) -> None:
    kept = rate(acme, "0.9213")
    rate(acme, "0.8", code="GBP")
    with pytest.raises(IntegrityError), transaction.atomic():
        rate(acme, "0.95")
    for units in ("0", "-1"):
        with pytest.raises(IntegrityError), transaction.atomic():
            rate(acme, units, make.NOW)
    for field, value in (("rate", Decimal(1)), ("currency", "CHF"), ("effective_from", make.NOW), ("note", "other")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            ExchangeRate.objects.filter(pk=kept.pk).update(**{field: value})
    assert ExchangeRate.objects.filter(pk=kept.pk).update(created_by=None) == 1
    assert ExchangeRate.objects.count() == 2


@pytest.mark.parametrize("persona", ["owner", "admin", "finance"])
def test_those_who_manage_prices_add_rates(acme: Organization, enter: Enter, persona: str) -> None:
    client = enter(persona)
    assert client.post(ADD, sent(acme, currency=" eur ")).status_code == 302
    row = ExchangeRate.objects.get()
    assert (row.currency, row.rate, row.effective_from) == ("EUR", Decimal("0.9213"), NOVEMBER)
    assert (row.created_by and row.created_by.email) == f"{persona}@acme.example"
    assert AuditEntry.objects.filter(action="exchangerate.add", organization=acme).count() == 1
    assert "0.9213" in client.get("/admin/analytics/exchangerate/").content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"currency": "EURO"}, "at most 3 characters"),
        ({"currency": "E1R"}, "A currency is a code of three letters, such as EUR."),
        ({"currency": "usd"}, "Amounts are in US dollars already"),
        ({"currency": ""}, "This field is required."),
        ({"rate": "0"}, "A rate is above 0."),
        ({"rate": "-0.9"}, "A rate is above 0."),
        ({"rate": "0.123456789"}, "no more than 8 decimal places"),
        ({"rate": "NaN"}, "Enter a number."),
    ],
)
def test_what_is_no_rate_is_refused_in_words(
    acme: Organization, enter: Enter, fields: dict[str, str], sentence: str
) -> None:
    response = enter("finance").post(ADD, sent(acme, **fields))
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not ExchangeRate.objects.exists()


def test_the_same_currency_and_instant_twice_is_named(acme: Organization, enter: Enter) -> None:
    rate(acme, "0.9213")
    page = enter("owner").post(ADD, sent(acme, rate="0.95")).content.decode()
    assert "There is a rate of this currency from this instant on." in page
    assert ExchangeRate.objects.count() == 1


def test_nobody_changes_or_deletes_one(acme: Organization, enter: Enter) -> None:
    kept = rate(acme, "0.9213")
    client = enter("owner")
    for page in ("change", "delete"):
        address = reverse(f"admin:analytics_exchangerate_{page}", args=[kept.pk])
        assert client.post(address, sent(acme, rate="9", post="yes")).status_code == 403
    kept.refresh_from_db()
    assert kept.rate == Decimal("0.9213")


def test_rates_stay_inside_the_organization(acme: Organization, rival: Organization, enter: Enter) -> None:
    foreign = rate(rival, "77.5")
    client = enter("finance")
    assert "77.5" not in client.get("/admin/analytics/exchangerate/").content.decode()
    assert client.get(reverse("admin:analytics_exchangerate_change", args=[foreign.pk])).status_code == 302
    assert client.post(ADD, sent(rival)).status_code == 200  # not among the choices
    assert ExchangeRate.objects.count() == 1


@pytest.mark.parametrize("persona", ["manager", "viewer", "member"])
def test_others_do_not_reach_them(acme: Organization, enter: Enter, persona: str) -> None:
    client = enter(persona)
    assert client.get("/admin/analytics/exchangerate/", follow=True).status_code == 403
    assert client.post(ADD, sent(acme), follow=True).status_code == 403
    assert not ExchangeRate.objects.exists()


def cost_counter(client: Client) -> dict[str, Any]:
    data = json.loads(client.get("/o/acme/data", DAY).content)
    counter: dict[str, Any] = next(one for one in data["counters"] if one["name"] == "cost")
    return counter


def test_counter_and_cost_check_show_both(world: World, client: Client, owner: User) -> None:
    client.force_login(owner)
    before = client.get("/o/acme/", DAY).content.decode()
    assert cost_counter(client)["converted"] is None
    assert "≈" not in before + client.get("/o/acme/costs/", DAY).content.decode()
    stored = list(LLMRequest.objects.values_list("cost", flat=True).order_by("pk"))
    rate(world.acme, "0.9213")
    rate(world.rival, "55")
    words = "at least ≈ 1.62 EUR at 0.9213 of 2026-11-01"  # 1.760000000001 USD, one request without a price
    assert cost_counter(client)["converted"] == words
    for page in ("/o/acme/", "/o/acme/costs/"):
        assert words in client.get(page, DAY).content.decode(), page
    assert list(LLMRequest.objects.values_list("cost", flat=True).order_by("pk")) == stored
    counters = [row for row in pages.rows(before) if row[:1] == ["Total"]]
    assert counters == [row for row in pages.rows(client.get("/o/acme/", DAY).content.decode()) if row[:1] == ["Total"]]


def test_a_range_before_the_first_rate_shows_dollars_alone(world: World, client: Client, owner: User) -> None:
    client.force_login(owner)
    rate(world.acme, "0.9213", datetime(2026, 11, 21, tzinfo=UTC))
    assert cost_counter(client)["converted"] is None


def test_an_unknown_cost_is_not_converted(acme: Organization, client: Client, owner: User) -> None:
    client.force_login(owner)
    rate(acme, "0.9213")
    make.request(acme, started_at=make.NOW.replace(day=20), model="mystery")
    assert cost_counter(client)["converted"] is None
