"""Terms in the database: they price what arrives, one owner at a time, and nobody can rewrite them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from ingestion.models import CostPolicy, ModelAlias, PriceAdjustment, PriceEntry
from ingestion.pricing.loading import price_book, version
from teams.models import Organization, Team, VirtualAccount
from tests import make
from tests.ingestion.prices import repricing

pytestmark = pytest.mark.django_db
LIST = 1_000 * 1_000_000 + 100 * 2_000_000


@pytest.fixture(autouse=True)
def prices() -> None:
    make.price("gpt-4o", "input", "1")
    make.price("gpt-4o", "output", "2")


def amounts(organization: Organization, **fields: Any) -> tuple[int | None, int | None, int | None]:
    """List, contracted and billed cost of a request."""
    found = make.request(organization, **fields)
    return found.list_cost, found.contracted_cost, found.cost


def test_without_terms_all_three_amounts_are_equal(acme: Organization) -> None:
    assert amounts(acme) == (LIST, LIST, LIST)
    assert amounts(acme, model="nobody-knows") == (None, None, None)


def test_a_discount_and_a_markup(acme: Organization, rival: Organization) -> None:
    make.adjustment(acme, "discount", "5")
    make.adjustment(acme, "markup", "10")
    assert amounts(acme) == (LIST, LIST * 95 // 100, LIST * 1045 // 1000)
    assert amounts(rival) == (LIST, LIST, LIST)


def test_a_discount_of_a_team(acme: Organization) -> None:
    team = Team.objects.create(organization=acme, name="Search")
    make.adjustment(acme, "discount", "50", team=team)
    assert amounts(acme, team="Search")[1] == LIST // 2
    assert amounts(acme, team="Ads")[1] == LIST


def test_overrides_of_owners(acme: Organization) -> None:
    team = Team.objects.create(organization=acme, name="Search")
    account = VirtualAccount.objects.create(organization=acme, name="bot", team=team)
    make.price("gpt-4o", "input", "3", organization=acme)
    make.price("gpt-4o", "input", "5", organization=acme, team=team)
    make.price("gpt*", "input", "7", organization=acme, virtual_account=account, match_kind="glob")
    output = 100 * 2_000_000
    paid = [amounts(acme, **owner)[2] for owner in ({}, {"team": "Search"}, {"virtual_account": "bot"})]
    assert paid == [output + 1_000 * usd * 1_000_000 for usd in (3, 5, 7)]
    assert amounts(acme, virtual_account="another", team="Ads")[2] == output + 3_000 * 1_000_000


def test_a_later_price_of_the_organization_does_not_replace_that_of_a_team(acme: Organization) -> None:
    team = Team.objects.create(organization=acme, name="Search")
    make.price("gpt-4o", "input", "5", organization=acme, team=team)
    make.price("gpt-4o", "input", "3", organization=acme, effective_from=make.LONG_AGO + timedelta(1))
    assert amounts(acme, team="Search")[2] == 1_000 * 5_000_000 + 100 * 2_000_000
    make.price("gpt-4o", "input", None, organization=acme, team=team, effective_from=make.LONG_AGO + timedelta(2))
    assert amounts(acme, team="Search")[2] == 1_000 * 3_000_000 + 100 * 2_000_000


def test_a_price_of_every_model_is_not_that_of_no_model(acme: Organization) -> None:
    for token_class in ("input", "output"):
        make.price("*", token_class, "1", match_kind="glob")
    assert amounts(acme, model="any")[2] == 1_100 * 1_000_000
    assert amounts(acme, model=None)[2] is None


def test_an_alias_prices_and_the_request_keeps_its_name(acme: Organization, rival: Organization) -> None:
    ModelAlias.objects.create(organization=acme, model_match="Our-Best", model="GPT-4o")
    found = make.request(acme, model="our-best", provider="azure")
    assert (found.cost, found.model and str(found.model)) == (LIST, "our-best (azure)")
    assert make.request(rival, model="our-best").cost is None


def test_an_alias_of_everybody(acme: Organization, rival: Organization) -> None:
    ModelAlias.objects.create(model_match="best", model="gpt-4o")
    assert [make.request(one, model="best").cost for one in (acme, rival)] == [LIST, LIST]


def test_a_policy(acme: Organization, rival: Organization) -> None:
    CostPolicy.objects.create(organization=acme, policy="reported_first", effective_from=make.NOW)
    before = make.NOW - timedelta(microseconds=1)
    costs = [make.request(acme, reported_cost_usd=Decimal(1), started_at=at).cost for at in (before, make.NOW)]
    assert costs == [LIST, 10**12]
    assert make.request(rival, reported_cost_usd=Decimal(1)).cost == LIST


def test_a_figure_of_the_gateway_without_model_follows_the_terms(acme: Organization) -> None:
    make.adjustment(acme, "markup", "10")
    CostPolicy.objects.create(organization=acme, adjust_reported=True, effective_from=make.LONG_AGO)
    assert amounts(acme, model=None, reported_cost_usd=Decimal(1)) == (None, 10**12, 11 * 10**11)


def test_a_list_cost_that_does_not_fit_is_refused_whatever_the_discount(acme: Organization) -> None:
    make.price("dear", "input", "10000000")
    make.price("dear", "output", "0")
    make.adjustment(acme, "discount", "100")
    with pytest.raises(AssertionError, match="9,223,372"):
        make.request(acme, model="dear", input_tokens=10**6)


def test_a_billed_cost_that_does_not_fit_is_refused_though_its_list_cost_does(acme: Organization) -> None:
    make.price("dear", "input", "9000000")
    make.price("dear", "output", "0")
    assert make.request(acme, model="dear", input_tokens=10**6).cost == 9 * 10**18
    make.adjustment(acme, "markup", "10")
    with pytest.raises(AssertionError, match="9,223,372"):
        make.request(acme, model="dear", input_tokens=10**6)


@pytest.mark.parametrize(("sent", "state"), [(None, "none"), (10, "unpriced")])
def test_a_failure_costs_nothing_when_no_count_was_sent(acme: Organization, sent: int | None, state: str) -> None:
    failure = make.request(acme, status_code=500, input_tokens=sent, output_tokens=None)
    assert failure.cost_state == state


@pytest.mark.django_db(transaction=True)
def test_every_kind_of_row_makes_a_new_book(acme: Organization, rival: Organization) -> None:
    seen = [version(acme.pk)]
    for add in (
        lambda: make.adjustment(acme, "discount", "5"),
        lambda: ModelAlias.objects.create(organization=acme, model_match="a", model="b"),
        lambda: ModelAlias.objects.create(model_match="a", model="b"),
        lambda: CostPolicy.objects.create(organization=acme, effective_from=make.NOW),
        lambda: make.price("x", "input", "1", organization=acme),
    ):
        book = price_book(acme.pk)
        assert price_book(acme.pk) is book
        add()
        seen.append(version(acme.pk))
        assert price_book(acme.pk) is not book
        assert price_book(acme.pk).version == seen[-1]
    assert seen == sorted(set(seen))
    mine = version(rival.pk)
    make.adjustment(acme, "markup", "5")
    assert version(rival.pk) == mine


def test_stored_requests_follow_when_they_are_repriced(acme: Organization) -> None:
    team = Team.objects.create(organization=acme, name="Search")
    account = VirtualAccount.objects.create(organization=acme, name="bot")
    stored = [
        make.request(acme, team="Search"),
        make.request(acme, virtual_account="bot"),
        make.request(acme, model="x"),
    ]
    make.adjustment(acme, "discount", "50", team=team)
    make.price("gpt-4o", "input", "0", organization=acme, virtual_account=account)
    ModelAlias.objects.create(organization=acme, model_match="x", model="gpt-4o")
    tally = repricing.apply(repricing.everything(acme))
    found = []
    for one in stored:
        one.refresh_from_db()
        found.append((one.list_cost, one.contracted_cost, one.cost))
    free_input = 100 * 2_000_000
    assert found == [(LIST, LIST // 2, LIST // 2), (free_input,) * 3, (LIST, LIST, LIST)]
    assert tally.total.changed == 3
    assert repricing.apply(repricing.everything(acme)).total.changed == 0


def test_a_discount_that_a_markup_makes_up_for_is_a_change(acme: Organization) -> None:
    stored = make.request(acme)
    make.adjustment(acme, "discount", "50")
    make.adjustment(acme, "markup", "100")
    assert repricing.apply(repricing.everything(acme)).total.changed == 1
    stored.refresh_from_db()
    assert (stored.cost, stored.contracted_cost) == (LIST, LIST // 2)


def test_units_are_repriced(acme: Organization) -> None:
    stored = make.request(acme, units={"web_search": 3})
    assert stored.cost is None
    make.price("gpt-4o", "unit:web_search", "0.01")
    repricing.apply(repricing.everything(acme))
    stored.refresh_from_db()
    assert stored.cost == LIST + 30_000_000_000


def _rows(acme: Organization) -> dict[str, Any]:
    return {
        "price": PriceEntry.objects.first(),
        "adjustment": make.adjustment(acme, "discount", "5"),
        "alias": ModelAlias.objects.create(organization=acme, model_match="a", model="b"),
        "policy": CostPolicy.objects.create(organization=acme, effective_from=make.NOW),
    }


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("price", {"price": 5}),
        ("price", {"effective_from": make.NOW}),
        ("price", {"model_match": "another"}),
        ("adjustment", {"percent": 6}),
        ("alias", {"model": "c"}),
        ("policy", {"policy": "reported_only"}),
    ],
)
def test_the_database_refuses_to_rewrite(acme: Organization, name: str, change: dict[str, Any]) -> None:
    row = _rows(acme)[name]
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**change)


def test_the_person_behind_a_row_may_be_forgotten(acme: Organization) -> None:
    ann = make.user("ann@acme.example")
    PriceEntry.objects.update(created_by=ann)
    ann.delete()
    assert set(PriceEntry.objects.values_list("created_by", flat=True)) == {None}


def test_one_line_says_one_thing_at_one_instant(acme: Organization) -> None:
    first = make.price("gpt-4o", "input", "3", organization=acme)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.price("gpt-4o", "input", "4", organization=acme)
    make.price("gpt-4o", "input", "4", organization=acme, corrects=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.price("gpt-4o", "input", "5", organization=acme, corrects=first)
    assert make.request(acme).cost == 1_000 * 4_000_000 + 100 * 2_000_000


def test_one_discount_at_one_instant(acme: Organization) -> None:
    make.adjustment(acme, "discount", "5")
    make.adjustment(acme, "markup", "5")
    with pytest.raises(IntegrityError), transaction.atomic():
        make.adjustment(acme, "discount", "6")


@pytest.mark.parametrize(("kind", "percent"), [("discount", "100.0001"), ("discount", "-1"), ("markup", "-0.0001")])
def test_percentages_out_of_range(acme: Organization, kind: str, percent: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make.adjustment(acme, kind, percent)


def test_prices_of_a_team_belong_to_an_organization(acme: Organization) -> None:
    team = Team.objects.create(organization=acme, name="Search")
    with pytest.raises(IntegrityError), transaction.atomic():
        make.price("gpt-4o", "input", "3", team=team)


def test_an_organization_takes_its_terms_with_it(rival: Organization) -> None:
    _rows(rival)
    make.price("gpt-4o", "input", "3", organization=rival)
    rival.delete()
    assert not PriceAdjustment.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ingestion_priceentry WHERE organization_id IS NOT NULL")
        assert cursor.fetchone() == (0,)
