"""One line of the price book says one thing at one instant: the database refuses the rest, whoever writes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from ingestion.models import CostPolicy, ModelAlias, PriceAdjustment, PriceEntry
from ingestion.pricing.loading import price_book
from teams.models import Organization, Team, VirtualAccount
from tests import make
from tests.chargeback.scene import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot(acme: Organization) -> VirtualAccount:
    return make.virtual_account(acme, "bot")


@pytest.fixture(params=["everybody", "organization", "team", "account"])
def line(request: pytest.FixtureRequest, acme: Organization, search: Team, bot: VirtualAccount) -> dict[str, Any]:
    """Whose price it is."""
    owners: dict[str, dict[str, Any]] = {
        "everybody": {},
        "organization": {"organization": acme},
        "team": {"organization": acme, "team": search},
        "account": {"organization": acme, "virtual_account": bot},
    }
    return owners[request.param]


@pytest.mark.parametrize("usd", ["1", "2", None])
def test_a_second_price_of_the_same_instant_is_refused(line: dict[str, Any], usd: str | None) -> None:
    make.price("gpt-4o", "input", "1", **line)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.price("gpt-4o", "input", usd, **line)
    with pytest.raises(IntegrityError), transaction.atomic():
        PriceEntry.objects.bulk_create([_copy(PriceEntry.objects.get())])
    assert PriceEntry.objects.count() == 1


def _copy(entry: PriceEntry) -> PriceEntry:
    entry.pk = None
    return entry


@pytest.mark.parametrize(
    "other",
    [
        {"token_class": "output"},
        {"model_match": "gpt-4"},
        {"match_kind": "prefix"},
        {"provider": "openai"},
        {"service_tier": "batch"},
        {"context_above": 1},
        {"source": "catalogue:csv@1"},
        {"effective_from": make.NOW},
    ],
)
def test_another_line_or_instant_is_no_overlap(line: dict[str, Any], other: dict[str, Any]) -> None:
    first = make.price("gpt-4o", "input", "1", **line)
    fields: dict[str, Any] = {"model": "gpt-4o", "token_class": "input", "usd": "1"} | line | _renamed(other)
    second = make.price(**fields)
    assert set(PriceEntry.objects.all()) == {first, second}


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    """As `make.price` calls the model."""
    return {{"model_match": "model"}.get(name, name): value for name, value in fields.items()}


def test_owners_do_not_overlap(acme: Organization, rival: Organization, search: Team, bot: VirtualAccount) -> None:
    ads = make.team(acme, "Ads")
    owners: list[dict[str, Any]] = [{"organization": acme}, {"organization": rival}]
    owners += [{"organization": acme, "team": search}, {"organization": acme, "team": ads}]
    owners += [{"organization": acme, "virtual_account": bot}, {}]
    for owner in owners:
        make.price("gpt-4o", "input", "1", **owner)
    assert PriceEntry.objects.count() == len(owners)


def test_an_entry_is_corrected_once_and_the_last_correction_counts(acme: Organization) -> None:
    first = make.price("gpt-4o", "input", "1")
    second = make.price("gpt-4o", "input", "2", corrects=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.price("gpt-4o", "input", "3", corrects=first)
    make.price("gpt-4o", "input", "4", corrects=second)
    rates = price_book(acme.pk).rates("openai", "gpt-4o", None, 0, make.NOW)
    assert rates.tokens[0] == 4_000_000


def test_a_price_ends_by_one_without_a_price(acme: Organization) -> None:
    """No entry has an end to be set: what follows on its line ends it, to the microsecond."""
    make.price("gpt-4o", "input", "1")
    make.price("gpt-4o", "input", None, effective_from=make.NOW)
    book = price_book(acme.pk)
    before = make.NOW - timedelta(microseconds=1)
    assert book.rates("openai", "gpt-4o", None, 0, before).tokens[0] == 1_000_000
    assert book.rates("openai", "gpt-4o", None, 0, make.NOW).tokens[0] is None


def _rows(organization: Organization) -> list[Any]:
    """One stored row of every table of prices and terms."""
    since = {"organization": organization, "effective_from": make.NOW}
    return [
        make.price("gpt-4o", "input", "1", organization=organization),
        PriceAdjustment.objects.create(kind="discount", percent=5, **since),
        CostPolicy.objects.create(policy="computed_first", **since),
        ModelAlias.objects.create(organization=organization, model_match="mine", model="gpt-4o"),
    ]


def _values(row: Any) -> dict[str, Any]:
    return dict(type(row).objects.filter(pk=row.pk).values().get())


def test_no_column_of_a_price_or_term_is_ever_rewritten(acme: Organization) -> None:
    """Whether it changes anything or not: by save, by update, by SQL. Only who and why may be forgotten or told."""
    for row in _rows(acme):
        held, table = _values(row), connection.ops.quote_name(row._meta.db_table)
        for column in [one.column for one in row._meta.concrete_fields if one.name not in {"id", "created_by", "note"}]:
            name = connection.ops.quote_name(column)
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"UPDATE {table} SET {name} = {name}")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            row.save()
        type(row).objects.update(created_by=None)
        assert _values(row) == held


@pytest.mark.django_db(transaction=True)
def test_of_two_that_add_the_same_at_once_one_is_refused() -> None:
    def add() -> bool:
        try:
            make.price("gpt-4o", "input", "1")
        except IntegrityError:
            return False
        return True

    assert sorted(at_once(*[add] * 4)) == [False, False, False, True]
    assert PriceEntry.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"token_class": "output"},
        {"model": "gpt-4"},
        {"provider": "openai"},
        {"effective_from": make.NOW},
        {"source": "x@1"},
    ],
)
def test_an_entry_corrects_only_one_of_its_line_and_instant(line: dict[str, Any], other: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"model": "gpt-4o", "token_class": "input", "usd": "1"} | line
    first = make.price(**fields)
    with pytest.raises(IntegrityError, match="same line and instant"), transaction.atomic():
        make.price(**fields | other, corrects=first)
    assert make.price(**fields, corrects=first).corrects == first


def test_an_entry_corrects_none_of_another_owner(acme: Organization, rival: Organization, search: Team) -> None:
    first = make.price("gpt-4o", "input", "1", organization=acme)
    for owner in ({"organization": rival}, {"organization": acme, "team": search}, {}):
        with pytest.raises(IntegrityError, match="same line and instant"), transaction.atomic():
            make.price("gpt-4o", "input", "1", corrects=first, **owner)


def test_an_edition_of_a_catalogue_corrects_the_one_before(acme: Organization) -> None:
    first = make.price("gpt-4o", "input", "1", source="catalogue:csv@1")
    assert make.price("gpt-4o", "input", "2", source="catalogue:csv@2", corrects=first).corrects == first


def test_an_adjustment_corrects_only_one_of_its_line_and_instant(acme: Organization) -> None:
    first = make.adjustment(acme, "discount", "5")
    with pytest.raises(IntegrityError, match="same line and instant"), transaction.atomic():
        make.adjustment(acme, "markup", "5", corrects=first)
    assert make.adjustment(acme, "discount", "6", corrects=first).corrects == first
