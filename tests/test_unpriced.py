"""What has no price is nowhere shown as costing nothing: its cost is unknown, or at least so much, on every surface."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from analytics import rollups, tasks
from analytics.catalog.measures import MEASURES, NATIVE, Unit
from analytics.catalog.measures import Kind as MeasureKind
from teams.models import Organization, ReportRecipient, Team, User
from teams.services import IssuedKey
from tests import make, pages, surfaces
from tests.surfaces import DAYS, END, START, TOTAL, UNASSIGNED, Visitor

pytestmark = pytest.mark.django_db
# An amount of nothing: $0, $0.00, 0.00. Not a share (0.0 %), a part of a longer number or a time.
NOTHING: Final = re.compile(r"\$0(?:\.0*)?(?![\d.])|(?<![\d.:])0\.00+(?!\d)")
MONEY: Final = tuple(name for name, one in NATIVE.items() if one.measure.unit is Unit.USD)
PRICED: Final = {"model": "gpt-4o", "provider": "openai", "input_tokens": 1_000_000, "output_tokens": 0}
UNPRICED: Final = {"model": "mystery", "provider": "acme", "input_tokens": 4_000, "output_tokens": 40}


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """24 November: October is over, and so is its grace."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def visitor(owner: User, read_key: IssuedKey) -> Visitor:
    client = Client()
    client.force_login(owner)
    return Visitor(client, read_key)


def send(visitor: Visitor, key: IssuedKey, *requests: dict[str, Any]) -> None:
    """Requests of the team Search in the end of October, rolled up; the month is closed and mailed."""
    head = {"started_at": "2026-10-25T12:00:00Z", "latency_ms": 900.0, "status_code": 200, "team": "Search"}
    records = [head | {"request_id": f"r{number}"} | one for number, one in enumerate(requests)]
    assert visitor.post("/api/v1/requests", records, key)["accepted"] == len(records)
    rollups.drain()
    ReportRecipient.objects.create(team=Team.objects.get(name="Search"), email="search@acme.example")
    assert (tasks.close_due_periods(), tasks.send_due_mail()) == (1, 1)


def read(visitor: Visitor, path: str, **parameters: str) -> str:
    """What an endpoint of the API answers, as text."""
    response: Any = Client().get(path, parameters, headers=make.bearer(visitor.key))
    assert response.status_code == 200, path
    return b"".join(response).decode()


def shown(visitor: Visitor, mails: list[EmailMultiAlternatives]) -> dict[str, str]:
    """Every text for people, by where it stands."""
    october = {"from": START, "to": END}
    statements = surfaces.statement_paths(visitor)
    (mail,) = mails
    texts = {
        "dashboard": visitor.page("/o/acme/", **october),
        "dashboard by team": visitor.page("/o/acme/", **october, by="team"),
        "costs": visitor.page("/o/acme/costs/", **october),
        "costs by team": visitor.page("/o/acme/costs/", **october, by="team"),
        "statements": visitor.page("/o/acme/statements/"),
        "statement": visitor.page(statements["Search"]),
        "administration": visitor.page("/admin/analytics/statement/"),
        "mail": f"{mail.subject}\n{mail.body}",
        "mail in HTML": str(mail.alternatives[0][0]),
    }
    # What the script gets is checked as data: in it the height of a bar that is not there is a number.
    return {name: re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL) for name, text in texts.items()}


def files(visitor: Visitor, mails: list[EmailMultiAlternatives]) -> dict[str, str]:
    """Every file and answer in which the cost has a column, as text."""
    list_of_requests = "/api/v1/requests"
    return {
        "report": read(visitor, "/api/v1/report", **DAYS, group_by="model"),
        "report in CSV": read(visitor, "/api/v1/report", **DAYS, group_by="model", format="csv"),
        "report in NDJSON": read(visitor, "/api/v1/report", **DAYS, group_by="model", format="ndjson"),
        "requests": read(visitor, list_of_requests),
        "requests in CSV": read(visitor, list_of_requests, format="csv"),
        "requests in NDJSON": read(visitor, list_of_requests, format="ndjson"),
        "request": read(visitor, f"{list_of_requests}/r0"),
        "statement in CSV": visitor.page(surfaces.statement_paths(visitor)["Search"] + "csv"),
        "file of the mail": str(mails[0].attachments[0][1]),
    }


def amounts_asked(visitor: Visitor) -> dict[str, Any]:
    """Every amount that metrics/query can be asked for, of the whole month."""
    kinds = [(one, kind) for one in MEASURES if one.unit is Unit.USD for kind in one.aggregations]
    columns = [{"type": kind, "column": one.api_name} for one, kind in kinds]
    question = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": columns}
    answer = visitor.post("/api/v1/metrics/query", question)
    assert answer["meta"]["unpricedRequests"] > 0
    (point,) = answer["data"]["dataPoints"]
    return {name: value for name, value in point.items() if "USD" in name}


def test_what_counts_as_an_amount_of_nothing() -> None:
    for text in ("$0", "$0.00", "0.00", "at least $0.00", '"0.00"', ",0.000,"):
        assert NOTHING.search(text), text
    for text in ("$0.25", "0.0 %", "10.00", "0.001", "1,000.00", "00:00", "$0.000015"):
        assert not NOTHING.search(text), text


