"""Single entries: what stands at an instant is named and corrected, and nothing that was used is ever deleted."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client

from ingestion.models import PriceAdjustment, PriceEntry
from ingestion.models.prices import NEVER_DELETED
from ingestion.quoting import appending
from ingestion.quoting.appending import TakenError, append
from teams.models import AuditEntry, Organization, Team, User
from tests import make
from tests.ingestion.test_admin import ADD, price_form

pytestmark = pytest.mark.django_db
LIST = "/admin/ingestion/priceentry/"


@pytest.fixture
def as_finance(client: Client, finance: User) -> Client:
    client.force_login(finance)
    return client


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(texts) for name, texts in answer.context["adminform"].form.errors.items()}


def test_a_second_price_of_a_line_and_instant_names_the_first(
    as_finance: Client, finance: User, acme: Organization
) -> None:
    as_finance.post(ADD, price_form(acme, price="0.15"))
    first = PriceEntry.objects.get()
    assert errors(as_finance.post(ADD, price_form(acme, price="0.2"))) == {
        "__all__": [
            "There is already a price of this line from that instant: 0.15 USD per 1M tokens by finance@acme.example "
            f"on {first.created_at:%Y-%m-%d} (entry {first.pk}). Tick “replace it” to correct it."
        ]
    }
    for price in ("0.2", "0.3", ""):
        assert as_finance.post(ADD, price_form(acme, price=price, replace="on")).status_code == 302
    ids = list(PriceEntry.objects.order_by("id").values_list("id", flat=True))
    assert list(PriceEntry.objects.order_by("id").values_list("corrects", flat=True)) == [None, *ids[:-1]]
    (said,) = errors(as_finance.post(ADD, price_form(acme, price="9")))["__all__"]
    assert f"no price by finance@acme.example on {first.created_at:%Y-%m-%d} (entry {ids[-1]})" in said


@pytest.mark.parametrize(
    "fields",
    [
        {"price": "2", "effective_from_1": "00:00:01"},
        {"price": "2", "provider": "azure"},
        {"price": "2", "model_match": "gpt-5-mini"},
        {"price": "2", "match_kind": "prefix"},
        {"price": "2", "token_class": "output"},
        {"price": "2", "service_tier": "batch"},
        {"price": "2", "context_above": "1"},
        {"price": "2", "replace": "on", "effective_from_1": "00:00:01"},
    ],
)
def test_another_line_or_instant_is_no_conflict(as_finance: Client, acme: Organization, fields: dict[str, str]) -> None:
    as_finance.post(ADD, price_form(acme))
    assert as_finance.post(ADD, price_form(acme, **fields)).status_code == 302
    assert list(PriceEntry.objects.values_list("corrects", flat=True)) == [None, None]


def test_prices_of_others_and_of_catalogues_are_no_conflict(
    as_finance: Client, acme: Organization, rival: Organization
) -> None:
    same = {"provider": "openai", "effective_from": "2026-01-01T00:00:00Z"}
    make.price("gpt-5", "input", "1", **same)
    make.price("gpt-5", "input", "1", organization=rival, **same)
    make.price("gpt-5", "input", "1", organization=acme, source="catalogue:litellm@1", **same)
    assert as_finance.post(ADD, price_form(acme)).status_code == 302


def test_whoever_is_slower_gets_the_same_words(
    as_finance: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form looked before the other entry was there: the database refuses, and the page says why."""
    as_finance.post(ADD, price_form(acme, price="0.15"))
    looked: list[Any] = []

    def blind(entry: PriceEntry) -> PriceEntry | None:
        looked.append(entry)
        return None if len(looked) == 1 else real(entry)

    real = appending.standing
    monkeypatch.setattr("ingestion.admin.price_form.standing", lambda entry: None)
    monkeypatch.setattr(appending, "standing", blind)
    answer = as_finance.post(ADD, price_form(acme, price="0.2"), follow=True)
    assert "There is already a price of this line from that instant: 0.15 USD" in answer.content.decode()
    assert PriceEntry.objects.count() == 1
    assert AuditEntry.objects.filter(action="priceentry.add").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("replace", [False, True])
