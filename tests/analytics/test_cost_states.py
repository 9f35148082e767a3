"""The cost state is a filter and a group on every surface: from single requests within the budget, else refused."""

import csv
import io
import json
import re
from decimal import Decimal
from typing import Any, Final

import pytest
from django.test import Client

from analytics import rollups
from ingestion.records import CostState
from teams.models import Organization, Team, User
from teams.services import IssuedKey
from tests import make
from tests.analytics.asking import ask, points
from tests.analytics.world import END, START, at, store

COUNTS: Final = {"computed": 1, "reported": 2, "unpriced": 3, "none": 4}
STATES: Final = tuple(state.value for state in CostState)
DASHBOARD: Final = {"from": START, "to": END}
REQUESTS: Final = {"type": "count", "column": "requests"}


@pytest.fixture
def states(acme: Organization, search: Team) -> Organization:
    """One computed request, two reported, three unpriced, four with nothing billable; rolled up."""
    make.price("gpt-5", "input", "1")
    make.price("gpt-5", "output", "1")
    billable = {"input_tokens": 10, "output_tokens": 1, "status_code": 200}
    kinds: dict[str, dict[str, Any]] = {
        "computed": {"model": "gpt-5"} | billable,
        "reported": {"model": "mystery", "reported_cost_usd": Decimal("0.5")} | billable,
        "unpriced": {"model": "mystery"} | billable,
        "none": {"model": "gpt-5", "status_code": 429, "error_type": "RateLimitError"},
    }
    for state, count in COUNTS.items():
        head = {"started_at": at(9), "team": "Search", "provider": "openai"}
        store(acme, *(head | kinds[state] | {"request_id": f"{state}-{number}"} for number in range(count)))
    rollups.drain()
    return acme


def read(client: Client, key: IssuedKey, path: str, **parameters: str) -> Any:
    return client.get(path, parameters, headers=make.bearer(key))


def content(response: Any) -> str:
    assert response.status_code == 200, response.getvalue()
    return b"".join(response).decode()


def report(client: Client, key: IssuedKey, **parameters: str) -> str:
    borders = {"start": START, "end": END, "measures": "requests"}
    return content(read(client, key, "/api/v1/report", **borders | parameters))


def test_every_state_occurs(states: Organization) -> None:
    assert {*COUNTS} == {*STATES}


def test_a_query_groups_by_it(states: Organization, client: Client, read_key: IssuedKey) -> None:
    found = points(client, read_key, groupBy=["costState"], aggregations=[REQUESTS])
    assert {one["costState"]: one["total"] for one in found} == COUNTS
    both = points(client, read_key, groupBy=["costState", "modelName"], aggregations=[REQUESTS])
    assert {(one["costState"], one["modelName"]): one["total"] for one in both} == {
        ("computed", "gpt-5"): 1,
        ("reported", "mystery"): 2,
        ("unpriced", "mystery"): 3,
        ("none", "gpt-5"): 4,
    }


@pytest.mark.parametrize("state", STATES)
def test_a_query_filters_by_it(states: Organization, client: Client, read_key: IssuedKey, state: str) -> None:
    one = [{"fieldName": "costState", "operator": "EQUAL", "value": state}]
    assert [point["total"] for point in points(client, read_key, filters=one)] == [COUNTS[state]]
    others = [{"fieldName": "costState", "operator": "NOT_IN", "value": [state]}]
    assert [point["total"] for point in points(client, read_key, filters=others)] == [10 - COUNTS[state]]


@pytest.mark.parametrize("state", STATES)
def test_the_report_and_its_files_filter_and_group(
    states: Organization, client: Client, read_key: IssuedKey, state: str
) -> None:
    grouped = json.loads(report(client, read_key, group_by="cost_state"))
    assert {row["cost_state"]: row["requests"] for row in grouped["rows"]} == COUNTS
    rows = csv.DictReader(io.StringIO(report(client, read_key, group_by="cost_state,model", format="csv")))
    assert {row["cost_state"]: int(row["requests"]) for row in rows} == COUNTS
    filtered = json.loads(report(client, read_key, filter=f"cost_state:eq:{state}"))
    assert filtered["totals"] == {"requests": COUNTS[state]}


