"""The price book by model: the list of models, and the page of one with its prices and their history."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from ingestion.admin.price_sheet import SheetAdmin
from ingestion.models import LLMModel, ModelAlias, PriceEntry
from ingestion.quoting.appending import append
from teams.models import Organization, Team, User
from tests import make, pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
LIST = "/admin/ingestion/priceentry/"
MODEL = f"{LIST}model/"
HOSTILE = ["<script>alert(1)</script>", "a'\"b", "../..", "\u6a21\u202e\u578b", "x" * 256, "a?b=c&d#e", "%00%"]


@pytest.fixture
def as_finance(client: Client, finance: User) -> Client:
    client.force_login(finance)
    return client


def rows_of(answer: Any, first: str) -> list[list[str]]:
    return [row for row in pages.rows(answer.content.decode()) if row and row[0].split(" ")[0] == first]


def sent(organization: Organization, model: str, **fields: Any) -> None:
    make.request(organization, model=model, started_at=make.NOW - timedelta(hours=1), **fields)


def test_models_of_the_traffic_with_what_they_cost(as_finance: Client, acme: Organization) -> None:
    now = make.NOW
    make.price("gpt-4o", "input", "2.5", source="catalogue:litellm@1")
    make.price("gpt-4o", "output", "9", source="catalogue:litellm@1")
    make.price("gpt-4o", "output", "10", organization=acme, effective_from=now - timedelta(days=9))
    make.price("gpt-4o", "output", "8", organization=acme, effective_from=now + timedelta(days=9))
    for _ in range(2):
        sent(acme, "gpt-4o")
    sent(acme, "own-model", output_tokens=7)
    make.request(acme, model="gpt-4o", started_at=now - timedelta(days=31))
    answer = as_finance.get(LIST)
    (priced,) = rows_of(answer, "gpt-4o")
    since, then = (f"{now + timedelta(days=days):%Y-%m-%d}" for days in (-9, 9))
    litellm = "everybody · litellm · exact"
    dash = "\u2013"
    assert priced == [
        "gpt-4o openai", litellm, "2", "$0.0070", "2.5", dash, dash, "10", "", since, f"output 8 from {then}"
    ]  # fmt: skip
    top, below = rows_of(answer, "own-model")
    day = f"{now - timedelta(hours=1):%Y-%m-%d}"
    assert top == ["own-model openai", "1", "1k", day, day, "Price this model own-model"]
    assert below[1:4] == ["unpriced", "1", "unknown"]
    assert "3 requests of 2 models, at least $0.0070" in answer.content.decode()
    assert "1 requests (33.3 %) have no price" in answer.content.decode()


def test_own_prices_without_traffic_are_listed(as_finance: Client, acme: Organization) -> None:
    make.price("soon", "input", "1", organization=acme)
    make.price("fam-*", "input", "2", organization=acme, match_kind="glob")
    make.price("theirs", "input", "3", source="catalogue:litellm@1", organization=acme)
    make.price("all", "input", "4")
    answer = as_finance.get(LIST)
    names = {row[0] for row in pages.rows(answer.content.decode()) if len(row) == 11}
    assert names == {"Model", "soon *", "fam-* *"}
    (pattern,) = rows_of(answer, "fam-*")
    assert pattern[1:2] + pattern[4:5] == ["organization · by hand · pattern", "2"]


def test_an_own_price_of_a_model_in_traffic_is_no_second_model(as_finance: Client, acme: Organization) -> None:
    sent(acme, "GPT-4o")
    make.price("gpt-4o", "input", "1", organization=acme)
    make.price("gpt-4o", "output", "1", organization=acme, provider="openai")
    rows = [row for row in pages.rows(as_finance.get(LIST).content.decode()) if len(row) == 11]
    assert [row[0] for row in rows[1:]] == ["GPT-4o openai"]


def test_search_and_pages(as_finance: Client, acme: Organization) -> None:
    LLMModel.objects.bulk_create(
        LLMModel(organization=acme, provider="openai", name=f"m{number:03}") for number in range(120)
    )
    first, last = as_finance.get(LIST), as_finance.get(LIST, {"p": "3"})
    assert [len(one.context["rows"]) for one in (first, last)] == [50, 20]
    assert f"Page 3 of 3, {120} models" in last.content.decode()
    found = as_finance.get(LIST, {"q": "M00"})
    assert [row.name for row in found.context["rows"]] == [f"m00{number}" for number in range(10)]
    assert [len(as_finance.get(LIST, {"q": one}).context["rows"]) for one in ("OpenAI", "%", "nothing")] == [50, 0, 0]
    for nonsense in ("x", "-1", "99999", "\0"):
        assert as_finance.get(LIST, {"p": nonsense}).status_code == 200


def test_only_what_has_no_price(as_finance: Client, acme: Organization) -> None:
    make.price("gpt-4o", "input", "1")
    make.price("gpt-4o", "output", "1")
    sent(acme, "gpt-4o")
    sent(acme, "new")
    rows = as_finance.get(LIST, {"only": "unpriced"}).context["rows"]
    assert [row.name for row in rows] == ["new"]


def test_requests_that_name_no_model_are_counted_and_cannot_be_priced(as_finance: Client, acme: Organization) -> None:
    sent(acme, "")
    answer = as_finance.get(LIST)
    assert [row[0] for row in rows_of(answer, "no")] == ["no model named", "no model named"]
    assert "Price this model" not in answer.content.decode()


def test_the_list_asks_as_often_for_many_models_as_for_one(
    as_finance: Client, acme: Organization, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        sent(acme, f"m{number}")
        make.price(f"m{number}", "input", "1", organization=acme)
    with django_assert_max_num_queries(22):
        as_finance.get(LIST)


def test_prices_of_a_model_and_why_they_hold(as_finance: Client, acme: Organization) -> None:
    listed = make.price("gpt-5", "input", "1.25", source="catalogue:litellm@1", provider="openai")
    shared = make.price("gpt-5", "input", "1.2")
    own = make.price("gpt-", "input", "1.1", organization=acme, match_kind="prefix")
    output = make.price("gpt-5", "output", "10", source="catalogue:litellm@1")
    make.price("gpt-5", "output", "5", source="catalogue:litellm@1", service_tier="batch")
    make.price("gpt-5", "output", "20", source="catalogue:litellm@1", context_above=200_000)
    answer = as_finance.get(MODEL, {"provider": "openai", "model": "gpt-5"})
    table = [row for row in pages.rows(answer.content.decode()) if len(row) in (1, 6)][1:]
    whose, long_ago = "everybody's, litellm@1, any provider", "2020-01-01 00:00"
    assert table == [
        ["input", "1.1 USD per 1M tokens", long_ago, f"entry {own.pk}: own, by hand, starts with gpt-, any provider",
         f"the organization's own before everybody's: goes before 1.2 of entry {shared.pk}", ""],
        ["output", "10 USD per 1M tokens", long_ago, f"entry {output.pk}: {whose}", "", ""],
        ["above 200,000 input tokens"],
        ["output", "20 USD per 1M tokens", long_ago, f"entry {output.pk + 2}: {whose}",
         f"the highest context limit: goes before 10 of entry {output.pk}", ""],
        ["service tier batch"],
        ["output", "5 USD per 1M tokens", long_ago, f"entry {output.pk + 1}: {whose}",
         f"the service tier before standard: goes before 10 of entry {output.pk}", ""],
    ]  # fmt: skip
    assert f"entry {listed.pk}" in answer.content.decode()
    assert "as output: reasoning, audio output, image output." in answer.content.decode()


def test_the_history_shows_ends_corrections_and_the_future(
    as_finance: Client, acme: Organization, finance: User
) -> None:
    now = make.NOW
    past, later = now - timedelta(days=30), now + timedelta(days=30)
    first = make.price("m", "input", "1", organization=acme)
    wrong = make.price("m", "input", "200", organization=acme, effective_from=past)
    right = make.price("m", "input", "2", organization=acme, effective_from=past, corrects=wrong, created_by=finance)
    PriceEntry.objects.filter(pk=right.pk).update(note="contract <17>")
    end = make.price("m", "input", None, organization=acme, effective_from=later)
    shared = make.price("m", "input", "3")
    answer = as_finance.get(MODEL, {"model": "m"})
    assert [(row.entry.pk, row.until, row.standing, row.change) for row in answer.context["periods"]] == [
        (end.pk, None, "future", ""),
        (right.pk, later, "in force", "+100 %"),
        (wrong.pk, None, "corrected", ""),
        (shared.pk, None, "another goes before it", ""),
        (first.pk, past, "over", ""),
    ]
    text = answer.content.decode()
    assert "<s>input: 200</s>" in text
    assert "contract &lt;17&gt;" in text
    assert finance.email in text
    assert f"corrects entry {wrong.pk}" in text
    assert f"no price from {later:%Y-%m-%d %H:%M}" in text


def test_a_price_is_ended_and_corrected_by_links(as_finance: Client, acme: Organization) -> None:
    make.price("m", "input", "3")
    make.price("m", "input", "2", organization=acme, source="catalogue:litellm@1")
    entry = make.price("m", "input", "1.50", organization=acme, context_above=7, service_tier="batch")
    periods = sorted(as_finance.get(MODEL, {"model": "m"}).context["periods"], key=lambda row: row.entry.pk)
    shared, imported, own = periods
    assert (shared.end_url, shared.correct_url) == ("", "")  # everybody's: the operator's
    assert (imported.end_url, imported.correct_url) == ("", "")  # the next edition's
    form = as_finance.get(own.end_url).context["adminform"].form
    assert {name: form[name].value() for name in ("model_match", "price", "context_above", "service_tier")} == {
        "model_match": "m", "price": "", "context_above": "7", "service_tier": "batch"
    }  # fmt: skip
    form = as_finance.get(own.correct_url).context["adminform"].form
    assert (form["price"].value(), form["replace"].value()) == ("1.5", "on")
    assert form["effective_from"].value() == entry.effective_from


def test_overrides_stand_apart(as_finance: Client, acme: Organization, search: Team) -> None:
    make.price("m", "input", "3", organization=acme)
    make.price("m", "input", "1", organization=acme, team=search)
    answer = as_finance.get(MODEL, {"model": "m"})
    assert [row[:3] for row in rows_of(answer, "Search")] == [["Search", "input", "1"]]
    assert [row.price for row in answer.context["tables"][0][1]] == ["3"]


def test_a_priced_model_with_unpriced_requests_offers_to_reprice(as_finance: Client, acme: Organization) -> None:
    sent(acme, "late")
    assert "have no cost. <a" in as_finance.get(MODEL, {"provider": "openai", "model": "late"}).content.decode()
    make.price("late", "input", "1", organization=acme)
    answer = as_finance.get(MODEL, {"provider": "openai", "model": "late"})
    assert "although the model has a price now" in answer.content.decode()
    form = as_finance.get(answer.context["reprice_url"]).context["adminform"].form
    day = (make.NOW - timedelta(hours=1)).astimezone(ZoneInfo("Europe/Berlin")).date()
    assert (form["model"].value(), form["first"].value()) == ("late", day.isoformat())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_and_lead_somewhere(as_finance: Client, acme: Organization, name: str) -> None:
    sent(acme, name)
    assert LLMModel.objects.get().name == name
    row, _ = as_finance.get(LIST).context["unpriced"][0], None
    for path in (LIST, row.url, row.price_url):
        answer = as_finance.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.content.decode()
    assert as_finance.get(row.url).context["model"].name == name
    assert as_finance.get(row.url).context["model"].unpriced.requests == 1


@pytest.mark.parametrize(
    "query",
    [{}, {"model": ""}, {"model": "x" * 257}, {"model": "a\0"}, {"model": "m", "provider": "p" * 65}],
)
def test_what_is_no_model_is_not_found(as_finance: Client, acme: Organization, query: dict[str, str]) -> None:
    assert as_finance.get(MODEL, query).status_code == 404


def test_another_organization_is_not_found(as_finance: Client, acme: Organization, rival: Organization) -> None:
    sent(rival, "rival-model")
    make.price("rival-priced", "input", "1", organization=rival)
    make.price("gpt-4o", "input", "77.123", organization=rival)
    assert "rival" not in as_finance.get(LIST).content.decode().lower()
    for path in (LIST, MODEL, f"{LIST}price/"):
        for asked in (rival.pk, 987_654, "x", "9" * 30, "9" * 5_000, "-1"):
            assert as_finance.get(path, {"organization": asked, "model": "gpt-4o"}).status_code == 404
    assert "77.123" not in as_finance.get(MODEL, {"model": "gpt-4o"}).content.decode()


@pytest.mark.parametrize("persona", ["member", "manager", "viewer", "nobody", None])
@pytest.mark.parametrize("path", [LIST, f"{MODEL}?model=m", f"{LIST}price/", f"{LIST}price/bill/", f"{LIST}entries/"])
def test_others_see_nothing(client: Client, request: Any, acme: Organization, persona: str | None, path: str) -> None:
    if persona:
        client.force_login(request.getfixturevalue(persona))
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code in (302, 403)
        assert b"Price book" not in answer.content


def test_operators_choose_the_organization(
    client: Client, superuser: User, acme: Organization, rival: Organization
) -> None:
    sent(rival, "rival-model")
    client.force_login(superuser)
    assert [one.name for one in client.get(LIST).context["organizations"]] == ["Acme Works", "Rival Works"]
    assert b"rival-model" not in client.get(LIST).content
    assert b"rival-model" in client.get(LIST, {"organization": rival.pk}).content


def test_an_installation_without_organizations_says_so(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    assert b"There is no organization yet" in client.get(LIST).content
    assert client.get(f"{LIST}price/").status_code == 200


def test_appending_is_all_or_nothing(acme: Organization, finance: User) -> None:
    def entry(model: str) -> PriceEntry:
        return PriceEntry(organization=acme, model_match=model, token_class="input", effective_from=make.NOW)

    append(entries=[entry("a")], actor=finance)
    with pytest.raises(Exception, match="There is already a price of this line"):
        append(entries=[entry("b"), entry("a")], actor=finance)
    assert [one.model_match for one in PriceEntry.objects.all()] == ["a"]


def test_the_pages_themselves_ask_for_the_right(rf: RequestFactory, member: User, finance: User) -> None:
    """Today nobody enters the administration without it; roles are a table that may change."""
    page = site.get_model_admin(PriceEntry)
    assert isinstance(page, SheetAdmin)
    for view in (page.models_view, page.model_view, page.price_view, page.bill_view):
        request = rf.get(LIST, {"model": "m"})
        request.user = member
        with pytest.raises(PermissionDenied):
            view(request)
        request = rf.get(LIST, {"model": "m"})
        request.user = finance
        assert view(request).status_code == 200


def test_an_alias_is_priced_as_its_model(as_finance: Client, acme: Organization) -> None:
    make.price("gpt-5", "input", "2", provider="openai")
    ModelAlias.objects.create(organization=acme, model_match="our-best", provider="openai", model="gpt-5")
    sent(acme, "our-best")
    (row,) = as_finance.get(LIST).context["rows"]
    assert row.prices[0] == "2"
    page = as_finance.get(row.url).content.decode()
    assert "An alias says that it is priced as gpt-5 of openai." in page
