"""Stored requests get the cost that ingest would give them now, and nothing else of them changes."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from ingestion import services
from ingestion.models import OVERFLOW, ChangedHour, LLMModel, LLMRequest, PriceEntry, RepriceRun
from ingestion.repricing import runs, windows, work
from ingestion.repricing.selection import SelectionError, select
from ingestion.repricing.tally import OTHER, TOO_LARGE, Sums, Tally
from teams.models import AuditEntry, Organization, Team, User
from tests import make
from tests.ingestion.prices.repricing import (
    FIRST,
    LAST,
    apply,
    at,
    correct,
    costs,
    everything,
    finish,
    fixed,
    pico,
    preview,
)

pytestmark = pytest.mark.django_db
USD_OF_ONE = pico("0.0035")  # 1,000 input tokens at 2.50 and 100 output tokens at 10 per million


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and parts that end in the middle of everything."""
    monkeypatch.setitem(windows.WINDOWS, connection.vendor, 7)
    monkeypatch.setitem(windows.PARTS, connection.vendor, 3)


def prices(**fields: Any) -> None:
    make.price("gpt-4o", "input", "2.5", **fields)
    make.price("gpt-4o", "output", "10", **fields)


def test_an_unpriced_request_gets_its_price(acme: Organization, finance: User) -> None:
    request = make.request(acme, team="Search")
    before = fixed(acme)
    ChangedHour.objects.all().delete()
    prices()
    tally = apply(everything(acme), actor=finance)
    assert costs(acme) == {request.request_id: ("computed", USD_OF_ONE, USD_OF_ONE, USD_OF_ONE)}
    assert fixed(acme) == before
    assert tally.total == Sums(1, 1, 0, USD_OF_ONE, 1)
    assert tally.states == {("unpriced", "computed"): 1}
    newest = PriceEntry.objects.latest("id").pk
    assert LLMRequest.objects.get().price_book_version == newest
    assert [row.hour_start for row in ChangedHour.objects.all()] == [request.hour_start]
    entry = AuditEntry.objects.get(action="requests.reprice")
    assert (entry.organization, entry.actor) == (acme, finance)
    assert entry.details == {
        "reason": "wrong price",
        "start": "2025-12-31T23:00:00+00:00",
        "end": "2026-12-31T23:00:00+00:00",
        "model": "",
        "virtual_model": "",
        "team": "",
        "price_book_version": newest,
        "requests": 1,
        "changed": 1,
        "usd_before": "0",
        "usd_after": "0.0035",
    }


def test_a_preview_changes_nothing(acme: Organization) -> None:
    make.request(acme)
    before, hours = costs(acme), ChangedHour.objects.count()
    prices()
    assert preview(everything(acme)).total == Sums(1, 1, 0, USD_OF_ONE, 1)
    assert (costs(acme), ChangedHour.objects.count()) == (before, hours)
    assert not RepriceRun.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.usefixtures("small_windows")
