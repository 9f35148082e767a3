"""`/api/v1/budgets`: who sees, makes and changes what; every refusal clear and nothing half done."""

import json
from typing import Any

import pytest
from django.test import Client

from analytics.models import Budget, BudgetAmount, ChangedSpend
from teams.models import AuditEntry, Organization, Team
from teams.services import IssuedKey
from tests import make
from tests.budgets.scene import budget, spend

URL = "/api/v1/budgets"
BODY: dict[str, Any] = {"name": "Mine", "amount": "100", "recipients": []}
PERSONS = ("owner", "admin", "finance", "manager", "viewer", "member", "outsider", "nobody")


@pytest.fixture
def persons(request: pytest.FixtureRequest) -> dict[str, Client]:
    """Everybody, signed in."""
    clients = {name: Client() for name in PERSONS}
    for name, client in clients.items():
        client.force_login(request.getfixturevalue(name))
    return clients


def send(client: Client, url: str = URL, method: str = "post", headers: Any = None, **fields: Any) -> Any:
    call = getattr(client, method)
    return call(url, json.dumps(fields), content_type="application/json", headers=headers or {})


def messages(response: Any) -> dict[str, str]:
    return {one["loc"][0] if one["loc"] else "": one["code"] for one in response.json()["errors"]}


@pytest.fixture
def budgets(acme: Organization, rival: Organization, search: Team, ads: Team) -> dict[str, Budget]:
    """One of everybody, one of each team, one of the other organization."""
    return {
        "all": budget(acme, name="all"),
        "ads": budget(acme, name="ads", team="Ads"),
        "search": budget(acme, name="search", team="Search"),
        "rival": budget(rival, name="rival"),
    }


WHOLE = ["ads", "all", "search"]
SEEN = {"manager": ["search"], "viewer": ["search"], "member": [], "outsider": ["rival"]}


@pytest.mark.django_db
def test_who_sees_and_changes_what(persons: dict[str, Client], budgets: dict[str, Budget]) -> None:
    for person, client in persons.items():
        if person == "nobody":
            assert client.get(URL).status_code in (401, 403, 404)
            continue
        seen = SEEN.get(person, WHOLE)
        assert [one["name"] for one in client.get(URL).json()["results"]] == seen, person
        for name, one in budgets.items():
            writes = name in seen and (person in ("owner", "admin", "finance", "manager", "outsider"))
            known = name in seen
            assert client.get(f"{URL}/{one.pk}").status_code == (200 if known else 404)
            assert client.get(f"{URL}/{one.pk}/status").status_code == (200 if known else 404)
            changed = send(client, f"{URL}/{one.pk}", "patch", thresholds=[10])
            assert changed.status_code == (200 if writes else 403 if known else 404), (person, name)


@pytest.mark.django_db
def test_managers_make_budgets_of_their_team_alone(persons: dict[str, Client], search: Team, ads: Team) -> None:
    client = persons["manager"]
    assert send(client, **BODY, team="Search").status_code == 201
    assert send(client, **BODY | {"name": "2"}).status_code == 403
    refused = send(client, **BODY | {"name": "3"}, team="Ads")
    assert (refused.status_code, messages(refused)) == (400, {"team": "unknown_value"})
    for person in ("viewer", "member"):
        assert send(persons[person], **BODY | {"name": "4"}, team=None).status_code == 403
    assert send(persons["viewer"], **BODY | {"name": "5"}, team="Search").status_code == 403
    assert [one.name for one in Budget.objects.all()] == ["Mine"]


@pytest.mark.django_db
def test_a_manager_learns_no_names_of_other_teams(persons: dict[str, Client], acme: Organization, search: Team) -> None:
    spend(acme, "1", team="Ads", user="eve", model="secret-model")
    spend(acme, "1", team="Search", user="sue", model="our-model")
    of = BODY | {"team": "Search"}
    for dimension, known, foreign in (("user", "sue", "eve"), ("model", "our-model", "secret-model")):
        answers = [
            send(persons["manager"], **of | {"name": value}, dimension=dimension, value=value)
            for value in (known, foreign, "nothing-such")
        ]
        assert [one.status_code for one in answers] == [201, 400, 400]
        assert messages(answers[1]) == messages(answers[2]) == {"value": "unknown_value"}
    assert send(persons["owner"], **of | {"name": "o"}, dimension="user", value="eve").status_code == 201


