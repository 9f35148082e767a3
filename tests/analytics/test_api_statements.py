"""`statements` by API: the figures of the pages, frozen, for the same people."""

import hashlib
import json
from decimal import Decimal
from typing import Any, Final

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from analytics.chargeback.document import canonical
from teams.models import User
from teams.services import IssuedKey
from tests import make
from tests.analytics.statements import LIST, enter, table

pytestmark = pytest.mark.usefixtures("kept_numbers", "december")
URL: Final = "/api/v1/statements"


def get(key: IssuedKey, path: str = URL, status: int = 200, **parameters: str) -> Any:
    """The JSON of an answer."""
    response = Client().get(path, parameters, headers=make.bearer(key))
    assert response.status_code == status, response.content
    return response.json()


def test_the_list_says_what_the_pages_say(numbers: dict[str, str], read_key: IssuedKey) -> None:
    found = get(read_key)["results"]
    assert [one["team"] for one in found] == ["Ads", "Search", None]
    by_team = {one["team"]: one for one in found}
    assert by_team["Ads"] | {"issued_at": "", "sha256": ""} == {
        "number": numbers["Ads"],
        "month": "2026-11",
        "team": "Ads",
        "issued_at": "",
        "requests": 2,
        "failed_requests": 0,
        "input_tokens": 1005,
        "output_tokens": 105,
        "cost_usd": "1.000000000001",
        "shared_usd": "0",
        "charged_usd": "1.0000",
        "unpriced_requests": 1,
        "price_book_version": by_team["Ads"]["price_book_version"],
        "sha256": "",
    }


def test_a_statement_is_the_frozen_document_and_its_file(
    numbers: dict[str, str], read_key: IssuedKey, owner: User, client: Client
) -> None:
    answer = get(read_key, f"{URL}/{numbers['Search']}")
    assert hashlib.sha256(canonical(answer["document"])).hexdigest() == answer["sha256"]
    assert answer["document"]["total"]["cost_usd"] == "0.75"
    operation = SchemaGenerator().get_schema(request=None, public=True)["paths"][f"{URL}/{{number}}"]["get"]  # type: ignore[no-untyped-call] # untyped library
    described = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(described).validate(answer)
    file = Client().get(f"{URL}/{numbers['Search']}", {"format": "csv"}, headers=make.bearer(read_key))
    assert file.content.decode() == enter(client, owner, f"{LIST}{numbers['Search']}/csv")
    total = table(file.content.decode())[-1]
    assert Decimal(total[-1]) == Decimal(answer["document"]["total"]["cost_usd"])


def test_pages_follow_each_other_once(numbers: dict[str, str], read_key: IssuedKey) -> None:
    answer = get(read_key, limit="1")
    seen = [answer["results"]]
    while answer["next_cursor"]:
        answer = get(read_key, limit="1", cursor=answer["next_cursor"])
        seen.append(answer["results"])
    seen = [one["number"] for results in seen for one in results]
    assert seen == sorted(numbers[team] for team in ("Ads", "Search", "Unassigned"))
    assert get(read_key, month="2026-10") == {"results": [], "next_cursor": None}


def test_whose_statements(numbers: dict[str, str], team_key: IssuedKey) -> None:
    assert [one["team"] for one in get(team_key)["results"]] == ["Search"]
    get(team_key, f"{URL}/{numbers['Search']}")
    for team in ("Ads", "Unassigned"):
        assert "Ads" not in json.dumps(get(team_key, f"{URL}/{numbers[team]}", 403))
    for number in (numbers["rival-team"], "absent", "S1-202611-999"):
        get(team_key, f"{URL}/{number}", 404)


def test_who_sees_no_team_sees_no_statement(numbers: dict[str, str], member: User, client: Client) -> None:
    client.force_login(member)
    for path in (URL, f"{URL}/{numbers['Search']}"):
        assert client.get(path, {"organization": "acme"}).status_code == 403


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"month": "2026-13"}, "invalid_value"),
        ({"limit": "0"}, "out_of_range"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"team": "Ads"}, "unknown_parameter"),
    ],
)
def test_what_is_wrong_is_named(parameters: dict[str, str], code: str, read_key: IssuedKey) -> None:
    assert code in [one["code"] for one in get(read_key, URL, 400, **parameters)["errors"]]