def test_a_second_run_changes_nothing(acme: Organization) -> None:
    for number in range(20):
        make.request(acme, started_at=at(11) + timedelta(hours=number // 3))
    prices()
    first = apply(everything(acme))
    ChangedHour.objects.all().delete()
    versions = list(LLMRequest.objects.values_list("price_book_version", flat=True))
    make.price("other", "input", "1")  # a newer book that prices everything as before
    second = apply(everything(acme))
    assert first.total == Sums(20, 20, 0, 20 * USD_OF_ONE, 20)
    assert second.total == Sums(20, 0, 20 * USD_OF_ONE, 20 * USD_OF_ONE)
    assert not ChangedHour.objects.exists()
    assert list(LLMRequest.objects.values_list("price_book_version", flat=True)) == versions
    assert AuditEntry.objects.filter(action="requests.reprice").count() == 2


def test_what_is_not_billable_stays_so(acme: Organization) -> None:
    make.request(acme, request_id="hit", metadata={"gateway_cache": "hit"})
    make.request(acme, request_id="failed", status_code=500, input_tokens=None, output_tokens=None)
    make.request(acme, request_id="empty", input_tokens=0, output_tokens=0)
    before = costs(acme)
    assert {state for state, *_ in before.values()} == {"none"}
    prices()
    make.price("gpt-4o", "request", "0.01")
    assert apply(everything(acme)) == Tally()
    assert costs(acme) == before


def test_reported_costs_give_way_to_the_book_and_come_back(acme: Organization) -> None:
    make.request(acme, request_id="r", reported_cost_usd=Decimal(1))
    reported = costs(acme)
    assert reported == {"r": ("reported", pico("1"), None, pico("1"))}
    prices(effective_from=at(1))
    assert apply(everything(acme)).states == {("reported", "computed"): 1}
    assert costs(acme) == {"r": ("computed", USD_OF_ONE, USD_OF_ONE, USD_OF_ONE)}
    make.price("gpt-4o", "input", None, effective_from=at(2))
    tally = apply(everything(acme))
    assert tally.states == {("computed", "reported"): 1}
    assert tally.total == Sums(1, 1, USD_OF_ONE, pico("1"))
    assert costs(acme) == reported


def test_requests_are_priced_by_the_day_on_which_they_started(acme: Organization) -> None:
    for month in (3, 4):
        make.request(acme, request_id=str(month), started_at=at(month))
    prices()
    make.price("gpt-4o", "input", "25", effective_from=at(4, 15, 12))
    apply(everything(acme))
    assert {name: cost for name, (_, cost, *_) in costs(acme).items()} == {"3": USD_OF_ONE, "4": pico("0.026")}


def test_a_failure_with_tokens_pays_no_fee(acme: Organization) -> None:
    make.request(acme, request_id="bad", status_code=500)
    make.request(acme, request_id="good")
    prices()
    make.price("gpt-4o", "request", "1")
    apply(everything(acme))
    assert {name: cost for name, (_, cost, *_) in costs(acme).items()} == {
        "bad": USD_OF_ONE,
        "good": USD_OF_ONE + pico("1"),
    }


def test_models_whose_name_is_lost_keep_their_cost(acme: Organization) -> None:
    prices()
    request = make.request(acme)
    LLMModel.objects.filter(pk=request.model_id or 0).update(name=OVERFLOW)
    before = costs(acme)
    make.price(OVERFLOW, "input", "99")
    make.price("gpt-4o", "input", "99", effective_from=at(1))
    tally = apply(everything(acme))
    assert (tally.kept, tally.total.changed) == ({OTHER: 1}, 0)
    assert costs(acme) == before


def test_a_cost_that_cannot_be_stored_is_not(acme: Organization) -> None:
    make.request(acme, input_tokens=10**12)
    make.request(acme)
    before = costs(acme)
    prices()
    make.price("gpt-4o", "input", "99999999", effective_from=at(1))
    make.price("gpt-4o", "input", "2.5", effective_from=at(12))
    tally = apply(everything(acme))
    assert tally.kept == {TOO_LARGE: 1}
    assert tally.total.changed == 1
    assert sorted(state for state, *_ in costs(acme).values()) == ["computed", "unpriced"]
    assert len(before) == 2


@pytest.mark.usefixtures("small_windows")
def test_prices_that_are_added_meanwhile_hold_from_then_on(acme: Organization) -> None:
    for number in range(20):
        make.request(acme, started_at=at(11) + timedelta(hours=number))
    prices()
    run, _ = runs.begin(selection=everything(acme), reason="")
    work.carry_out(run.pk, clock=timezone.now, chunks=4)
    newer = make.price("gpt-4o", "input", "5", effective_from=at(1))
    finish(run)
    run.refresh_from_db()
    assert run.price_book_version == newer.pk
    assert "Reprice once more" in run.trouble
    found = {cost for _, cost, *_ in costs(acme).values()}
    assert found == {USD_OF_ONE, pico("0.006")}
    apply(everything(acme))
    assert {cost for _, cost, *_ in costs(acme).values()} == {pico("0.006")}


def test_filters_and_borders(acme: Organization, rival: Organization, search: Team) -> None:
    start = datetime(2026, 10, 31, 23, tzinfo=UTC)  # midnight of November in Berlin
    sent: dict[str, dict[str, Any]] = {
        "before": {"started_at": start - timedelta(microseconds=1)},
        "first": {"started_at": start},
        "team": {"team": "Search", "started_at": start},
        "alias": {"virtual_model": "chat", "started_at": start},
        "azure": {"provider": "azure", "started_at": start},
        "model": {"model": "gpt-5", "started_at": start},
        "last": {"started_at": start + timedelta(days=1, microseconds=-1)},
        "after": {"started_at": start + timedelta(days=1)},
    }
    for name, fields in sent.items():
        make.request(acme, request_id=name, **fields)
    make.request(rival, request_id="rival", started_at=start)
    make.price("gpt", "input", "1", match_kind="prefix")
    make.price("gpt", "output", "1", match_kind="prefix")
    untouched = costs(rival)

    def found(**names: str) -> int:
        day = start.date() + timedelta(days=1)
        return preview(select(acme, first=day, last=day, **names)).total.changed

    assert found() == 6
    assert found(model="gpt-4o") == 5
    assert found(virtual_model="chat") == 1
    assert found(team="Search") == 1
    assert found(team="Unassigned") == 5
    assert found(team="Unassigned", model="gpt-5") == 1
    apply(select(acme, first=start.date() + timedelta(days=1), last=start.date() + timedelta(days=1), team="Search"))
    assert [name for name, (state, *_) in costs(acme).items() if state == "computed"] == ["team"]
    assert costs(rival) == untouched


@pytest.mark.parametrize(
    "names",
    [{"model": "rival-model"}, {"virtual_model": "x"}, {"team": "x"}, {"model": "\0"}, {"model": "' OR 1=1 --"}],
)
def test_names_that_traffic_never_had_select_nothing(
    acme: Organization, rival: Organization, names: dict[str, str]
) -> None:
    make.request(rival, model="rival-model")
    with pytest.raises(SelectionError):
        everything(acme, **names)


@pytest.mark.parametrize("borders", [(LAST, FIRST), (FIRST.replace(year=1), LAST), (FIRST, LAST.replace(year=9999))])
def test_ranges_that_are_none_are_refused(acme: Organization, borders: Any) -> None:
    with pytest.raises(SelectionError):
        select(acme, first=borders[0], last=borders[1])


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5])
def test_a_run_goes_on_where_it_stopped(acme: Organization, stop: int) -> None:
    for _ in range(20):
        make.request(acme, started_at=at(11))  # all in one microsecond: only the id tells them apart
    prices()
    selection = everything(acme)
    run, resumed = runs.begin(selection=selection, reason="first")
    assert not resumed
    assert work.carry_out(run.pk, clock=timezone.now, chunks=stop) == stop
    assert 0 < LLMRequest.objects.filter(cost_state="computed").count() < 20
    make.request(acme, started_at=at(11), request_id="late")  # behind everything, and priced already
    assert not AuditEntry.objects.exists()
    again, resumed = runs.begin(selection=selection, reason="second")
    assert (again.pk, resumed) == (run.pk, True)
    assert finish(again).total == Sums(21, 20, USD_OF_ONE, 21 * USD_OF_ONE, 20)
    assert AuditEntry.objects.get().details["changed"] == 20
    assert work.carry_out(run.pk, clock=timezone.now, chunks=1) == 0