@pytest.mark.parametrize("state", STATES)
def test_the_list_of_requests_filters(states: Organization, client: Client, read_key: IssuedKey, state: str) -> None:
    asked = {"filter": f"cost_state:eq:{state}"}
    document = json.loads(content(read(client, read_key, "/api/v1/requests", **asked, count="true")))
    assert [one["cost_state"] for one in document["results"]] == [state] * COUNTS[state]
    assert document["meta"]["total_count"] == COUNTS[state]
    rows = csv.DictReader(io.StringIO(content(read(client, read_key, "/api/v1/requests", **asked, format="csv"))))
    assert [row["cost_state"] for row in rows] == [state] * COUNTS[state]


@pytest.mark.parametrize("state", STATES)
def test_the_dashboard_takes_it_from_its_address(states: Organization, client: Client, owner: User, state: str) -> None:
    client.force_login(owner)
    html = client.get("/o/acme/", DASHBOARD | {"f": f"cost_state:eq:{state}"}).content.decode()
    assert re.findall(r'data-counter="requests".*?visually-hidden">([^<]*)<', html, re.DOTALL) == [str(COUNTS[state])]
    assert "Remove the filter Cost state" in html


def test_the_dashboard_offers_it_as_filter_and_for_exports(states: Organization, client: Client, owner: User) -> None:
    client.force_login(owner)
    choices = json.loads(client.get("/o/acme/data", DASHBOARD).content)["choices"]
    (field,) = (one for one in choices["fields"] if one["name"] == "cost_state")
    assert (field["label"], sorted(field["values"])) == ("Cost state", sorted(STATES))
    assert {"name": "cost_state", "label": "Cost state"} in choices["export_groups"]


def test_it_can_be_looked_up(states: Organization, client: Client, read_key: IssuedKey) -> None:
    document = json.loads(content(read(client, read_key, "/api/v1/dimensions/cost_state/values")))
    assert {one["value"] for one in document["results"]} == {*STATES}


def test_a_state_that_does_not_exist_is_refused_with_those_that_do(
    states: Organization, client: Client, read_key: IssuedKey
) -> None:
    for path in ("/api/v1/requests", "/api/v1/report"):
        borders = {"start": START, "end": END}
        response = read(client, read_key, path, **borders, filter="cost_state:in:unpriced,priced")
        assert response.status_code == 400, path
        (problem,) = json.loads(b"".join(response))["errors"]
        assert (problem["code"], problem["allowed"]) == ("invalid_value", list(STATES))
    wrong = [{"fieldName": "costState", "operator": "EQUAL", "value": "priced"}]
    assert ask(client, read_key, filters=wrong).json()["errors"][0]["code"] == "invalid_value"
    # Parts of words are searched for, not spelt.
    parts = [{"fieldName": "costState", "operator": "STRING_CONTAINS", "value": "priced"}]
    assert [one["total"] for one in points(client, read_key, filters=parts)] == [3]


@pytest.mark.usefixtures("states")
def test_more_requests_than_the_budget_are_refused_with_the_estimate(
    client: Client, read_key: IssuedKey, settings: Any
) -> None:
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 3
    response = ask(client, read_key, groupBy=["costState"], aggregations=[REQUESTS])
    assert response.status_code == 422
    assert (response.json()["estimate_rows"], response.json()["budget_rows"]) == (10, 3)
    filtered = [{"fieldName": "costState", "operator": "EQUAL", "value": "reported"}]
    refused = ask(client, read_key, filters=filtered).json()
    assert "remove the filter on Cost state" in refused["suggestions"]
    # Those without a price have an index: few of them are served, however many others there are.
    served = [{"fieldName": "costState", "operator": "EQUAL", "value": "unpriced"}]
    assert [one["total"] for one in points(client, read_key, filters=served)] == [3]
