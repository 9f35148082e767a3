"""Requests made from the OpenAPI file, as every role: no error of ours, and every answer as the file says."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from typing import Any, Final

import jsonschema
import pytest
import schemathesis
import time_machine
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from analytics.models import Annotation, Budget, SavedView
from teams.models import User
from tests import make
from tests.analytics.asking import COST
from tests.analytics.world import END, START, World, at

pytestmark = pytest.mark.usefixtures("kept_world")

PEOPLE: Final = ("owner", "admin", "finance", "manager", "viewer", "member", "nobody", "outsider")
KEYS: Final = ("ingest_key", "read_key", "team_key", "only_reading")
ROLES: Final = (*PEOPLE, *KEYS, "anonymous", "stranger")
FEW, SOME, MANY = 1, 8, 200
Json = dict[str, Any]
Case = schemathesis.Case[Any]
Send = Callable[[Case], Any]
# Values that exist take the place of three in four made-up ones: else nearly every answer would be the same refusal.
KNOWN: Final[dict[str, tuple[Any, ...]]] = {
    "request_id": ("s1", "a2", "rival-1"),
    "name": ("team", "user", "metadata.environment", "metadata.rival-key"),
    "view_id": ("1", "2"),
    "annotation_id": ("1", "2"),
    "budget_id": ("1", "2"),
    "from": (START,),
    "to": (END, "now"),
    "organization": ("acme",),
    "start": (START,),
    "end": (END,),
    "start_date": ("2026-11-20",),
    "end_date": ("2026-11-21",),
    "startTs": (START, "now-7d"),
    "endTs": ("now",),
    "group_by": ("team,day", "model", "user,metadata.environment", "hour"),
    "groupBy": ([], ["team"], ["modelName", "metadata.environment"], ["errorCode"]),
    "aggregations": ([COST], [COST, {"type": "p99", "column": "latencyMs"}], [{"type": "count", "column": "failures"}]),
    "orderBy": ([],),
    "measures": ("requests,cost_usd,latency_p90_ms", "failed_requests"),
    "filter": (["model:eq:gpt-5"], ["failed:eq:true", "latency_ms:gt:5"]),
    "filters": ([], [{"fieldName": "team", "operator": "NOT_EQUAL", "value": "Ads"}]),
    "query": (json.dumps({"startTs": START, "endTs": END, "type": "timeseries", "aggregations": [COST]}),),
}


def described() -> Json:
    """The file as plain dictionaries."""
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # untyped library
    found: Json = json.loads(json.dumps(made, default=str))
    return found


SCHEMA: Final = described()
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
VERBS: Final = ("get", "post", "put", "delete")
OPERATIONS: Final = tuple((path, verb) for path, verbs in SCHEMA["paths"].items() for verb in verbs if verb in VERBS)
FILE: Final = schemathesis.openapi.from_dict(SCHEMA)
NAMES: Final = tuple(f"{verb} {path}" for path, verb in OPERATIONS)


@pytest.fixture(autouse=True)
def generous(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Callers may ask without end, at one instant."""
    settings.QUERIES_PER_MINUTE = settings.SUGGESTIONS_PER_MINUTE = 10**6
    settings.QUERY_FACT_BUDGET = settings.QUERY_REQUEST_BUDGET = 5  # so that questions are refused as too large, too
    monkeypatch.setattr("analytics.exports.slots.MOST", 10**6)
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def ask_as(world: World, request: pytest.FixtureRequest, owner: User) -> Callable[[str], Send]:
    """A sender of cases for each role."""
    for name, team in (("Private", None), ("Ours", "Search")):
        owned = {"owner": None, "team_id": request.getfixturevalue("search").pk} if team else {"owner": owner}
        content: Json = {"startTs": "now-1d", "endTs": "now", "type": "distribution"}
        content |= {"aggregations": [{"type": "count", "column": "requests"}]}
        SavedView.objects.create(organization=world.acme, name=name, kind="metrics_query", content=content, **owned)

    for text, team in (("of all", None), ("of a team", request.getfixturevalue("search"))):
        Annotation.objects.create(organization=world.acme, team=team, kind="deploy", at=at(9), text=text)
        Budget.objects.create(organization=world.acme, team=team, name=text, amount=5, created_at=at(9))

    def sender(role: str) -> Send:
        client, headers = Client(), {}
        if role in PEOPLE:
            client.force_login(request.getfixturevalue(role))
        elif role == "only_reading":
            headers = make.bearer(make.key(world.acme, "read", owner=owner))
        elif role in KEYS:
            headers = make.bearer(request.getfixturevalue(role))
        elif role == "stranger":
            headers = {"Authorization": "Bearer mp_unknown"}
        return lambda case: send(client, case, headers)

    return sender


