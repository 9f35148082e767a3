"""Pricing a model: all classes in one form, the example bill while they are typed, all stored or none."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from ingestion.models import LLMRequest, ModelAlias, PriceAdjustment, PriceEntry
from ingestion.quoting import bill as bills
from teams.models import AuditEntry, Organization, Team, User
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
PRICE = "/admin/ingestion/priceentry/price/"
BILL = f"{PRICE}bill/"
Ask = Callable[..., Any]


@pytest.fixture
def as_finance(client: Client, finance: User) -> Client:
    client.force_login(finance)
    return client


def sheet(organization: Organization | None, **fields: Any) -> dict[str, Any]:
    return {
        "organization": organization.pk if organization else "",
        "provider": "openai",
        "model_match": "gpt-4o",
        "match_kind": "exact",
        "effective_from": "2026-11-01 00:00:00",
        "service_tier": "standard",
        "context_above": "0",
        **fields,
    }


@pytest.fixture
def ask(as_finance: Client, acme: Organization) -> Ask:
    """The bill of what is typed, as the script of the page gets it."""

    def answer(**fields: Any) -> Any:
        response = as_finance.post(BILL, sheet(acme, **fields))
        assert response.status_code == 200
        return response.json()

    return answer


def examples(answer: Any) -> dict[str, Any]:
    return {one["name"]: one for one in answer["bill"]["examples"]}


def test_all_classes_are_stored_together(as_finance: Client, finance: User, acme: Organization) -> None:
    sent = sheet(
        acme, price_input="1.25", price_cache_read="0.125", price_request="0.000000000001", note="contract 17",
        unit_name=["web_search", "", ""], unit_price=["0.01", "", ""], _save="Save",
    )  # fmt: skip
    answer = as_finance.post(PRICE, sent)
    assert answer["Location"].endswith(f"/model/?organization={acme.pk}&provider=openai&model=gpt-4o")
    stored = [(one.token_class, one.price, one.note, one.source) for one in PriceEntry.objects.order_by("id")]
    assert stored == [
        ("input", Decimal("1.25"), "contract 17", "manual"),
        ("cache_read", Decimal("0.125"), "contract 17", "manual"),
        ("request", Decimal("0.000000000001"), "contract 17", "manual"),
        ("unit:web_search", Decimal("0.01"), "contract 17", "manual"),
    ]
    assert {(one.organization, one.created_by) for one in PriceEntry.objects.all()} == {(acme, finance)}
    assert AuditEntry.objects.filter(action="priceentry.add", actor=finance, organization=acme).count() == 4
    assert b"4 prices added" in as_finance.get(answer["Location"]).content


def test_nothing_is_stored_where_one_price_is_wrong(as_finance: Client, acme: Organization) -> None:
    answer = as_finance.post(PRICE, sheet(acme, price_input="1", price_output="-1", _save="Save"))
    assert list(answer.context["form"].errors) == ["price_output"]
    assert not PriceEntry.objects.exists()


def test_a_preview_stores_nothing_and_shows_the_bill_without_a_script(as_finance: Client, acme: Organization) -> None:
    answer = as_finance.post(PRICE, sheet(acme, price_input="2", price_output="10", _preview="Preview"))
    text = answer.content.decode()
    assert "One request: 1,000 tokens in, 500 out" in text
    assert "$0.0070" in text
    assert 'value="2"' in text
    assert not PriceEntry.objects.exists()


def test_the_bill_of_a_fixed_request_and_of_a_million_tokens(ask: Ask, acme: Organization) -> None:
    make.price("gpt-4o", "request", "0.001", organization=acme)
    found = examples(ask(price_input="2", price_output="10", unit_name="images", unit_price="0.04"))
    assert found["fixed"]["lines"] == [
        {"label": "input", "quantity": "1,000", "price": "2", "amount": "$0.0020"},
        {"label": "output", "quantity": "500", "price": "10", "amount": "$0.0050"},
        {"label": "per request", "quantity": "1", "price": "0.001 each", "amount": "$0.0010"},
    ]
    assert found["fixed"]["total"] == "$0.0080"
    assert [tuple(line.values()) for line in found["million"]["lines"]] == [
        ("input", "1,000,000", "2", "$2.00"),
        ("output", "1,000,000", "10", "$10.00"),
        ("images", "1", "0.04 each", "$0.040"),
    ]
    assert set(found) == {"fixed", "million"}


def test_classes_that_are_not_typed_cost_what_they_cost_now(ask: Ask, acme: Organization) -> None:
    make.price("gpt-4o", "output", "10")
    assert examples(ask(price_input="2"))["fixed"]["total"] == "$0.0070"
    PriceEntry.objects.all().delete()
    found = examples(ask(price_input="2"))["fixed"]
    assert (found["total"], found["note"]) == ("\u2013", "No cost: a class has no price.")


def test_a_context_limit_is_reached_by_the_example(ask: Ask) -> None:
    found = examples(ask(price_input="2", price_output="10", context_above="200000"))["fixed"]
    assert (found["title"], found["total"]) == ("One request: 201,000 tokens in, 500 out", "$0.41")


def test_prices_of_the_future_are_billed_as_of_then(ask: Ask, acme: Organization) -> None:
    make.price("gpt-4o", "request", "1", effective_from=make.NOW + timedelta(days=40))
    typed = {"price_input": "2", "price_output": "10"}
    assert examples(ask(effective_from="2026-12-01 00:00", **typed))["fixed"]["total"] == "$0.0070"
    assert examples(ask(effective_from="2027-01-10 00:00", **typed))["fixed"]["total"] == "$1.01"


def test_a_typical_request_is_the_average_of_the_real_ones(ask: Ask, acme: Organization) -> None:
    for tokens in (1_000, 3_000):
        make.request(acme, input_tokens=tokens, output_tokens=tokens // 10, cache_read_tokens=500)
    make.request(acme, input_tokens=90_000, output_tokens=0, status_code=500)
    found = examples(ask(price_input="2", price_output="10", price_cache_read="1"))["typical"]
    assert found["title"] == "A typical request: the average of the newest 2"
    assert [(line["label"], line["quantity"]) for line in found["lines"]] == [
        ("input", "1,500"), ("cache read", "500"), ("output", "200")
    ]  # fmt: skip
    assert found["total"] == "$0.0055"


def test_all_unpriced_requests_get_the_cost_that_repricing_gives_them(
    ask: Ask, as_finance: Client, acme: Organization, search: Team
) -> None:
    early = make.request(acme, started_at=make.NOW - timedelta(days=30), input_tokens=1_000_000)
    cost_of: dict[str, Any] = {"input_tokens": 1_000_000, "output_tokens": 100_000}
    for team in ("Search", None):
        make.request(acme, team=team, cache_read_tokens=400_000, **cost_of)
    make.request(acme, output_tokens=None)
    make.request(acme, model="other")
    found = examples(ask(price_input="2", price_output="10"))["unpriced"]
    assert early.cost_state == "unpriced"
    assert found["title"] == "All 4 unpriced requests of this model"
    assert found["total"] == "$6.00"
    assert [(line["label"], line["quantity"]) for line in found["lines"]] == [
        ("input", "2,200,000"), ("cache read", "800,000"), ("output", "200,100")
    ]  # fmt: skip
    assert found["note"] == (
        "1 started before 2026-11-01 00:00 UTC and stay unpriced. "
        "1 stay unpriced: a class has no price, another tier, or unknown tokens."
    )
    only = examples(ask(price_input="2", price_output="10", team=search.pk))["unpriced"]
    assert (only["title"], only["total"]) == ("All 1 unpriced requests of this model", "$3.00")


def test_of_many_unpriced_requests_the_rest_is_in_proportion(
    ask: Ask, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bills, "MOST", 2)
    for _ in range(3):
        make.request(acme, input_tokens=1_000_000, output_tokens=0)
    found = examples(ask(price_input="2", price_output="10"))["unpriced"]
    assert (found["total"], found["note"]) == ("about $6.00", "Priced one by one were the newest 2: $4.00.")


def test_patterns_are_billed_for_every_model_that_they_match(ask: Ask, acme: Organization, rival: Organization) -> None:
    for name in ("gpt-4o", "gpt-4o-mini", "o3"):
        make.request(acme, model=name, input_tokens=1_000_000, output_tokens=0)
    make.request(rival, model="gpt-4o", input_tokens=1_000_000, output_tokens=0)
    found = examples(ask(model_match="gpt-", match_kind="prefix", price_input="2", price_output="1"))["unpriced"]
    assert (found["title"], found["total"]) == ("All 2 unpriced requests of this model", "$4.00")


@pytest.mark.parametrize(
    ("price", "words", "strange"),
    [
        ("2.5", "the same as the catalogue's", False),
        ("2", "20 % below the catalogue's", False),
        ("2.6", "4.0 % above the catalogue's", False),
        ("0", "free; the catalogue asks a price", False),
        ("25", "10 times the catalogue's", True),
        ("2500", "1,000 times the catalogue's: a slip of the unit? Divided by 1,000 it is 2.5", True),
        ("0.0026", "a 960th of the catalogue's: is it per thousand tokens? Per 1M tokens that is 2.6", True),
    ],
)
def test_a_price_is_compared_with_the_catalogue(ask: Ask, price: str, words: str, strange: bool) -> None:
    make.price("gpt-4o", "input", "2.5", source="catalogue:litellm@1", provider="openai")
    (found,) = ask(price_input=price)["bill"]["comparisons"]
    assert found == {
        "token_class": "input", "label": "input", "catalogue": "2.5 USD per 1M tokens (litellm)",
        "words": words, "is_strange": strange,
    }  # fmt: skip


def test_a_price_per_token_is_refused_beside_the_catalogue(ask: Ask) -> None:
    make.price("gpt-4o", "input", "2.5", source="catalogue:litellm@1", provider="openai")
    (said,) = ask(price_input="0.000003")["errors"]["price_input"]
    assert said == (
        "0.000003 is a thousandth or less of the newest price of gpt-4o in litellm@1: 2.5 USD per 1M tokens. "
        "Is the price meant for another number of tokens?"
    )


def test_without_a_catalogue_a_tiny_price_is_strange(ask: Ask) -> None:
    (found,) = ask(price_input="0.0015")["bill"]["comparisons"]
    assert found["words"] == "Very low for 1M tokens. Meant per token, it is 1,500; per thousand tokens, 1.5."
    assert [one["words"] for one in ask(price_input="0.15", price_request="0.001")["bill"]["comparisons"]] == ["", ""]


def test_a_price_per_token_says_what_it_is_per_million(ask: Ask) -> None:
    (said,) = ask(price_input="0.00000015")["errors"]["price_input"]
    assert said == (
        "At most 6 decimals in USD per 1M tokens. Is 0.00000015 meant per token? Per 1M tokens that is 0.15."
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "__all__"),
        ({"price_input": "-1"}, "price_input"),
        ({"price_input": "x"}, "price_input"),
        ({"price_input": "NaN"}, "price_input"),
        ({"price_input": "1e99"}, "price_input"),
        ({"price_input": "10001"}, "price_input"),
        ({"price_request": "101"}, "price_request"),
        ({"price_request": "0.0000000000001"}, "price_request"),
        ({"provider": "open ai"}, "provider"),
        ({"model_match": ""}, "model_match"),
        ({"model_match": "a\tb"}, "model_match"),
        ({"model_match": "gpt-*"}, "model_match"),
        ({"match_kind": "glob"}, "model_match"),
        ({"match_kind": "regex"}, "match_kind"),
        ({"effective_from": "soon"}, "effective_from"),
        ({"effective_from": ""}, "effective_from"),
        ({"context_above": "-1"}, "context_above"),
        ({"context_above": str(10**20)}, "context_above"),
        ({"service_tier": "x" * 33}, "service_tier"),
        ({"organization": ""}, "organization"),
        ({"team": "987654"}, "team"),
        ({"unit_name": "a b", "unit_price": "1"}, "__all__"),
        ({"unit_name": "a", "unit_price": "-1"}, "__all__"),
        ({"unit_name": "a", "unit_price": "NaN"}, "__all__"),
        ({"unit_name": "a", "unit_price": "1e400"}, "__all__"),
        ({"unit_name": "a", "unit_price": ""}, "__all__"),
        ({"unit_name": "a", "unit_price": "101"}, "__all__"),
        ({"unit_name": "<script>alert(1)</script>", "unit_price": "1"}, "__all__"),
    ],
)
def test_what_cannot_be_a_price_is_refused_at_its_field(
    as_finance: Client, acme: Organization, fields: dict[str, str], field: str
) -> None:
    sent = sheet(acme, **({"price_output": "1"} if fields else {}), _save="Save") | fields
    answer = as_finance.post(PRICE, sent)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert b"<script>alert" not in answer.content
    assert as_finance.post(BILL, sent).json()["bill"] is None
    assert not PriceEntry.objects.exists()


def test_a_conflict_names_each_entry_and_may_be_replaced(as_finance: Client, finance: User, acme: Organization) -> None:
    first = sheet(acme, price_input="1", price_output="2", _save="Save")
    as_finance.post(PRICE, first)
    one, two = PriceEntry.objects.order_by("id")
    again = as_finance.post(PRICE, first | {"price_input": "0.15"})
    (message,) = again.context["form"].non_field_errors()
    said = "There is already a price of this line from that instant:"
    assert message == (
        f"input: {said} 1 USD per 1M tokens by {finance.email} on 2026-11-24 (entry {one.pk}). "
        f"output: {said} 2 USD per 1M tokens by {finance.email} on 2026-11-24 (entry {two.pk}). "
        "Tick “replace it” to correct them."
    )
    told = as_finance.post(BILL, first).json()
    assert (told["taken"], told["bill"] is not None) == (True, True)
    assert PriceEntry.objects.count() == 2
    assert as_finance.post(PRICE, first | {"price_input": "0.15", "replace": "on"}).status_code == 302
    assert as_finance.post(PRICE, first | {"price_input": "0.16", "replace": "on"}).status_code == 302
    chain = list(PriceEntry.objects.filter(token_class="input").order_by("id").values_list("price", "corrects_id"))
    ids = list(PriceEntry.objects.filter(token_class="input").order_by("id").values_list("id", flat=True))
    assert chain == [(1, None), (Decimal("0.15"), ids[0]), (Decimal("0.16"), ids[1])]


def test_one_class_that_stands_already_stores_none_of_the_others(as_finance: Client, acme: Organization) -> None:
    as_finance.post(PRICE, sheet(acme, price_input="1", _save="Save"))
    as_finance.post(PRICE, sheet(acme, price_input="2", price_output="2", _save="Save"))
    assert [one.token_class for one in PriceEntry.objects.all()] == ["input"]


def test_teams_and_accounts_have_prices_of_their_own(
    as_finance: Client, acme: Organization, search: Team, rival: Organization
) -> None:
    account, other = make.virtual_account(acme), make.team(rival)
    as_finance.post(PRICE, sheet(acme, price_input="1", _save="Save"))
    for fields in ({"team": search.pk}, {"virtual_account": account.pk}):
        assert as_finance.post(PRICE, sheet(acme, price_input="1", _save="Save", **fields)).status_code == 302
    assert PriceEntry.objects.count() == 3
    both = as_finance.post(PRICE, sheet(acme, price_input="1", team=search.pk, virtual_account=account.pk))
    assert list(both.context["form"].errors) == ["virtual_account"]
    theirs = as_finance.post(PRICE, sheet(acme, price_input="1", team=other.pk))
    assert list(theirs.context["form"].errors) == ["team"]
    assert other.name not in as_finance.get(PRICE).content.decode()


def test_nobody_prices_for_others(as_finance: Client, rival: Organization) -> None:
    for organization in (rival, None):
        answer = as_finance.post(PRICE, sheet(organization, price_input="1", _save="Save"))
        assert list(answer.context["form"].errors) == ["organization"]
    assert not PriceEntry.objects.exists()


def test_an_owner_of_two_organizations_mixes_nothing(client: Client, superuser: User, acme: Organization) -> None:
    other = make.organization()
    client.force_login(superuser)
    answer = client.post(PRICE, sheet(acme, price_input="1", team=make.team(other).pk, _save="Save"))
    assert list(answer.context["form"].errors) == ["team"]
    assert client.post(PRICE, sheet(None, price_input="1", _save="Save")).status_code == 302
    assert PriceEntry.objects.get().organization is None


def test_the_form_starts_with_the_first_unpriced_request(as_finance: Client, acme: Organization) -> None:
    make.request(acme, started_at=make.NOW - timedelta(days=3, microseconds=1))
    make.request(acme)
    form = as_finance.get(PRICE, {"provider": "openai", "model": "gpt-4o"}).context["form"]
    values = {name: form[name].value() for name in ("provider", "model_match", "match_kind")}
    assert values == {"provider": "openai", "model_match": "gpt-4o", "match_kind": "exact"}
    assert str(form["effective_from"].value()) == "2026-11-21 11:59:59"
    assert str(as_finance.get(PRICE).context["form"]["effective_from"].value()) == "2026-11-24 12:00:00"


def test_the_form_shows_the_price_of_now_and_of_the_catalogue(as_finance: Client, acme: Organization) -> None:
    make.price("gpt-4o", "input", "2.5", source="catalogue:litellm@1")
    make.price("gpt-4o", "input", "2", organization=acme)
    rows = as_finance.get(PRICE, {"provider": "openai", "model": "gpt-4o"}).context["classes"]
    assert [(row["name"], row["now"], row["catalogue"]) for row in rows if row["now"]] == [("input", "2", "2.5")]


def test_the_bill_changes_nothing_and_needs_a_post(as_finance: Client, finance: User, acme: Organization) -> None:
    request = make.request(acme)
    sent = sheet(acme, price_input="1", price_output="1", _save="Save")
    assert as_finance.get(BILL, sent).status_code == 405
    as_finance.post(BILL, sent)
    assert not PriceEntry.objects.exists()
    assert LLMRequest.objects.get() == request
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(finance)
    assert careful.post(BILL, sent).status_code == 403


def test_the_bill_is_json_whatever_was_typed(as_finance: Client, acme: Organization) -> None:
    for body in ({}, {"price_input": "\0"}, {"organization": "x" * 1000}, {"unit_name": ["a"] * 500}):
        answer = as_finance.post(BILL, body)
        assert answer.status_code == 200
        assert json.loads(answer.content)["bill"] is None


def test_the_bill_knows_aliases_discounts_and_units(ask: Ask, as_finance: Client, acme: Organization) -> None:
    make.price("gpt-5", "output", "10", provider="openai")
    ModelAlias.objects.create(organization=acme, model_match="gpt-4o", model="gpt-5")
    line = {"kind": "discount", "percent": 50, "effective_from": make.NOW - timedelta(days=30)}
    PriceAdjustment.objects.create(organization=acme, **line)
    make.request(acme, input_tokens=1_000_000, output_tokens=0, units={"web_search": 2})
    found = examples(ask(model_match="gpt-5", price_input="2", unit_name="web_search", unit_price="1"))
    assert found["fixed"]["note"] == "After discount and markup $0.0035 is billed."
    assert found["unpriced"]["total"] == "$2.00"
