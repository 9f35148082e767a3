"""Whole requests behind the policies: the same answers as ever, and no row of others where a filter was forgotten."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from analytics.query import conditions, facts
from metricsportal.lib import border
from teams import directory, services
from teams.models import AuditEntry, Organization, User
from teams.services import IssuedKey
from tests import make, restricted
from tests.analytics.asking import ask
from tests.analytics.world import END, START, World

REQUESTS = f"/api/v1/requests?start={START}&end={END}"


@pytest.fixture
def far(behind: BaseDatabaseWrapper, world: World) -> World:
    """Both organizations, committed, behind the policies."""
    make.key(world.rival, owner=make.member(world.rival, "owner", email="owner@rival.example"))
    return world


def forget_organizations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `filter(organization=…)` of the application becomes one without it."""
    original: Callable[..., Any] = QuerySet._filter_or_exclude  # type: ignore[attr-defined]

    def forgetful(self: Any, negate: bool, args: Any, kwargs: dict[str, Any]) -> Any:
        kept = {name: value for name, value in kwargs.items() if name not in ("organization", "organization_id")}
        return original(self, negate, args, kept)

    monkeypatch.setattr(QuerySet, "_filter_or_exclude", forgetful)
    monkeypatch.setattr(facts, "scope_condition", lambda scope: ~conditions.NOTHING)


def test_requests_are_stored_and_answered_as_ever(
    far: World, client: Client, read_key: IssuedKey, ingest_key: IssuedKey
) -> None:
    sent = {"request_id": "new", "started_at": timezone.now().isoformat(), "model": "gpt-5"}
    stored = client.post(
        "/api/v1/requests", json.dumps(sent), content_type="application/json", headers=make.bearer(ingest_key)
    )
    assert stored.json()["accepted"] == 1, stored.content
    answered = ask(client, read_key, groupBy=["team"])
    assert {point["team"] for point in answered.json()["data"]["dataPoints"]} == {"Search", "Ads", "Unassigned"}
    listed = client.get(REQUESTS, headers=make.bearer(read_key)).json()
    assert [one["request_id"] for one in listed["results"]] == ["u1", "a2", "s3", "s2", "a1", "s1"]
    # Naming another organization changes nothing.
    for named in ("organization_id", "organization", "portal.organizations"):
        value = "rival" if named == "organization" else str(far.rival.pk)
        refused = client.get(f"{REQUESTS}&{named}={value}", headers=make.bearer(read_key))
        assert refused.status_code in (400, 404), named
        asked = ask(client, read_key, groupBy=["team"], **{named: value})
        assert b"rival-" not in refused.content + asked.content


def test_a_forgotten_filter_shows_nothing_of_others_and_is_found(
    behind: BaseDatabaseWrapper,
    far: World,
    client: Client,
    read_key: IssuedKey,
    owner: User,
    relied_on: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = client.get(REQUESTS, headers=make.bearer(read_key)).json()["results"]
    forget_organizations(monkeypatch)
    assert len(directory.keys(far.acme, make.NOW)) == 2  # without the border it would be shown
    assert client.get(REQUESTS, headers=make.bearer(read_key)).json()["results"] == listed
    client.force_login(owner)
    for page in ("people", "teams", "keys", "audit"):
        shown = client.get(f"/o/acme/settings/{page}")
        assert shown.status_code == 200
        assert b"rival" not in shown.content.lower(), page
    behind.execute_wrappers.append(restricted.compare)  # the detector tells
    with pytest.raises(AssertionError, match="finds rows of other organizations"):
        client.get("/o/acme/settings/keys")


def test_the_detector_stays_where_a_connection_is_made_within_a_wrapper(
    behind: BaseDatabaseWrapper, far: World
) -> None:
    def limit(execute: Callable[..., Any], *arguments: Any) -> Any:
        return execute(*arguments)

    behind.close()
    del behind.execute_wrappers[1:]
    with behind.execute_wrapper(limit):  # as a snapshot in a thread, whose first statement connects
        restricted.watch(behind)
    assert limit not in behind.execute_wrappers
    with border.within(far.acme.pk), pytest.raises(AssertionError, match="finds rows of other organizations"):
        Organization.objects.count()


def test_who_looks_across_organizations_still_does(far: World, client: Client, superuser: User, nobody: User) -> None:
    assert client.get("/readyz").json()["checks"]["database"] == "ok"
    assert 'portal_ingest_records_total{outcome="accepted"} 7' in client.get("/metrics").content.decode()
    client.force_login(superuser)
    assert "rival" in client.get("/admin/teams/organization/").content.decode()
    client.force_login(nobody)  # after an operator, on the same connection
    assert client.get("/o/acme/settings/keys").status_code == 404


def test_who_is_refused_elsewhere_is_kept_in_the_log_there(far: World, owner: User, relied_on: None) -> None:
    with border.request():
        border.admit(far.acme.pk)
        with pytest.raises(PermissionDenied):
            services.invite(
                actor=owner, organization=far.rival, email="friend@rival.example", role="member", now=make.NOW
            )
        assert not Organization.objects.filter(pk=far.rival.pk).exists()
    assert AuditEntry.objects.filter(organization=far.rival, action="invitation.send.refused").count() == 1
