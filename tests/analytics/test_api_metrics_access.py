"""Who sees what through `metrics/query`."""

import json
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from teams.models import User
from teams.services import IssuedKey
from tests import make
from tests.analytics.asking import COST, URL, answer, ask
from tests.analytics.world import END, START, World

pytestmark = pytest.mark.usefixtures("kept_world")


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.mark.parametrize(
    ("who", "total"), [("owner", 6), ("admin", 6), ("finance", 6), ("manager", 3), ("viewer", 3), ("member", 1)]
)
def test_every_role_sees_its_own(
    client: Client, world: World, request: pytest.FixtureRequest, who: str, total: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    query = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST], "groupBy": ["team"]}
    response = client.get(URL, {"query": json.dumps(query), "organization": "acme"})
    document = response.json()
    teams = {6: {"Search", "Ads", "Unassigned"}, 3: {"Search"}, 1: {"Ads"}}[total]
    assert document["data"]["summary"]["total"] == total
    assert {one["team"] for one in document["data"]["dataPoints"]} == teams
    assert b"rival" not in response.content


def test_outsiders_and_strangers(client: Client, world: World, outsider: User, nobody: User) -> None:
    query = {"query": json.dumps({"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]})}
    assert client.get(URL, query).status_code == 401
    client.force_login(outsider)
    absent, foreign = (client.get(URL, query | {"organization": slug}) for slug in ("absent", "acme"))
    assert (absent.status_code, foreign.status_code) == (404, 404)
    assert {**absent.json(), "request_id": ""} == {**foreign.json(), "request_id": ""}
    assert client.get(URL, query).json()["data"]["summary"]["sumCostInUSD"] == "99"
    client.force_login(nobody)
    assert client.get(URL, query).status_code == 403


def test_keys(client: Client, world: World, team_key: IssuedKey, ingest_key: IssuedKey) -> None:
    assert answer(client, team_key)["data"]["summary"] == {"total": 3, "sumCostInUSD": "0.75"}
    assert ask(client, ingest_key).status_code == 403
    refused = client.post(URL, "{}", content_type="application/json", headers={"Authorization": "Bearer mp_no"})
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer realm="metrics portal"')
    assert refused["Content-Type"] == "application/problem+json"


def test_the_scope_is_never_a_parameter(client: Client, world: World, team_key: IssuedKey) -> None:
    assert ask(client, team_key, scope="organization", organization_id=1).status_code == 400
    other_team = {"fieldName": "team", "operator": "EQUAL", "value": "Ads"}
    assert answer(client, team_key, filters=[other_team])["data"]["summary"]["total"] == 0
    body = json.dumps({"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]})
    url = f"{URL}?organization=rival"
    response = client.post(url, body, content_type="application/json", headers=make.bearer(team_key))
    assert response.status_code == 404


def test_a_browser_needs_csrf_to_post(world: World, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(URL, "{}", content_type="application/json").status_code == 403
