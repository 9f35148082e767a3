"""Change and course of every row of the breakdown table, against the facts themselves."""

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoDbBlocker

from analytics import rollups
from analytics.dashboards.changes import HEIGHT, MOST_POINTS, WIDTH, spark
from analytics.query import engine
from analytics.query.values import NotKeptError, Query, Result
from ingestion.models import LLMRequest
from metricsportal.lib import formats
from teams.models import User
from tests import kept, make, pages
from tests.analytics.world import store
from tests.personas import acme_works

Json = dict[str, Any]
START, END = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
RANGE = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z", "interval": "1 hour"}
MODELS = [f"model-{number:02}" for number in range(31)]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


def _record(number: int, draw: random.Random) -> dict[str, Any]:
    day, model = draw.choice((0, 0, 1)), draw.randrange(len(MODELS))
    # Each third model is new on the second day, each seventh is gone on it.
    day = 1 if model % 3 == 0 else 0 if model % 7 == 0 else day
    is_failing = draw.random() < 0.2
    return {
        "request_id": f"r{number}",
        "started_at": START - timedelta(days=1 - day) + timedelta(seconds=draw.randrange(86_400)),
        "model": MODELS[model] if model else None,
        "status_code": 500 if is_failing else 200,
        "input_tokens": draw.randrange(1, 500),
        "output_tokens": draw.randrange(1, 50),
        "latency_ms": float(draw.randrange(10, 5000)),
        "reported_cost_usd": Decimal(draw.randrange(1, 10**6)).scaleb(-6),
    }