def test_no_surface_says_that_an_unpriced_model_costs_nothing(
    acme: Organization, visitor: Visitor, ingest_key: IssuedKey, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    send(visitor, ingest_key, UNPRICED, UNPRICED)
    texts = shown(visitor, mailoutbox) | files(visitor, mailoutbox)
    found = {name: NOTHING.findall(text) for name, text in texts.items()}
    assert found == {name: [] for name in texts}
    assert {name for name, text in texts.items() if "mystery" not in text} == {
        "dashboard by team",
        "costs by team",
        "statements",
        "administration",
    }
    assert {*amounts_asked(visitor).values()} == {None}


def test_the_coverage_stands_beside_the_unknown_cost(
    acme: Organization, visitor: Visitor, ingest_key: IssuedKey, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    send(visitor, ingest_key, UNPRICED, UNPRICED)
    texts = shown(visitor, mailoutbox)
    for name in ("dashboard", "dashboard by team"):
        assert "0.0 % priced, 2 requests unpriced" in texts[name], name
    assert "8,080 tokens unpriced" in texts["costs"]
    for name in ("statements", "statement", "administration", "mail", "mail in HTML"):
        assert "no price" in texts[name], name


def test_charts_and_counters_have_no_value(
    acme: Organization, visitor: Visitor, ingest_key: IssuedKey, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    send(visitor, ingest_key, UNPRICED)
    data = json.loads(visitor.page("/o/acme/data", **{"from": START, "to": END, "interval": "1 day"}))
    (counter,) = (one for one in data["counters"] if one["name"] == "cost")
    assert (counter["value"], counter["text"], counter["compact"], counter["at_least"]) == (None, "–", "–", False)  # noqa: RUF001 - no value
    (panel,) = (one for one in data["panels"] if one["name"] == "cost")
    (line,) = panel["series"]
    assert (panel["headline"], panel["range"]) == ("–", None)  # noqa: RUF001 - no value
    assert (line["range"], line["range_text"], line["max"]) == (None, "–", 0)  # noqa: RUF001 - no value
    assert [number for number, value in enumerate(line["values"]) if value is None] == [24]  # the other days had none
    (row,) = data["breakdown"]["rows"]
    for part in (row, data["breakdown"]["total"]):
        assert (part["values"]["cost_usd"], part["texts"]["cost_usd"]) == (None, "–")  # noqa: RUF001 - no value
        assert part["values"]["cost_per_1000_usd"] is None


def test_files_leave_the_amounts_empty(
    acme: Organization, visitor: Visitor, ingest_key: IssuedKey, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    send(visitor, ingest_key, UNPRICED)
    texts = files(visitor, mailoutbox)
    (row,) = csv.DictReader(io.StringIO(texts["report in CSV"]))
    assert {name: row[name] for name in MONEY} == dict.fromkeys(MONEY, "")
    report = json.loads(texts["report"])
    for one in (*report["rows"], report["totals"]):
        assert {name: one[name] for name in MONEY} == dict.fromkeys(MONEY)
    (listed,) = json.loads(texts["requests"])["results"]
    assert (listed["cost_usd"], listed["cost_state"]) == (None, "unpriced")
    detail = json.loads(texts["request"])
    assert [detail[name] for name in ("cost_usd", "list_cost_usd", "reported_cost_usd")] == [None] * 3
    for name in ("statement in CSV", "file of the mail"):
        for one in csv.DictReader(io.StringIO(texts[name].removeprefix("\ufeff"))):
            assert (one["cost_usd"], one["cost_exact_usd"], one["unpriced_requests"]) == ("", "", "1"), name


def test_a_partly_priced_month_costs_at_least_so_much(
    acme: Organization, visitor: Visitor, ingest_key: IssuedKey, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    make.price("gpt-4o", "input", "2.5")
    make.price("gpt-4o", "output", "10")
    send(visitor, ingest_key, PRICED, UNPRICED)
    texts = shown(visitor, mailoutbox)
    for name in ("dashboard", "dashboard by team", "costs", "costs by team", "statements", "statement", "mail"):
        assert "at least" in texts[name], name
    assert NOTHING.findall("".join(texts.values())) == []
    data = json.loads(visitor.page("/o/acme/data", **{"from": START, "to": END, "by": "team"}))
    (counter,) = (one for one in data["counters"] if one["name"] == "cost")
    assert (counter["value"], counter["at_least"], counter["unpriced_requests"]) == ("2.5", True, 1)
    (panel,) = (one for one in data["panels"] if one["name"] == "cost")
    assert panel["headline"] == panel["series"][0]["range_text"] == "at least $2.50"
    assert [number for number, least in enumerate(panel["series"][0]["at_least"]) if least] == [
        number for number, value in enumerate(panel["series"][0]["values"]) if value
    ]
    assert data["breakdown"]["rows"][0]["texts"]["cost_usd"] == "at least $2.50"
    assert data["breakdown"]["rows"][0]["texts"]["cost_per_1000_usd"] == "at least $1,250.00"
    meta = json.loads(read(visitor, "/api/v1/report", **DAYS))["meta"]
    assert (meta["priced_share"], meta["unpriced_requests"], meta["unpriced_tokens"]) == (0.5, 1, 4_040)


def test_a_model_with_a_price_for_input_alone_is_unpriced(
    acme: Organization, visitor: Visitor, ingest_key: IssuedKey, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    make.price("mystery", "input", "2.5")
    send(visitor, ingest_key, UNPRICED)
    assert {*amounts_asked(visitor).values()} == {None}
    (row,) = (
        one for one in pages.rows(visitor.page("/o/acme/costs/", **{"from": START, "to": END})) if one[0] == TOTAL
    )
    assert row[1:] == ["1", "1", "0.0 %", "4,040", "–", "–", "–", "–", "–", "–", ""]  # noqa: RUF001 - no value
    assert UNASSIGNED not in surfaces.statement_paths(visitor)
    assert {one.kind for one in MEASURES if one.unit is Unit.USD} == {MeasureKind.MONEY, MeasureKind.RATIO}