def test_a_run_whose_team_is_gone_stops(acme: Organization, search: Team) -> None:
    make.request(acme, team="Search")
    run, _ = runs.begin(selection=everything(acme, team="Search"), reason="")
    Team.objects.filter(pk=search.pk).update(name="Renamed")
    assert work.carry_out(run.pk, clock=timezone.now, chunks=9) == 0
    run.refresh_from_db()
    assert (run.state, "no team" in run.trouble) == (runs.State.STOPPED, True)


def test_runs_that_nobody_works_on_are_found(acme: Organization) -> None:
    make.request(acme)
    run, _ = runs.begin(selection=everything(acme), reason="")
    assert runs.waiting(timezone.now()) == []
    assert runs.waiting(timezone.now() + runs.STALLED * 2) == [run.pk]
    finish(run)
    assert runs.waiting(timezone.now() + runs.STALLED * 2) == []


@pytest.mark.parametrize("persona", ["member", "manager", "outsider", "nobody"])
def test_those_who_manage_no_prices_neither_propose_nor_confirm(
    acme: Organization, finance: User, persona: str, request: pytest.FixtureRequest
) -> None:
    actor = request.getfixturevalue(persona)
    with pytest.raises(PermissionDenied):
        runs.propose(actor=actor, selection=everything(acme), reason="")
    run = runs.propose(actor=finance, selection=everything(acme), reason="")
    work.carry_out(run.pk, clock=timezone.now, chunks=9)
    with pytest.raises(PermissionDenied):
        runs.confirm(actor=actor, run=run, now=make.NOW)
    run.refresh_from_db()
    assert (run.state, RepriceRun.objects.count()) == (runs.State.PREVIEWED, 1)