@pytest.fixture(scope="module")
def _two_days(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    with kept.for_the_module(request, django_db_blocker):
        with django_db_blocker.unblock(), time_machine.travel(make.NOW, tick=False):
            draw = random.Random(20261120)
            store(acme_works(), *(_record(number, draw) for number in range(600)))
            rollups.drain()
        yield


@pytest.fixture
def client(_two_days: None, owner: User) -> Client:
    """Signed in, over two days of random requests of more models than charts show or a page of the table holds."""
    client = Client()
    client.force_login(owner)
    return client


def _facts(start: datetime, end: datetime) -> dict[str, list[LLMRequest]]:
    found: dict[str, list[LLMRequest]] = {}
    for one in LLMRequest.objects.filter(started_at__gte=start, started_at__lt=end).select_related("model"):
        found.setdefault(one.model.name if one.model else "(none)", []).append(one)
    return found


def _failure_rate(facts: list[LLMRequest]) -> float | None:
    return sum(one.failed for one in facts) / len(facts) if facts else None


def _cost(facts: list[LLMRequest]) -> int:
    return sum(one.cost or 0 for one in facts)


MEASURES: dict[str, Callable[[list[LLMRequest]], float | None]] = {
    "requests": len,
    "share": len,
    "cost_usd": _cost,
    "failure_rate": _failure_rate,
    "input_tokens": lambda facts: sum(one.input_tokens or 0 for one in facts),
}


def _expected(measure: str) -> dict[str, tuple[float | None, str | None]]:
    now, before = _facts(START, END), _facts(START - timedelta(days=1), START)
    of = MEASURES[measure]
    every = [one for facts in now.values() for one in facts], [one for facts in before.values() for one in facts]
    pairs = {label: (of(facts), of(before.get(label, []))) for label, facts in now.items()}
    pairs["Total"] = of(every[0]), of(every[1])
    return {label: formats.change(*pair) for label, pair in pairs.items()}


def _table(client: Client, **parameters: str) -> Json:
    page = client.get("/o/acme/data", RANGE | parameters).json()
    assert page["messages"] == []
    table: Json = page["breakdown"]
    return table


def _rows(client: Client, **parameters: str) -> list[Json]:
    first = _table(client, **parameters)
    others = (_table(client, **parameters, page=str(number))["rows"] for number in range(2, first["pages"] + 1))
    return [*first["rows"], *(row for rows in others for row in rows)]


@pytest.mark.parametrize("measure", MEASURES)
def test_the_change_is_that_of_the_sorted_measure(client: Client, measure: str) -> None:
    table = _table(client, sort=f"-{measure}")
    rows = [*_rows(client, sort=f"-{measure}"), {"label": "Total"} | table["total"]]
    assert len(rows) > 26
    found = {row["label"]: (row["change"], row["change_text"]) for row in rows}
    assert found == {label: pytest.approx(pair) for label, pair in _expected(measure).items()}
    assert {"new", "unchanged"} & {words for _, words in found.values()}
    assert any(row["bad"] for row in rows) is (measure == "failure_rate")
    assert all(not row["bad"] or row["arrow"] != "arrow-down" for row in rows)


@pytest.mark.parametrize("measure", ["requests", "cost_usd", "failure_rate"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_the_table_is_sorted_by_the_change_of_a_measure(client: Client, measure: str, sign: str) -> None:
    expected = _expected(measure)
    rows = _rows(client, sort=f"{sign}change.{measure}")
    assert {row["label"] for row in rows} == expected.keys() - {"Total"}
    assert all((row["change"], row["change_text"]) == pytest.approx(expected[row["label"]]) for row in rows)

    def place(row: Json) -> float | None:
        return float("inf") if row["change_text"] == "new" else row["change"]

    known = [value for value in map(place, rows) if value is not None]
    assert known == sorted(known, reverse=bool(sign))
    assert [place(row) for row in rows[len(known) :]] == [None] * (len(rows) - len(known))


def test_the_change_of_a_percentile_is_that_of_its_values(client: Client) -> None:
    rows = _rows(client, sort="-latency_p50_ms")
    yesterday = RANGE | {"from": "2026-11-19T00:00:00Z", "to": "2026-11-20T00:00:00Z"}
    before: dict[str, float | None] = {}
    for number in (1, 2):
        page = client.get("/o/acme/data", yesterday | {"page": str(number)}).json()
        before |= {row["label"]: row["values"]["latency_p50_ms"] for row in page["breakdown"]["rows"]}
    for row in rows:
        expected = formats.change(row["values"]["latency_p50_ms"], before.get(row["label"]))
        assert (row["change"], row["change_text"]) == pytest.approx(expected), row["label"]
    assert any(row["change"] for row in rows)


def test_the_change_of_all_is_that_of_the_counter(client: Client) -> None:
    page = client.get("/o/acme/data", RANGE | {"sort": "-cost_usd"}).json()
    counter = next(one for one in page["counters"] if one["name"] == "cost")
    total = page["breakdown"]["total"]
    assert counter["change"]
    names = ("change", "change_text", "arrow", "previous_text")
    assert [total[name] for name in names] == [counter[name] for name in names]


def test_nothing_before_is_no_change(client: Client) -> None:
    earlier = RANGE | {"from": "2026-11-19T00:00:00Z", "to": "2026-11-20T00:00:00Z"}
    table = client.get("/o/acme/data", earlier).json()["breakdown"]
    assert {row["change_text"] for row in (*table["rows"], table["total"])} == {None}


@pytest.mark.parametrize("sort", ["-requests", "-change.cost_usd"])
def test_a_table_without_changes_is_better_than_none(
    client: Client, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    def refusing(query: Query, now: datetime) -> Result:
        if query.group_by and query.period.end <= START:
            raise NotKeptError("Groups of that time are not kept.", START, ())
        return run(query, now)

    run = engine.run
    monkeypatch.setattr(engine, "run", refusing)
    page = client.get("/o/acme/data", RANGE | {"sort": sort}).json()
    assert page["problem"] is None
    assert {row["change_text"] for row in (*page["breakdown"]["rows"], page["breakdown"]["total"])} == {None}
    assert len(page["breakdown"]["rows"]) == 25
    assert all(counter["change"] for counter in page["counters"])  # these need no groups


def _hourly(facts: Iterable[LLMRequest]) -> list[int]:
    hours = [int((one.started_at - START).total_seconds() // 3600) for one in facts]
    return [hours.count(hour) for hour in range(24)]


def test_the_course_is_that_of_the_requests(client: Client) -> None:
    facts = _facts(START, END)
    rows, total = _rows(client), _table(client)["total"]
    everything = {row["label"]: row["spark"] for row in rows} | {"Total": total["spark"]}
    assert everything.keys() == facts.keys() | {"Total"}
    for label, found in everything.items():
        hours = _hourly(facts[label] if label in facts else [one for many in facts.values() for one in many])
        words = f"Requests per hour: lowest {min(hours)}, highest {max(hours)}, last {hours[-1]}"
        points = [tuple(map(int, point.split(","))) for point in found["points"].split()]
        assert found["words"] == words
        heights = [round(HEIGHT - 4 - hour / max(hours) * (HEIGHT - 8)) for hour in hours]
        assert points[2:-2] == [(round(number * WIDTH / 23), height) for number, height in enumerate(heights)], label


def test_a_cut_bucket_is_not_drawn_as_a_fall(client: Client) -> None:
    cut = RANGE | {"from": "2026-11-20T00:30:00Z", "to": "2026-11-20T10:30:00Z"}
    [row, *_] = client.get("/o/acme/data", cut).json()["breakdown"]["rows"]
    assert len(row["spark"]["points"].split()) == 9 + 4


def test_the_page_says_it_without_scripts(client: Client) -> None:
    html = client.get("/o/acme/", RANGE | {"sort": "-failure_rate"}).content.decode()
    table = html.partition("breakdown-table")[2]
    head, *rows = pages.rows(table)
    by_label = {row[0]: row for row in rows if len(row) == len(head)}
    changes = {label: row[head.index("Change of failure rate")] for label, row in by_label.items()}
    expected = {label: words or "–" for label, (_, words) in _expected("failure_rate").items()}  # noqa: RUF001
    assert changes == {label: expected[label] for label in changes}
    assert len(changes) == 26
    assert all("Requests per hour: lowest" in row[head.index("Requests over time")] for row in by_label.values())
    assert table.count("<polygon") == 26
    assert "sort=-change.failure_rate" in table


def test_many_values_are_drawn_as_few() -> None:
    found = spark([*[10] * 100, *[0] * 50], "Requests", formats.compact)
    assert found is not None
    places = [tuple(map(int, point.split(","))) for point in found["points"].split()][2:-2]
    assert len(places) == MOST_POINTS - 10
    assert {y for _, y in places} == {4, HEIGHT - 4, 52}  # the one between is the mean of 10, 0 and 0
    assert found["words"] == "Requests: lowest 0, highest 10, last 0"


@pytest.mark.parametrize("values", [[], [3], [None, None]])
def test_no_course_has_no_picture(values: list[int | None]) -> None:
    assert spark(values, "Requests", formats.compact) is None
