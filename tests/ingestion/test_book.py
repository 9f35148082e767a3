"""The price book in memory: the same answers as the plain resolution, and never an old book."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.models import LLMRequest, PriceEntry
from ingestion.pricing.arithmetic import Entry, rates
from ingestion.pricing.book import Agreement, PriceBook
from ingestion.pricing.loading import price_book
from ingestion.pricing.matching import Pattern
from ingestion.pricing.terms import Adjustment, Alias, Policy, stands_for, terms
from teams.models import Organization
from tests import make

DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
MODELS = ["gpt-5", "gpt-5-mini", "o3"]

entries = st.builds(
    Entry,
    own=st.booleans(),
    manual=st.booleans(),
    provider=st.sampled_from(["*", "openai", "azure"]),
    match_kind=st.sampled_from(["exact", "prefix", "glob"]),
    model_match=st.sampled_from([*MODELS, "gpt", "gpt*", "*"]),
    token_class=st.sampled_from(["input", "output", "cache_read", "request"]),
    context_above=st.sampled_from([0, 100, 200]),
    service_tier=st.sampled_from(["standard", "batch"]),
    price=st.none() | st.integers(0, 9).map(Decimal),
    effective_from=st.sampled_from(DAYS),
    order=st.integers(1, 9),
    team_id=st.sampled_from([None, None, 1]),
    virtual_account_id=st.sampled_from([None, None, 1]),
)
patterns = st.builds(
    Pattern,
    st.sampled_from(["*", "openai"]),
    st.sampled_from(["exact", "prefix", "glob"]),
    st.sampled_from([*MODELS, "gpt", "gpt*", "*"]),
)
agreements = st.builds(
    Agreement,
    st.lists(
        st.builds(
            Adjustment,
            st.sampled_from(["discount", "markup"]),
            st.sampled_from([None, 1, 2]),
            patterns,
            st.none() | st.integers(0, 100).map(Decimal),
            st.sampled_from(DAYS),
            st.integers(1, 9),
        ),
        max_size=4,
    ),
    st.lists(
        st.builds(
            Alias,
            st.booleans(),
            patterns,
            st.sampled_from(["", "azure"]),
            st.sampled_from(["", *MODELS]),
            st.integers(),
        ),
        max_size=2,
    ),
    st.lists(
        st.builds(
            Policy,
            st.sampled_from(["computed_first", "reported_only"]),
            st.booleans(),
            st.sampled_from(DAYS),
            st.integers(1, 9),
        ),
        max_size=2,
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(entries, max_size=8), agreements, st.data())
def test_the_book_answers_like_the_plain_resolution(
    listed: list[Entry], agreement: Agreement, data: st.DataObject
) -> None:
    book = PriceBook(listed, 1, agreement)
    for _ in range(3):
        provider, model = data.draw(st.sampled_from(["openai", "azure", ""])), data.draw(st.sampled_from(MODELS))
        tier, tokens = data.draw(st.sampled_from(["standard", "batch"])), data.draw(st.sampled_from([0, 100, 101, 201]))
        at = data.draw(st.sampled_from(DAYS)) - data.draw(st.sampled_from([timedelta(), timedelta(microseconds=1)]))
        team, account = data.draw(st.sampled_from([None, 1, 2])), data.draw(st.sampled_from([None, 1, 2]))
        stands_for_ = stands_for(agreement.aliases, provider, model)
        of_owner = [e for e in listed if e.team_id in (None, team) and e.virtual_account_id in (None, account)]
        matching = [entry for entry in of_owner if entry.matches(*stands_for_)]
        adjustments = [one for one in agreement.adjustments if one.team_id in (None, team)]
        speaking = [one for one in adjustments if one.pattern.matches(*stands_for_)]
        found = book.rates(provider, model.upper(), tier, tokens, at, team_id=team, virtual_account_id=account)
        assert found == rates(matching, tier, tokens, at, terms(speaking, agreement.policies, at))


def test_dates_and_context_limits_are_told_apart() -> None:
    """All of them of one model, from one book: what was worked out for one is never the answer to another."""
    steps = [(day, above) for day in DAYS for above in (0, 100, 200)]
    listed = [
        Entry(True, True, "*", "exact", "o3", "input", above, "standard", Decimal(price), day, price)
        for price, (day, above) in enumerate(steps, 1)
    ]
    book = PriceBook(listed, 1)
    cells = [(tokens, at) for at in (DAYS[0] - timedelta(1), *DAYS) for tokens in (0, 100, 101, 200, 201)]
    found = [book.rates("openai", "o3", None, tokens, at).tokens[0] for _ in range(2) for tokens, at in cells]
    assert found == 2 * [rates(listed, "standard", tokens, at).tokens[0] for tokens, at in cells]
    assert len(set(found)) == 1 + len(steps)


def test_made_up_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.pricing.book._MOST_SHEETS", 3)
    entry = Entry(True, True, "*", "glob", "*", "input", 0, "standard", Decimal(1), DAYS[0], 1, team_id=7)
    book = PriceBook([entry], 1)
    for number in range(20):
        found = book.rates("openai", f"made-up-{number}", None, 0, DAYS[1], team_id=7, virtual_account_id=number)
        assert found.tokens[0] == 1_000_000
        assert len(book._sheets) <= 4
        assert len(book._matching) <= 4


@pytest.mark.django_db
def test_own_entries_beat_those_of_everybody(acme: Organization, rival: Organization) -> None:
    for token_class in ("input", "output"):
        make.price("gpt-4o", token_class, "1")
    own = make.price("gpt-4o", "output", "5", organization=acme)
    costs = {organization: make.request(organization).cost for organization in (acme, rival)}
    assert costs == {acme: 1_000 * 1_000_000 + 100 * 5_000_000, rival: 1_100 * 1_000_000}
    assert price_book(acme.pk).version == own.pk
    assert price_book(rival.pk).version < own.pk


@pytest.mark.django_db(transaction=True)
def test_a_new_entry_prices_the_next_request(acme: Organization) -> None:
    make.price("gpt-4o", "input", "1")
    assert make.request(acme).cost_state == "unpriced"
    assert price_book(acme.pk) is price_book(acme.pk)
    version = make.price("gpt-4o", "output", "2").pk
    priced = make.request(acme)
    assert (priced.cost, priced.price_book_version) == (1_000 * 1_000_000 + 100 * 2_000_000, version)


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_committed_after_a_newer_one_is_found_in_seconds(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = make.price("gpt-4o", "input", "1")
    PriceEntry.objects.all().delete()
    make.price("gpt-4o", "output", "2")
    assert make.request(acme).cost_state == "unpriced"
    late.save(force_insert=True)
    monkeypatch.setattr("ingestion.pricing.loading._COUNT_SECONDS", 0.0)
    assert make.request(acme).cost == 1_000 * 1_000_000 + 100 * 2_000_000


@pytest.mark.django_db
@pytest.mark.parametrize(("started_at", "cost"), [(DAYS[0], 1_000_000_000), (DAYS[1], 2_000_000_000)])
def test_late_records_get_the_price_of_their_own_day(acme: Organization, started_at: datetime, cost: int) -> None:
    make.price("gpt-4o", "input", "1", effective_from=DAYS[0])
    make.price("gpt-4o", "input", "2", effective_from=DAYS[1])
    assert make.request(acme, started_at=started_at, output_tokens=0).cost == cost


@pytest.mark.django_db
def test_prices_are_stored_with_six_decimals(acme: Organization) -> None:
    make.price("gpt-4o", "input", "0.000001")
    assert PriceEntry.objects.get().price == Decimal("0.000001")
    make.request(acme, output_tokens=0)
    assert LLMRequest.objects.get().cost == 1_000