def send(client: Client, case: Case, headers: dict[str, str]) -> Any:
    """The answer to a case, its body written as its content type says."""
    body: Any = b"" if isinstance(case.body, NotSet) else case.body
    if not isinstance(body, bytes):
        is_text = isinstance(body, str) and case.media_type != "application/json"
        body = body.encode("utf-8", "surrogatepass") if is_text else json.dumps(body, default=str).encode()
    given = {name: value for name, value in (case.query or {}).items() if value is not None}
    query = {name: value if isinstance(value, list) else str(value) for name, value in given.items()}
    made = {name: value for name, value in (case.headers or {}).items() if name not in {"Authorization", "Cookie"}}
    return client.generic(
        case.method,
        case.formatted_path,
        body,
        content_type=case.media_type or "application/json",
        query_params=query,
        headers={**made, **headers},
    )


def replace_made_up(made: object, turn: int) -> None:
    """Put known values in the place of most that are made up."""
    if not isinstance(made, dict):
        return
    for number, name in enumerate(made):
        if name in KNOWN and (turn + number) % 4:
            made[name] = KNOWN[name][turn % len(KNOWN[name])]


def one_range(query: Json, turn: int) -> None:
    """Days or instants: both together are refused before anything else is looked at."""
    pairs = ("start_date", "end_date"), ("start", "end")
    for name in pairs[turn % 2]:
        query.pop(name, None)
    query |= {name: KNOWN[name][0] for name in pairs[1 - turn % 2]}


def check(operation: Json, response: Any, tried: object) -> None:
    """No error of ours; status, content type and body are what the file says."""
    status = str(response.status_code)
    assert response.status_code < 500, (tried, response.content)
    assert status in operation["responses"], (status, tried)
    content = operation["responses"][status].get("content")
    written = b"".join(response.streaming_content) if response.streaming else response.content
    if content is None:
        assert written == b"", tried
        return
    kind = response["Content-Type"].partition(";")[0]
    assert kind in content, (kind, status, tried)
    if kind == "application/x-ndjson":
        assert [json.loads(line) for line in written.splitlines()], tried
    elif kind.endswith("json"):
        jsonschema.Draft202012Validator(content[kind]["schema"]).validate(json.loads(written))


@cache
def _made_up(path: str, method: str, mode: GenerationMode, examples: int) -> tuple[Case, ...]:
    quiet = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    made: list[Case] = []

    @seed(7)
    @quiet
    @given(case=FILE[path][method.upper()].as_strategy(generation_mode=mode))
    def keep(case: Case) -> None:
        made.append(case)

    keep()
    return tuple(made)


def cases(path: str, method: str, examples: int, first: int) -> list[Case]:
    """Valid and invalid ones. To make them is most of the work: few are among some, from the `first` on."""
    made = (_made_up(path, method, mode, max(SOME, examples)) for mode in (POSITIVE, NEGATIVE))
    return [some[(first + number) % len(some)] for some in made for number in range(min(examples, len(some)))]


def fresh(made: Case) -> Case:
    """One that may be changed."""
    return Case(
        made.operation,
        made.method,
        made.path,
        path_parameters=deepcopy(made.path_parameters),
        headers=made.headers,
        query=deepcopy(made.query),
        body=deepcopy(made.body),
        media_type=made.media_type,
    )


def examine(path: str, method: str, ask: Send, examples: int, first: int = 0) -> Counter[int]:
    """How often each status came."""
    statuses: Counter[int] = Counter()
    for turn, made in enumerate(cases(path, method, examples, first), first):
        case = fresh(made)
        for values in (case.path_parameters, case.query, case.body):
            replace_made_up(values, turn)
        if path == "/api/v1/report" and turn % 4:
            one_range(case.query, turn)
        response = ask(case)
        check(SCHEMA["paths"][path][method], response, (method, case.formatted_path, case.query, case.body))
        statuses[response.status_code] += 1
    return statuses


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=NAMES)
def test_every_operation_as_the_owner(ask_as: Callable[[str], Send], path: str, method: str) -> None:
    role = "ingest_key" if "ingest" in SCHEMA["paths"][path][method]["tags"] else "owner"
    assert sum(examine(path, method, ask_as(role), SOME).values()) > 1


@pytest.mark.once  # what the database cannot take is found as the owner
@pytest.mark.parametrize("role", ROLES)
def test_every_role(ask_as: Callable[[str], Send], role: str) -> None:
    statuses: Counter[int] = Counter()
    for path, method in OPERATIONS:  # each role others, so that together they ask all of them
        statuses += examine(path, method, ask_as(role), FEW, ROLES.index(role))
    expected = {"anonymous": {401}, "stranger": {401}}.get(role)
    assert statuses
    # What is no id of an export is no address at all.
    assert expected is None or {*statuses} <= expected | {400, 404, 413, 415}


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_every_role_at_length(ask_as: Callable[[str], Send], role: str) -> None:
    for path, method in OPERATIONS:
        assert examine(path, method, ask_as(role), MANY)