def test_of_two_at_once_one_is_told(acme: Organization, finance: User, replace: bool) -> None:
    def entry(price: str) -> PriceEntry:
        line = {"model_match": "m", "token_class": "input", "effective_from": make.NOW}
        return PriceEntry(organization=acme, price=price, **line)

    if replace:
        append(entries=[entry("9")], actor=finance)
    barrier, outcomes = threading.Barrier(2), list[str]()

    def work(price: str) -> None:
        barrier.wait()
        try:
            append(entries=[entry(price)], actor=finance, replace=replace)
            outcomes.append("stored")
        except TakenError as taken:
            outcomes.append(f"{taken.taken[0].price.normalize():f}" if taken.taken[0].price else "")
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(price,)) for price in ("1", "2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Replacing one after the other is no conflict: the second one corrects the first.
    assert "stored" in outcomes
    assert PriceEntry.objects.filter(corrected_by=None).count() == 1
    assert PriceEntry.objects.count() == outcomes.count("stored") + replace


@pytest.mark.parametrize(
    ("token_class", "price", "field"),
    [
        ("unit:web_search", "0.000000000001", None),
        ("UNIT:Web_Search", "1", None),
        ("request", "0.000000000001", None),
        ("image_output", "1", None),
        ("unit:web_search", "101", "price"),
        ("input", "0.0000001", "price"),
        ("unit:", "1", "token_class"),
        ("unit:web search", "1", "token_class"),
        ("unit:" + "x" * 33, "1", "token_class"),
        ("unit:é", "1", "token_class"),
        ("words", "1", "token_class"),
    ],
)
def test_classes_are_a_closed_list_and_units(
    as_finance: Client, acme: Organization, token_class: str, price: str, field: str | None
) -> None:
    answer = as_finance.post(ADD, price_form(acme, token_class=token_class, price=price))
    if field is None:
        assert answer.status_code == 302
        assert PriceEntry.objects.get().token_class == token_class.lower()
    else:
        assert list(errors(answer)) == [field]


def test_an_unknown_class_is_told_the_known_ones(as_finance: Client, acme: Organization) -> None:
    ((message,),) = errors(as_finance.post(ADD, price_form(acme, token_class="words"))).values()
    assert "input, cache_read, cache_write, cache_write_1h, audio_input" in message
    assert "unit:" in message


def test_an_override_is_for_one_owner_of_the_organization(
    as_finance: Client, acme: Organization, search: Team, rival: Organization
) -> None:
    account = make.virtual_account(acme)
    owners = {"team": str(search.pk), "virtual_account": str(account.pk)}
    assert list(errors(as_finance.post(ADD, price_form(acme, **owners)))) == ["virtual_account"]
    theirs = make.team(rival)
    assert list(errors(as_finance.post(ADD, price_form(acme, team=str(theirs.pk))))) == ["team"]
    for name, pk in owners.items():
        assert as_finance.post(ADD, price_form(acme, **{name: pk})).status_code == 302
    assert PriceEntry.objects.count() == 2


@pytest.mark.parametrize("when", ["x", "2026-13-45T00:00", "2026-01-01T00:00", "2026-01-01T00:00:00+00:00", "\0", ""])
def test_the_form_opens_whatever_a_link_says(as_finance: Client, acme: Organization, when: str) -> None:
    answer = as_finance.get(ADD, {"effective_from": when, "organization": "x", "price": "<b>"})
    assert answer.status_code == 200
    assert b"<b>" not in answer.content


@pytest.mark.parametrize("operator", [False, True])
@pytest.mark.parametrize("way", ["delete", "action", "get"])
def test_there_is_no_way_to_delete_and_the_page_says_so(
    client: Client, finance: User, superuser: User, acme: Organization, operator: bool, way: str
) -> None:
    client.force_login(superuser if operator else finance)
    entry = make.price("gpt-5", "input", "1", organization=acme)
    if way == "action":
        chosen = {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"}
        answer = client.post(f"{LIST}entries/", chosen)
    elif way == "get":
        answer = client.get(f"{LIST}{entry.pk}/delete/")
    else:
        answer = client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert NEVER_DELETED in answer.content.decode()
    assert PriceEntry.objects.count() == 1


def test_the_page_of_an_entry_says_how_its_price_is_ended(as_finance: Client, acme: Organization) -> None:
    own, shared = make.price("gpt-5", "input", "1", organization=acme), make.price("gpt-5", "input", "2")
    page = as_finance.get(f"{LIST}{own.pk}/change/")
    assert NEVER_DELETED in page.content.decode()
    assert "/delete/" not in page.content.decode()
    form = as_finance.get(page.context["end_url"]).context["adminform"].form
    assert (form["model_match"].value(), form["token_class"].value(), form["price"].value()) == ("gpt-5", "input", "")
    assert "end_url" not in as_finance.get(f"{LIST}{shared.pk}/change/").context


def test_an_entry_that_priced_something_is_protected(acme: Organization, rival: Organization) -> None:
    used = [make.price("gpt-4o", "input", "1", organization=acme), make.price("gpt-4o", "output", "1")]
    make.request(acme)
    theirs = make.price("gpt-4o", "input", "1", organization=rival)
    mistake = make.price("gpt-4o", "input", "7", organization=acme, effective_from=make.NOW)
    for entry in used:
        with pytest.raises(ProtectedError, match="Entries are never deleted"):
            entry.delete()
    with pytest.raises(ProtectedError, match="Entries are never deleted"):
        PriceEntry.objects.all().delete()
    assert PriceEntry.objects.count() == 4
    assert theirs.delete()[0] == 1
    assert PriceEntry.objects.filter(pk=mistake.pk).delete()[0] == 1


def test_an_organization_goes_with_its_prices(acme: Organization, search: Team) -> None:
    first = make.price("gpt-4o", "input", "1", organization=acme)
    make.price("gpt-4o", "input", "2", organization=acme, corrects=first)
    make.price("gpt-4o", "input", "2", organization=acme, team=search)
    make.price("gpt-4o", "output", "1")
    PriceAdjustment.objects.create(organization=acme, team=search, kind="discount", percent=1, effective_from=make.NOW)
    assert make.request(acme, model="").price_book_version >= first.pk  # without names, which protect themselves
    acme.delete()
    assert [one.token_class for one in PriceEntry.objects.all()] == ["output"]
