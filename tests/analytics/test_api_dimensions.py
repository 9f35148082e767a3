"""`dimensions/{name}/values`: matching, order, pages, and nothing from outside the scope."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from ingestion.models import GatewayUser, LLMModel
from teams.services import IssuedKey
from tests import make
from tests.analytics.world import HOSTILE, MEMBER, World

pytestmark = pytest.mark.usefixtures("kept_world")

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def ask(client: Client, name: str, key: IssuedKey | None = None, **parameters: Any) -> Json:
    headers = make.bearer(key) if key else {}
    response = client.get(f"/api/v1/dimensions/{name}/values", parameters, headers=headers)
    assert response.status_code == 200, response.content
    document: Json = response.json()
    return document


def values(client: Client, name: str, key: IssuedKey | None = None, **parameters: Any) -> list[str]:
    return [one["value"] for one in ask(client, name, key, **parameters)["results"]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model", {"gpt-5", "claude-sonnet-4-5", "mystery"}),
        ("provider", {"openai", "anthropic"}),
        ("virtual_model", {"chat-default"}),
        ("user", {"ann", "bob", MEMBER, HOSTILE}),
        ("virtual_account", {"search-api", "ads-api"}),
        ("team", {"Search", "Ads"}),
        ("error_type", {"RateLimitError"}),
        ("status_code", {"429"}),
        ("metadata.environment", {"prod", "dev"}),
        ("failed", {"false", "true"}),
        ("cost_state", {"computed", "reported", "unpriced", "none"}),
        ("latency_ms", set()),
        ("request_id", set()),
    ],
)
def test_every_dimension(client: Client, world: World, read_key: IssuedKey, name: str, expected: set[str]) -> None:
    assert {*values(client, name, read_key)} == expected


@pytest.mark.parametrize(
    ("who", "models", "users", "environments"),
    [
        ("admin", {"gpt-5", "claude-sonnet-4-5", "mystery"}, {"ann", "bob", MEMBER, HOSTILE}, {"prod", "dev"}),
        ("viewer", {"gpt-5", "claude-sonnet-4-5"}, {"ann", "bob"}, {"prod"}),
        ("member", {"gpt-5"}, {MEMBER}, {"dev"}),
        ("outsider", {"rival-model"}, {"rival-user"}, None),
    ],
)
def test_every_role_sees_its_own(
    client: Client,
    world: World,
    request: pytest.FixtureRequest,
    who: str,
    models: set[str],
    users: set[str],
    environments: set[str] | None,
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert {*values(client, "model")} == models
    assert {*values(client, "user")} == users
    if environments is None:
        assert client.get("/api/v1/dimensions/metadata.environment/values").status_code == 404
    else:
        assert {*values(client, "metadata.environment")} == environments


def test_a_part_of_the_organization_learns_nothing_of_the_rest(
    client: Client, world: World, team_key: IssuedKey
) -> None:
    found = {name: values(client, name, team_key) for name in ("team", "virtual_account", "virtual_model", "provider")}
    assert found == {
        "team": ["Search"],
        "virtual_account": ["search-api"],
        "virtual_model": ["chat-default"],
        "provider": ["anthropic", "openai"],
    }
    assert values(client, "error_type", team_key) == ["RateLimitError"]
    LLMModel.objects.filter(name="gpt-5").update(last_seen=make.NOW)  # Ads used it just now
    seen = {one["value"]: one["last_seen"] for one in ask(client, "model", team_key)["results"]}
    assert seen["gpt-5"] == "2026-11-19T23:00:00Z"


def test_prefix_first_then_words_then_last_use(client: Client, world: World, read_key: IssuedKey) -> None:
    for name, day in (("sea-2", 3), ("Sea-1", 1), ("deep sea", 5), ("low-SEA", 4), ("seldom", None), ("nausea", 6)):
        seen = make.NOW.replace(day=day) if day else None
        LLMModel.objects.create(organization=world.acme, name=name, last_seen=seen)
    assert values(client, "model", read_key, q="SEA") == ["sea-2", "Sea-1", "deep sea", "low-SEA"]


def test_users_are_found_by_their_mail(client: Client, world: World, read_key: IssuedKey) -> None:
    GatewayUser.objects.filter(name="bob").update(email="robert@acme.example")
    [found] = ask(client, "user", read_key, q="robert")["results"]
    assert (found["value"], found["label"]) == ("bob", "robert@acme.example")


def test_pages(client: Client, world: World, read_key: IssuedKey) -> None:
    first = ask(client, "user", read_key, limit=3)
    second = ask(client, "user", read_key, limit=3, cursor=first["next_cursor"])
    found = [one["value"] for one in (*first["results"], *second["results"])]
    assert (len(first["results"]), {*found}, len(found)) == (3, {"ann", "bob", MEMBER, HOSTILE}, 4)
    assert second["next_cursor"] is None
    url = "/api/v1/dimensions/user/values"
    foreign = client.get(url, {"cursor": first["next_cursor"], "q": "a"}, headers=make.bearer(read_key))
    assert foreign.json()["errors"][0]["code"] == "invalid_cursor"


@pytest.mark.parametrize("name", ["nothing", "modelName", "metadata.nothing", "metadata.rival-key", "x%00", "a/b"])
def test_unknown_dimensions(client: Client, world: World, read_key: IssuedKey, name: str) -> None:
    response = client.get(f"/api/v1/dimensions/{name}/values", headers=make.bearer(read_key))
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_wrong_parameters(client: Client, world: World, read_key: IssuedKey) -> None:
    url = "/api/v1/dimensions/model/values"
    response = client.get(url, {"limit": "no", "q": "x" * 257}, headers=make.bearer(read_key))
    assert [error["loc"] for error in response.json()["errors"]] == [["q"], ["limit"]]
    assert values(client, "model", read_key, q="%") == []
    assert values(client, "model", read_key, q="_") == []
