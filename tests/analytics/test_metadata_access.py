"""Names of metadata keys: whoever sees no request with a key is answered as if it did not exist, everywhere."""

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client

from analytics import rollups
from analytics.models import SavedView
from analytics.query.keys import visible_keys
from ingestion import services
from ingestion.models import KeyOfCaller, KeyOfTeam, LLMRequest, MetadataKey
from ingestion.provisioning.kinds import TEAM
from teams.access import Reach, Scope, nothing, scope_of_user
from teams.models import Organization, Team, User
from tests import make
from tests.ingestion.provisioning.scene import merge

pytestmark = pytest.mark.django_db

OWN, OTHER, ABSENT = "tenant", "merger-with-contoso", "no-such-key-at-all"
_DAYS: Final = {"start_date": "2026-11-20", "end_date": "2026-11-24"}
_API: Final = "/api/v1/"
Ask = Callable[[Client, str], Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def traffic(acme: Organization, search: Team, ads: Team) -> None:
    """A request of each team with a key of its own."""
    make.request(acme, team=search.name, user="ann", metadata={OWN: "one"})
    make.request(acme, team=ads.name, user="member@acme.example", metadata={OTHER: "yes"})


def _names(scope: Scope | None) -> list[str]:
    assert scope is not None
    return [key.name for key in visible_keys(scope)]


def test_everybody_knows_the_keys_of_what_they_see(
    acme: Organization, traffic: None, owner: User, finance: User, viewer: User, member: User
) -> None:
    assert _names(scope_of_user(owner, acme)) == _names(scope_of_user(finance, acme)) == [OTHER, OWN]
    assert _names(scope_of_user(viewer, acme)) == [OWN]
    assert _names(scope_of_user(member, acme)) == [OTHER]  # a request of their own
    assert _names(nothing(acme)) == []
    assert _names(Scope(acme.pk, "UTC", Reach.CALLER)) == []


def test_a_key_is_there_with_its_first_request(acme: Organization, search: Team, ads: Team, viewer: User) -> None:
    make.request(acme, team=ads.name, metadata={OTHER: "yes"})
    scope = scope_of_user(viewer, acme)
    assert _names(scope) == []
    make.request(acme, team=search.name, metadata={OTHER: "yes", OWN: "one"})
    assert _names(scope) == [OTHER, OWN]
    before = (KeyOfTeam.objects.count(), KeyOfCaller.objects.count())
    make.request(acme, team=search.name, metadata={OTHER: "no", OWN: "two"})
    assert (KeyOfTeam.objects.count(), KeyOfCaller.objects.count()) == before == (3, 0)


def test_what_is_refused_or_repeated_makes_no_key_known(
    acme: Organization, search: Team, ads: Team, viewer: User
) -> None:
    first = make.record(request_id="r-1", team=ads.name, metadata={OTHER: "yes"})
    again = make.record(request_id="r-1", team=search.name, metadata={OTHER: "yes"})
    late = make.record(started_at=make.LONG_AGO, team=search.name, metadata={OTHER: "yes"})
    for one in (first, again, late):
        services.ingest_records(organization=acme, records=[one], source="test", now=make.NOW, past_days=30)
    assert LLMRequest.objects.count() == 1
    assert _names(scope_of_user(viewer, acme)) == []


def _get(path: str, **parameters: str) -> Ask:
    """Asks with the key's name for KEY."""

    def ask(client: Client, key: str) -> Any:
        sent = {name: value.replace("KEY", key) for name, value in parameters.items()}
        return client.get(path.replace("KEY", key), sent)

    return ask


def _post(path: str, document: dict[str, Any]) -> Ask:
    def ask(client: Client, key: str) -> Any:
        return client.post(path, json.dumps(document).replace("KEY", key), content_type="application/json")

    return ask


_QUESTION: Final[dict[str, Any]] = {
    "startTs": "2026-11-20T00:00:00Z",
    "endTs": "2026-11-24T12:00:00Z",
    "type": "distribution",
    "aggregations": [{"type": "count", "column": "requests"}],
}
_FILTERED: Final = _QUESTION | {"filters": [{"metadataKey": "KEY", "operator": "EQUAL", "value": "yes"}]}
_BUDGET: Final[dict[str, Any]] = {
    "name": "B",
    "team": "Search",
    "dimension": "metadata.KEY",
    "value": "yes",
    "unit": "usd",
    "every": "month",
    "amount": "5",
    "thresholds": [50],
    "recipients": [],
}
QUESTIONS: Final[dict[str, Ask]] = {
    "group": _post(f"{_API}metrics/query", _QUESTION | {"groupBy": ["metadata.KEY"]}),
    "filter": _post(f"{_API}metrics/query", _FILTERED),
    "report group": _get(f"{_API}report", **_DAYS, group_by="metadata.KEY", measures="requests"),
    "report filter": _get(f"{_API}report", **_DAYS, measures="requests", filter="metadata.KEY:eq:yes"),
    "requests": _get(f"{_API}requests", filter="metadata.KEY:nnull:"),
    "suggestions": _get(f"{_API}dimensions/metadata.KEY/values"),
    "focus": _get(f"{_API}focus", **_DAYS, dimensions="metadata.KEY"),
    "export": _post(f"{_API}exports", {"of": "report", "group_by": ["metadata.KEY"], "measures": "requests"} | _DAYS),
    "budget": _post(f"{_API}budgets", _BUDGET),
    "view": _post(f"{_API}saved-views", {"name": "V", "kind": "metrics_query", "content": _FILTERED}),
    "page": _get("/o/acme/", by="metadata", key="KEY", f="metadata.KEY:eq:yes"),
    "requests page": _get("/o/acme/requests/", f="metadata.KEY:eq:yes"),
    "data": _get("/o/acme/data", by="metadata", key="KEY", f="metadata.KEY:eq:yes"),
}


def _told(response: Any, key: str) -> tuple[int, str]:
    """Status and words; what differs between any two answers, and the asked name, are left out."""
    text = b"".join(response.streaming_content) if response.streaming else response.content
    words = re.sub(r'"elapsed_ms": ?\d+', '"elapsed_ms": 0', text.decode().replace(key, "KEY"))
    if "json" in response.get("Content-Type", "") and isinstance(document := json.loads(words), dict):
        document.pop("request_id", None)
        words = json.dumps(document)
    for mark in ("csrfmiddlewaretoken", "csrf"):
        words = "\n".join(line for line in words.splitlines() if mark not in line)
    return response.status_code, words


@pytest.mark.parametrize("name", QUESTIONS)
def test_another_teams_key_is_answered_as_an_absent_one(name: str, traffic: None, manager: User, owner: User) -> None:
    client, whole = Client(), Client()
    client.force_login(manager)
    whole.force_login(owner)
    ask = QUESTIONS[name]
    answers = [_told(ask(client, key), key) for key in (OTHER, ABSENT)]
    assert answers[0] == answers[1]
    assert _told(ask(whole, OTHER), OTHER) != _told(ask(whole, ABSENT), ABSENT)  # who sees the requests is answered


@pytest.mark.parametrize(
    "path",
    [
        f"{_API}metrics/meta",
        "/o/acme/?by=metadata",
        "/o/acme/",
        "/o/acme/requests/",
        "/o/acme/budgets/new",
        f"{_API}report?start_date=2026-11-20&end_date=2026-11-24&group_by=nothing",
    ],
)
def test_no_menu_names_another_teams_key(path: str, traffic: None, manager: User, owner: User) -> None:
    client, whole = Client(), Client()
    client.force_login(manager)
    whole.force_login(owner)
    own, all_ = (one.get(path) for one in (client, whole))
    assert own.status_code in (200, 400)
    assert OTHER not in own.content.decode()
    assert OWN in own.content.decode()
    assert OTHER in all_.content.decode()


def test_a_shared_view_asks_as_whoever_opens_it(
    acme: Organization, search: Team, traffic: None, viewer: User, owner: User
) -> None:
    content = json.loads(json.dumps(_FILTERED).replace("KEY", OTHER))
    view = SavedView.objects.create(organization=acme, team=search, name="V", kind="metrics_query", content=content)
    answers = {}
    for person in (viewer, owner):
        client = Client()
        client.force_login(person)
        answers[person] = client.get(f"{_API}saved-views/{view.pk}/result")
    assert (answers[viewer].status_code, answers[owner].status_code) == (400, 200)
    assert answers[viewer].json()["errors"][0]["code"] == "unknown_dimension"


def test_registering_a_key_finds_whose_stored_requests_have_it(
    acme: Organization, search: Team, ads: Team, viewer: User, member: User, settings: Any
) -> None:
    settings.METADATA_KEYS_MAX = 0
    make.request(acme, team=search.name, metadata={'a "b".c': "1"})
    make.request(acme, user="member@acme.example", metadata={"d": "1"})
    assert KeyOfTeam.objects.count() == KeyOfCaller.objects.count() == 0
    for key in MetadataKey.objects.all():
        services.register(key, make.NOW)
    assert _names(scope_of_user(viewer, acme)) == ['a "b".c']
    assert _names(scope_of_user(member, acme)) == ["d"]


def test_a_merged_team_brings_its_keys(acme: Organization, search: Team, ads: Team, viewer: User) -> None:
    make.request(acme, team=ads.name, metadata={OTHER: "yes"})
    merge(TEAM, acme, ads.name, search.name)
    assert _names(scope_of_user(viewer, acme)) == [OTHER]


def test_the_migrations_know_stored_and_removed_requests(
    acme: Organization, rival: Organization, search: Team, traffic: None, viewer: User, member: User
) -> None:
    make.request(rival, metadata={OTHER: "rival"})
    rollups.drain()
    kept = [sorted(model.objects.values_list("key__name", *ids)) for model, ids in _KEPT]
    for model, _ in _KEPT:
        model.objects.all().delete()
    editor: Any = SimpleNamespace(connection=connection, execute=connection.cursor().execute)
    import_module("ingestion.migrations.0014_keys_of_teams").fill(apps, editor)
    assert [sorted(model.objects.values_list("key__name", *ids)) for model, ids in _KEPT] == kept
    KeyOfTeam.objects.all().delete()
    LLMRequest.objects.all().delete()
    assert _names(scope_of_user(viewer, acme)) == []
    import_module("analytics.migrations.0020_keys_of_removed_requests").fill(apps, editor)
    assert _names(scope_of_user(viewer, acme)) == [OWN]


_KEPT: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (KeyOfTeam, ("team__name", "organization__slug")),
    (KeyOfCaller, ("user__name", "organization__slug")),
)