def _record(dice: random.Random) -> dict[str, Any]:
    """A request of any shape: unknown, contradictory, reported, failed, of any model."""

    def maybe(most: int) -> int | None:
        return dice.choice([None, 0, dice.randrange(most), dice.randrange(most)])

    return {
        "started_at": at(dice.randrange(1, 11)) + timedelta(seconds=dice.randrange(10**6)),
        "model": dice.choice([None, "gpt-4o", "GPT-4o", "claude-x", "embed"]),
        "provider": dice.choice([None, "openai", "azure"]),
        "service_tier": dice.choice([None, "standard", "batch"]),
        "operation": dice.choice(["chat", "embeddings"]),
        "status_code": dice.choice([None, 200, 500]),
        "input_tokens": maybe(3000),
        "output_tokens": maybe(1000),
        "cache_read_tokens": maybe(900),
        "cache_write_tokens": maybe(900),
        "cache_write_1h_tokens": maybe(500),
        "reasoning_tokens": maybe(900),
        "audio_input_tokens": maybe(900),
        "audio_output_tokens": maybe(900),
        "reported_cost_usd": dice.choice([None, None, Decimal(dice.randrange(10**6)).scaleb(-4)]),
        "metadata": dice.choice([{}, {"gateway_cache": "hit"}, {"env": "prod"}]),
    }


def _price(dice: random.Random) -> None:
    kind, match = dice.choice(
        [("exact", "gpt-4o"), ("prefix", "gpt"), ("glob", "*-x"), ("prefix", ""), ("exact", "embed")]
    )
    correct(
        match,
        dice.choice(["input", "input", "output", "output", "cache_read", "cache_write", "reasoning", "request"]),
        dice.choice([None, "0", f"{dice.randrange(1, 10**8)}e-6"]),
        match_kind=kind,
        provider=dice.choice(["*", "*", "openai"]),
        service_tier=dice.choice(["standard", "standard", "batch"]),
        context_above=dice.choice([0, 0, 1000]),
        effective_from=at(dice.randrange(1, 12)),
    )


def _send(organization: Organization, records: list[dict[str, Any]]) -> None:
    outcome = services.ingest_records(
        organization=organization,
        records=[make.record(**fields) for fields in records],
        source="test",
        now=make.NOW,
        past_days=None,
    )
    assert outcome.accepted == len(records), outcome


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.usefixtures("small_windows")
def test_the_cost_is_what_ingest_gives_now(acme: Organization, rival: Organization, seed: int) -> None:
    """The same records arrive at a second organization after the prices were added: both must cost the same."""
    dice = random.Random(seed)
    records = [_record(dice) | {"request_id": f"r{number}"} for number in range(60)]
    for start in range(0, len(records), 15):
        _price(dice)
        _send(acme, records[start : start + 15])
    before, held = costs(acme), fixed(acme)
    for _ in range(12):
        _price(dice)
    _send(rival, records)
    expected = {name: new if before[name][0] != "none" else before[name] for name, new in costs(rival).items()}
    foreseen = preview(everything(acme))
    done = apply(everything(acme))
    assert costs(acme) == expected
    assert fixed(acme) == held
    assert done == foreseen
    assert done.total.changed == sum(before[name] != expected[name] for name in before)
    assert done.total.after == sum(cost or 0 for _, cost, *_ in expected.values())
    assert done.total.before == sum(cost or 0 for _, cost, *_ in before.values())
    for parts in (done.models, done.teams):
        assert sum(one.difference for one in parts.values()) == done.total.difference
    assert apply(everything(acme)).total.changed == 0
