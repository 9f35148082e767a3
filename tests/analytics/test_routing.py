"""Before and after a change of routing: found in the traffic, compared with brute force, within what a person sees."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from analytics import rollups
from analytics.dashboards.routing import build
from analytics.dashboards.shifts import CERTAIN, LEAST_REQUESTS, LEAST_SHARE, WINDOW, shifts
from teams.access import scope_of_organization
from teams.models import Organization, User
from tests import kept, make
from tests.analytics.world import store
from tests.personas import acme_works

PAGE: Final = "/o/acme/routing/"
NOW: Final = datetime(2026, 11, 11, 12, 30, tzinfo=UTC)
CHANGE: Final = datetime(2026, 11, 10, 9, tzinfo=UTC)
HOSTILE: Final = "<img src=x onerror=alert(1)>"
Read = Callable[..., str]


def moved(requests: dict[str, list[int]], place: int) -> float | None:
    """By hand: half the sum of the differences of shares; None where too few requests say something, or chance may."""
    before = {name: sum(counts[max(0, place - WINDOW) : place]) for name, counts in requests.items()}
    after = {name: sum(counts[place : place + WINDOW]) for name, counts in requests.items()}
    old, new = sum(before.values()), sum(after.values())
    if old < LEAST_REQUESTS or new < LEAST_REQUESTS:
        return None
    answer = sum(abs(after[name] / new - before[name] / old) for name in requests) / 2
    pooled = [(before[name] + after[name]) / (old + new) for name in requests]
    chance = sum((share * (1 - share) * (1 / old + 1 / new)) ** 0.5 for share in pooled) / 2
    return answer if answer > CERTAIN * chance + 1e-9 else None


def test_chance_is_no_change() -> None:
    """A fifth moved, of 31 and 31 requests: that happens."""
    few = {"a": [16, 0, 0, 0, 0, 0, 23], "b": [15, 0, 0, 0, 0, 0, 8]}
    assert shifts(few) == []
    (found,) = shifts({name: [10 * count for count in counts] for name, counts in few.items()})
    assert found.place in range(1, 7)


@given(st.data())
def test_every_large_move_is_told_once(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 40))
    column = st.lists(st.integers(0, 40), min_size=length, max_size=length)
    requests = data.draw(st.dictionaries(st.sampled_from("abc"), column, max_size=3))
    found = shifts(requests)
    for one in found:
        by_hand = moved(requests, one.place)
        assert by_hand is not None
        assert one.moved == pytest.approx(by_hand)
        assert one.moved >= LEAST_SHARE
    places = [one.place for one in found]
    assert places == sorted(places, reverse=True)
    for place in range(length if requests else 0):
        by_hand = moved(requests, place)
        if by_hand is not None and by_hand >= LEAST_SHARE + 1e-9:
            near = [one for one in found if abs(one.place - place) < WINDOW]
            assert any(one.moved >= by_hand - 1e-9 for one in near)
    assert all(abs(one - other) >= WINDOW for one in places for other in places if one != other)


def sent(number: int, at: datetime, model: str, team: str = "Search", **fields: Any) -> dict[str, Any]:
    return {
        "request_id": f"v{number}",
        "started_at": at,
        "team": team,
        "virtual_model": "assistant",
        "model": model,
        "input_tokens": 1_000,
        "output_tokens": 0,
        "latency_ms": 1_000.0 if model == "old" else 250.0,
        "status_code": 200,
    } | fields


def _fill() -> None:
    acme = acme_works()
    make.team(acme, "Search")
    make.team(acme, "Ads")
    make.price("old", "input", "2")
    make.price(HOSTILE, "input", "0")
    hours = [CHANGE + timedelta(hours=hour) for hour in range(-24, 24)]
    every = [(hour, minute) for hour in hours for minute in range(0, 60, 6)]
    store(
        acme,
        *(
            sent(number, hour + timedelta(minutes=minute), HOSTILE if hour >= CHANGE and number % 2 else "old")
            for number, (hour, minute) in enumerate(every)
        ),
        sent(10_000, CHANGE, "secret", team="Ads", virtual_model="of Ads"),
        sent(10_001, CHANGE + timedelta(hours=1), "old", status_code=500),
    )
    rollups.drain()


_two_days = kept.fixture(_fill)


@pytest.fixture
def routed(_two_days: None, acme: Organization) -> Organization:
    """Ten requests an hour over two days; at the change half of them go to another model, which is quicker and free."""
    return acme


@pytest.fixture
def read(client: Client, request: pytest.FixtureRequest) -> Read:
    """What a persona reads there."""

    def as_persona(persona: str = "owner", page: str = PAGE, **parameters: Any) -> str:
        client.force_login(request.getfixturevalue(persona))
        with time_machine.travel(NOW, tick=False):
            response = client.get(page, parameters)
        assert response.status_code == 200
        return response.content.decode()

    return as_persona


def built(organization: Organization, query: str = "", now: datetime = NOW) -> dict[str, Any]:
    return build(QueryDict(query), scope_of_organization(organization), now)


def rows(data: dict[str, Any]) -> dict[str, list[tuple[str | None, ...]]]:
    return {
        row["label"]: [tuple(cell.values()) for cell in (row["share"], *row["cells"])]
        for row in (data["total"], *data["rows"])
    }


def test_the_change_is_found_and_compared(routed: Organization) -> None:
    data = built(routed)
    (seen,) = data["shifts"]
    assert seen["instant"] == CHANGE
    assert seen["words"] == f"{HOSTILE} 0.0 % to 49.2 %, old 100.0 % to 50.8 %"  # 30 and 31 of six hours
    assert (data["name"], data["at"], data["hours"]) == ("assistant", "2026-11-10T10:00", "24")
    found = rows(data)
    assert found["All targets"][1] == ("240", "241", "up 0.4 %")
    assert found["All targets"][2] == ("0.0 %", "0.4 %", "+0.4 points")
    assert found["old"][0] == ("100.0 %", "50.2 %", "-49.8 points")
    assert found["old"][3][2] == "unchanged"
    assert found[HOSTILE][1] == ("–", "120", None)  # noqa: RUF001 - no value
    assert found["All targets"][6] == ("$2.00", "$1.00", "down 49.8 %")


def test_both_sides_are_as_long_as_the_later_one(routed: Organization) -> None:
    """Two and a half hours after the change there are two and a half hours before it."""
    data = built(routed, "at=2026-11-10T10:00", now=CHANGE + timedelta(hours=2, minutes=30))
    assert data["hours"] == "2.5"
    assert rows(data)["All targets"][1][:2] == ("25", "26")


def test_an_instant_and_a_length_of_choice(routed: Organization) -> None:
    data = built(routed, "at=2026-11-09T20:00&span=6h&name=assistant")
    assert rows(data)["All targets"][:2] == [("100.0 %", "100.0 %", "unchanged"), ("60", "60", "unchanged")]
    assert data["hours"] == "6"


def test_names_stay_text(routed: Organization, read: Read) -> None:
    assert "<img src=x" not in read()
    assert "<img src=x" not in read(name=HOSTILE)


def test_a_team_sees_its_own(routed: Organization, read: Read) -> None:
    assert "of Ads" in read()
    text = read("viewer")
    assert "of Ads" not in text
    assert "assistant" in text
    assert "secret" not in read("viewer", name="of Ads", at="2026-11-10T10:00")


def test_outsiders_do_not(routed: Organization, client: Client, outsider: User) -> None:
    client.force_login(outsider)
    assert client.get(PAGE).status_code == 404


@pytest.mark.parametrize("at", ["soon", "2027-01-01T00:00", "0001-01-01T00:00", "2026-11-10T10:00+99:00"])
def test_what_is_no_instant_is_said(routed: Organization, read: Read, at: str) -> None:
    text = read(at=at)
    assert "is not a time that has been, such as 2026-11-20T12:00." in text
    assert "Target model" in text  # the change that was seen is shown


def test_an_unknown_length_is_said(routed: Organization, read: Read) -> None:
    assert "span=2y is none of 1h, 6h, 24h, 7d; 24h is used." in read(span="2y")


def test_without_virtual_models_it_says_so(routed: Organization, rival: Organization, read: Read) -> None:
    store(rival, sent(1, CHANGE, "old", virtual_model=None))
    assert "No virtual model in the last 14 days" in read("outsider", PAGE.replace("acme", "rival"))