@pytest.mark.django_db
def test_keys_read_and_never_manage(
    acme: Organization, budgets: dict[str, Budget], read_key: IssuedKey, team_key: IssuedKey, ingest_key: IssuedKey
) -> None:
    client = Client()
    assert len(client.get(URL, headers=make.bearer(read_key)).json()["results"]) == 3
    assert [one["name"] for one in client.get(URL, headers=make.bearer(team_key)).json()["results"]] == ["search"]
    assert client.get(URL, headers=make.bearer(ingest_key)).status_code == 403
    one = f"{URL}/{budgets['all'].pk}"
    for issued in (read_key, ingest_key):
        headers = make.bearer(issued)
        assert send(client, headers=headers, **BODY).status_code == 403
        assert send(client, one, "patch", headers=headers, amount="1").status_code == 403
        assert client.delete(one, headers=headers).status_code == 403
    assert Budget.objects.get(name="all").amount == 100


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"amount": "0"}, {"amount": "out_of_range"}),
        ({"amount": -5}, {"amount": "out_of_range"}),
        ({"amount": "0.001"}, {"amount": "invalid_value"}),
        ({"amount": "1e400"}, {"amount": "invalid_value"}),
        ({"amount": "NaN"}, {"amount": "invalid_value"}),
        ({"amount": True}, {"amount": "invalid_value"}),
        ({"amount": 10**13}, {"amount": "out_of_range"}),
        ({"amount": "1.5", "unit": "tokens"}, {"amount": "invalid_value"}),
        ({"amount": None}, {"amount": "required"}),
        ({"thresholds": [1001]}, {"thresholds": "out_of_range"}),
        ({"thresholds": [0]}, {"thresholds": "out_of_range"}),
        ({"thresholds": [1.5]}, {"thresholds": "invalid_value"}),
        ({"thresholds": list(range(1, 12))}, {"thresholds": "out_of_range"}),
        ({"unit": "euro"}, {"unit": "unknown_value"}),
        ({"every": "year"}, {"every": "unknown_value"}),
        ({"team": "Rival team"}, {"team": "unknown_value"}),
        ({"dimension": "status_code", "value": "200"}, {"dimension": "unknown_dimension"}),
        ({"dimension": "metadata.nothing", "value": "x"}, {"dimension": "unknown_dimension"}),
        ({"dimension": "model"}, {"value": "required"}),
        ({"dimension": "model", "value": "no-such"}, {"value": "unknown_value"}),
        ({"dimension": "virtual_account", "value": "rival-app"}, {"value": "unknown_value"}),
        ({"value": "x"}, {"dimension": "required"}),
        ({"recipients": ["no address"]}, {"recipients": "invalid_value"}),
        ({"recipients": ["outsider@rival.example"]}, {"recipients": "not_allowed"}),
        ({"recipients": ["viewer@acme.example"]}, {"recipients": "not_allowed"}),
        ({"webhook": "https://192.168.0.1/"}, {"webhook": "invalid_value"}),
        ({"name": ""}, {"name": "required"}),
        ({"name": "a\nb"}, {"name": "invalid_value"}),
        ({"name": "x" * 121}, {"name": "invalid_value"}),
        ({"forecast": "yes"}, {"forecast": "invalid_type"}),
        ({"id": 7}, {"id": "unknown_field"}),
        ({"organization": "rival"}, {"organization": "unknown_field"}),
        ({"amount": "0", "thresholds": [0]}, {"amount": "out_of_range", "thresholds": "out_of_range"}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    persons: dict[str, Client], rival: Organization, wrong: dict[str, Any], expected: dict[str, str]
) -> None:
    make.team(rival, "Rival team")
    make.virtual_account(rival, "rival-app")
    response = send(persons["owner"], **BODY | wrong)
    assert (response.status_code, messages(response)) == (400, expected)
    for model in (Budget, BudgetAmount, ChangedSpend):
        assert not model._default_manager.exists()
    assert not AuditEntry.objects.filter(action__startswith="budget").exists()


@pytest.mark.django_db
def test_a_whole_life(persons: dict[str, Client], acme: Organization) -> None:
    client = persons["owner"]
    made = send(client, **BODY | {"recipients": ["OWNER@acme.example", "owner@acme.example"], "amount": 99.5})
    assert made.status_code == 201
    document = made.json()
    assert (document["amount"], document["recipients"]) == ("99.5", ["owner@acme.example"])
    url = made.headers["Location"]
    assert client.get(url).json() == document
    assert send(client, **BODY).status_code == 409
    assert messages(send(client, url, "patch", unit="tokens")) == {"unit": "fixed"}
    assert send(client, url, "patch", amount="250").json()["amount"] == "250"
    assert list(BudgetAmount.objects.values_list("amount", flat=True)) == [99.5, 250]
    status = client.get(url + "/status").json()
    assert (status["amount"], status["used"], status["forecast"], status["told"]) == ("250", "0", None, [])
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    acts = AuditEntry.objects.filter(action__startswith="budget").order_by("pk")
    assert [one.action for one in acts] == ["budget.add", "budget.change", "budget.delete"]
    assert acts[1].details["before"] == {"amount": "99.50"}
    assert acts[1].details["amount"] == "250"


@pytest.mark.django_db
def test_the_path_of_a_webhook_is_for_those_who_may_change_it(
    persons: dict[str, Client], search: Team, read_key: IssuedKey
) -> None:
    sent = BODY | {"team": "Search", "webhook": "https://hooks.example.com/T0/secret"}
    url = send(persons["manager"], **sent).headers["Location"]
    assert persons["manager"].get(url).json()["webhook"] == "https://hooks.example.com/T0/secret"
    for answer in (persons["viewer"].get(url), Client().get(url, headers=make.bearer(read_key))):
        assert answer.json()["webhook"] == "https://hooks.example.com/…"
    assert "secret" not in str(AuditEntry.objects.get(action="budget.add").details)
