"""Asks `metrics/query` as a key: the shortest way from fields to points."""

import json
from typing import Any, Final

from django.test import Client

from teams.services import IssuedKey
from tests import make
from tests.analytics.world import END, START

URL: Final = "/api/v1/metrics/query"
COST: Final = {"type": "sum", "column": "costInUSD"}
Json = dict[str, Any]


def ask(client: Client, key: IssuedKey, **fields: Any) -> Any:
    """The response to a question about the day of the world, with fields replaced."""
    body = {"startTs": START, "endTs": END, "type": "distribution", "aggregations": [COST]} | fields
    return client.post(URL, json.dumps(body), content_type="application/json", headers=make.bearer(key))


def answer(client: Client, key: IssuedKey, **fields: Any) -> Json:
    """The whole document of an answered question."""
    response = ask(client, key, **fields)
    assert response.status_code == 200, response.content
    document: Json = response.json()
    return document


def points(client: Client, key: IssuedKey, **fields: Any) -> list[Json]:
    """The points without their borders."""
    borders = {"startTimestamp", "endTimestamp"}
    found = answer(client, key, **fields)["data"]["dataPoints"]
    return [{name: value for name, value in point.items() if name not in borders} for point in found]
