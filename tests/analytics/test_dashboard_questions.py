"""The question that a panel offers is the one that it shows the answer of."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from teams.models import User
from tests import make
from tests.analytics.world import World, at, store

pytestmark = pytest.mark.usefixtures("kept_world")

Json = dict[str, Any]
PAGES = (
    {"by": "model"},
    {"by": "team", "top": "5", "p": "99", "pop": "all"},
    {"by": "user", "f": ["model:in:gpt-5,mystery", "status_code:lt:500", "user:nnull:"]},
    {"by": "metadata", "key": "environment", "f": ["metadata.environment:ncontains:de\\,v'\"", "failed:eq:false"]},
    {"by": "virtual_model", "interval": "1 day", "from": "2026-11-15T00:00:00+01:00"},
    {"by": "virtual_account", "failures": "view", "codes": "class", "interval": "1 hour"},
    {"by": "team", "iso": ["Ads", "Search"], "codes": "class"},
    {"by": "team", "iso": "Unassigned"},
)
_RANGE = {"from": "2026-11-19T23:00:00Z", "to": "2026-11-20T23:00:00Z"}


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def browser_of_owner(world: World, owner: User) -> Client:
    """Signed in, over a world with more models than a chart has series."""
    more = ({"request_id": f"m{number}", "started_at": at(14), "model": f"model-{number % 12}"} for number in range(30))
    store(world.acme, *more)
    client = Client()
    client.force_login(owner)
    return client


def asked(client: Client, body: Json) -> list[Json]:
    response = client.post("/api/v1/metrics/query", json.dumps(body), content_type="application/json")
    assert response.status_code == 200, response.content
    points: list[Json] = response.json()["data"]["dataPoints"]
    return points


def key_of(aggregation: Json) -> str:
    column = str(aggregation["column"])
    return f"{aggregation['type']}{column[0].upper()}{column[1:]}"


def number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def shown(page: Json, panel: Json) -> dict[tuple[int, str], Any]:
    """Values on the page by bucket start and label; nothing, and 0 for no requests, are left out."""
    part = panel["percentiles"][str(page["state"]["p"])] if "percentiles" in panel else panel
    labels = [group["label"] if group["kind"] != "other" else "(other)" for group in page["groups"]]
    return {
        (start, labels[line["group"]] if line["group"] is not None else line["label"]): value
        for line in part["series"]
        # The API counts failures; the page divides them by all requests.
        for start, value in zip(page["buckets"]["starts"], line.get("counts", line["values"]), strict=True)
        if value
    }


def answered(points: list[Json], body: Json) -> dict[tuple[int, str], Any]:
    names = [key_of(one) for one in body["aggregations"]]
    found: dict[tuple[int, str], Any] = {}
    for point in points:
        start = int(datetime.fromisoformat(point["startTimestamp"]).timestamp() * 1000)
        if "groupBy" not in body:  # one column per class of failure
            found |= {(start, name.removeprefix("countFailures").lower()): point[name] for name in names if point[name]}
        elif point[names[0]] and number(point[names[0]]):
            found[start, point[body["groupBy"][0]]] = number(point[names[0]])
    return found


@pytest.mark.parametrize("parameters", PAGES, ids=str)
def test_every_panel_has_the_question_of_its_numbers(browser_of_owner: Client, parameters: Json) -> None:
    response = browser_of_owner.get("/o/acme/data", _RANGE | parameters)
    page = response.json()
    assert page["messages"] == []
    compared = 0
    for panel in page["panels"]:
        body = page["questions"]["base"] | page["questions"]["panels"][panel["name"]]
        found = answered(asked(browser_of_owner, body), body)
        expected = shown(page, panel)
        assert found == pytest.approx(expected), panel["name"]
        compared += len(found)
    assert compared > 0


@pytest.mark.parametrize("compare", ["previous_period", "previous_calendar"])
def test_the_earlier_values_are_those_of_the_page_of_that_period(
    world: World, browser_of_owner: Client, compare: str
) -> None:
    fields = {"model": "gpt-5", "provider": "openai", "input_tokens": 70, "output_tokens": 7, "latency_ms": 40.0}
    for number_, moment in enumerate((at(9).replace(day=19), at(10).replace(day=19), at(10).replace(month=10))):
        store(world.acme, {"request_id": f"before-{number_}", "started_at": moment, "status_code": 200} | fields)
    state = _RANGE | {"by": "model", "interval": "1 hour", "pop": "all"}
    page = browser_of_owner.get("/o/acme/data", state | {"compare": compare}).json()
    before = page["previous"]
    assert before["start"][:10] == ("2026-11-18" if compare == "previous_period" else "2026-10-19")
    alone = browser_of_owner.get("/o/acme/data", state | {"from": before["start"], "to": before["end"]}).json()
    assert all("previous" not in line for line in _lines(browser_of_owner.get("/o/acme/data", state).json()).values())
    earlier, found = _lines(alone), _lines(page)
    assert any(value for line in found.values() for value in line["previous"])
    for key, line in found.items():
        expected = earlier[key]["values"] if key in earlier else [None] * 24
        assert [value or None for value in line["previous"]] == [value or None for value in expected], key


def _lines(page: Json) -> dict[tuple[str, str], Json]:
    """Lines of groups by panel and label, percentiles at P50."""
    parts = ((panel["name"], panel.get("percentiles", {"50": panel})["50"]) for panel in page["panels"])
    return {(name, line["label"]): line for name, part in parts for line in part["series"] if line["group"] is not None}


@pytest.mark.parametrize("failures", ["error_type", "view"])
@pytest.mark.parametrize("codes", ["status_code", "class"])
def test_whatever_the_series_of_failures_are_they_add_up(
    world: World, browser_of_owner: Client, failures: str, codes: str
) -> None:
    for place, code in enumerate((400, 408, 429, 429, 499, 503)):
        failed_one = {"request_id": f"f{place}", "started_at": at(9 + place), "status_code": code, "team": "Ads"}
        store(world.acme, failed_one)
    chosen = {"by": "team", "interval": "1 hour", "failures": failures, "codes": codes}
    page = browser_of_owner.get("/o/acme/data", _RANGE | chosen).json()
    assert (page["messages"], page["state"]["failures"], page["state"]["codes"]) == ([], failures, codes)
    panels = {panel["name"]: panel for panel in page["panels"]}
    requests, failed = (
        [sum(group["beside"].get(name, [0] * 24)[bucket] for group in page["groups"]) for bucket in range(24)]
        for name in ("requests", "failed")
    )
    kinds, rates = panels["failures_by_error_type"], panels["failure_rate_by_status_code"]
    assert _added_up(kinds, "values") == _added_up(rates, "counts") == failed
    assert sum(failed) == kinds["range"] == 7
    assert rates["range"] == pytest.approx(sum(failed) / sum(requests))
    assert all(line["range"] for line in (*kinds["series"], *rates["series"]))
    assert [line["group"] is None for line in kinds["series"]] == [failures == "error_type"] * len(kinds["series"])
    assert kinds["title"] == f"Request failures by {'error type' if failures == 'error_type' else 'team'}"
    assert rates["title"] == f"Failure rate by {'status code' if codes == 'status_code' else 'class'}"
    if codes == "class":
        for line in rates["series"]:
            only = browser_of_owner.get("/o/acme/data", _RANGE | {"f": line["filter"]}).json()
            assert sum(line["counts"]) == only["counters"][2]["value"], line["label"]


def _added_up(panel: Json, name: str) -> list[int]:
    return [sum(column) for column in zip(*(line[name] for line in panel["series"]), strict=True)]


@pytest.mark.parametrize("codes", ["status_code", "class"])
@pytest.mark.parametrize("isolated", [["gpt-5"], ["gpt-5", "mystery"], ["(none)"]])
def test_isolated_groups_narrow_the_charts_of_failures(
    world: World, browser_of_owner: Client, isolated: list[str], codes: str
) -> None:
    _store_failures(world)
    base = _RANGE | {"codes": codes, "interval": "1 hour"}
    found = browser_of_owner.get("/o/acme/data", base | {"iso": isolated}).json()
    only = "model:null:" if isolated == ["(none)"] else f"model:in:{','.join(isolated)}"
    filtered = browser_of_owner.get("/o/acme/data", base | {"f": only}).json()
    assert sorted(found["narrowed"]) == sorted(isolated)
    shown, expected = ({panel["name"]: panel for panel in page["panels"]} for page in (found, filtered))
    for name in ("failures_by_error_type", "failure_rate_by_status_code"):
        assert shown[name] == expected[name]
        assert shown[name]["range"]
    plain = browser_of_owner.get("/o/acme/data", base).json()
    assert found["counters"] == plain["counters"]
    assert [one["label"] for one in found["groups"]] == [one["label"] for one in plain["groups"]]


@pytest.mark.parametrize("isolated", [["no such"], ["gpt-5", "(none)"], ["http_500"]])
def test_what_no_filter_can_say_narrows_nothing(world: World, browser_of_owner: Client, isolated: list[str]) -> None:
    _store_failures(world)
    plain = browser_of_owner.get("/o/acme/data", _RANGE).json()
    found = browser_of_owner.get("/o/acme/data", {**_RANGE, "iso": isolated}).json()
    assert found["narrowed"] == []
    assert found["panels"] == plain["panels"]


def _store_failures(world: World) -> None:
    """So many that each of these models is among the largest."""
    models = ("gpt-5", "gpt-5", "mystery", None, "claude-sonnet-4-5") * 4
    for place, model in enumerate(models):
        failed_one = {"request_id": f"f{place}", "started_at": at(9), "status_code": 500 + place % 7, "model": model}
        store(world.acme, failed_one)


def test_everyone_is_every_request_of_the_organization(world: World, browser_of_owner: Client) -> None:
    store(world.acme, {"request_id": "lone", "started_at": at(9), "user": "lone@x.example", "latency_ms": 9000.0})
    state = _RANGE | {"by": "user", "interval": "1 hour", "pop": "all"}
    page = browser_of_owner.get("/o/acme/data", state | {"f": "user:eq:lone@x.example", "compare": "everyone"}).json()
    assert (page["state"]["compare"], page["messages"]) == ("everyone", [])
    found = {
        panel["name"]: {"50": panel["everyone"]}
        if "everyone" in panel
        else {key: part["everyone"] for key, part in panel.get("percentiles", {}).items()}
        for panel in page["panels"]
    }
    assert [name for name, lines in found.items() if lines] == ["failure_rate", "latency", "ttft", "itl", "tpot"]
    for name in ("failure_rate", "latency"):
        body = page["questions"]["base"] | page["questions"]["panels"][name]
        left = {key: part for key, part in body.items() if key not in {"groupBy", "filters", "groups"}}
        column = key_of(body["aggregations"][0])
        expected = {
            int(datetime.fromisoformat(point["startTimestamp"]).timestamp() * 1000): point[column]
            for point in asked(browser_of_owner, left)
            if point[column] is not None
        }
        values = dict(zip(page["buckets"]["starts"], found[name]["50"]["values"], strict=True))
        assert {start: value for start, value in values.items() if value is not None} == pytest.approx(expected), name
    assert sum(page["everyone"]["requests"]) > sum(page["groups"][0]["beside"]["requests"]) == 1
    assert "everyone" not in browser_of_owner.get("/o/acme/data", state).json()["panels"][1]


@pytest.mark.parametrize("persona", ["viewer", "member"])
def test_everyone_is_for_those_who_see_everyone(
    world: World, browser_of_owner: Client, persona: str, request: pytest.FixtureRequest
) -> None:
    browser_of_owner.force_login(request.getfixturevalue(persona))
    page = browser_of_owner.get("/o/acme/data", _RANGE | {"compare": "everyone"}).json()
    assert len(page["messages"]) == 1
    assert page["state"]["compare"] == "none"
    assert "everyone" not in [one["name"] for one in page["choices"]["compares"]]
    assert not any("everyone" in panel for panel in page["panels"])
    assert page.get("everyone", {}) == {}
