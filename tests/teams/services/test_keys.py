"""Issuing, finding and revoking keys."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from pytest_django import DjangoAssertNumQueries

from teams import services
from teams.models import ApiKey, AuditEntry, Organization, Team, User
from teams.services import IssuedKey
from tests import make


def issue(acme: Organization, by: User, **changes: Any) -> IssuedKey:
    given: dict[str, Any] = {
        "actor": by,
        "organization": acme,
        "owner": by,
        "name": "Gateway",
        "scopes": ["ingest"],
        "now": make.NOW,
    }
    return services.issue_key(**given | changes)


def test_only_prefix_and_digest_are_stored(acme: Organization, owner: User) -> None:
    issued = issue(acme, owner)
    mark, prefix, secret = issued.text.split("_", 2)
    assert (mark, prefix, len(secret)) == ("mp", issued.key.prefix, 43)
    row = ApiKey.objects.values().get()
    assert bytes(row["digest"]) == hashlib.sha256(issued.text.encode()).digest()
    assert secret not in repr(row)
    assert secret not in repr(issued)
    assert secret not in repr(list(AuditEntry.objects.values()))
    assert list(AuditEntry.objects.values_list("action", "actor", "details__scopes")) == [
        ("key.issue", owner.pk, ["ingest"])
    ]


def test_a_key_is_found_by_its_text_alone(acme: Organization, owner: User) -> None:
    issued = issue(acme, owner)
    other = issue(acme, owner)
    forged = f"mp_{issued.key.prefix}_{other.text.split('_', 2)[2]}"
    assert services.find_key(issued.text, make.NOW) == issued.key
    assert services.find_key(forged, make.NOW) is None
    assert services.find_key(issued.text.upper(), make.NOW) is None
    assert services.find_key(issued.text + "\n", make.NOW) is None


def test_a_key_ends_at_its_expiry(acme: Organization, owner: User) -> None:
    ends = make.NOW + timedelta(days=1)
    issued = issue(acme, owner, expires_at=ends)
    assert services.find_key(issued.text, ends - timedelta(microseconds=1)) == issued.key
    assert services.find_key(issued.text, ends) is None


def test_revoking_ends_a_key_once(acme: Organization, owner: User) -> None:
    issued = issue(acme, owner)
    services.revoke_key(actor=owner, key=issued.key, now=make.NOW)
    services.revoke_key(actor=owner, key=issued.key, now=make.NOW + timedelta(days=1))
    assert services.find_key(issued.text, make.NOW) is None
    assert issued.key.revoked_at == make.NOW
    assert AuditEntry.objects.filter(action="key.revoke").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "root"]}, "scopes"),
        ({"expires_at": make.NOW}, "expires_at"),
    ],
)
def test_what_does_not_fit_is_named(acme: Organization, owner: User, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        issue(acme, owner, **changes)
    assert list(refusal.value.message_dict) == [field]
    assert not ApiKey.objects.exists()


def test_a_key_never_crosses_organizations(
    acme: Organization, owner: User, rival: Organization, outsider: User
) -> None:
    with pytest.raises(ValidationError) as refusal:
        issue(acme, owner, team=make.team(rival))
    assert list(refusal.value.message_dict) == ["team"]
    with pytest.raises(ValidationError) as refusal:
        issue(acme, owner, owner=outsider)
    assert list(refusal.value.message_dict) == ["owner"]


@pytest.mark.parametrize("persona", ["finance", "manager", "viewer", "member", "outsider", "nobody"])
def test_who_may_not_issue_or_revoke(
    persona: str, acme: Organization, owner: User, ingest_key: IssuedKey, request: pytest.FixtureRequest
) -> None:
    actor = request.getfixturevalue(persona)
    with pytest.raises(PermissionDenied):
        issue(acme, owner, actor=actor)
    with pytest.raises(PermissionDenied):
        services.revoke_key(actor=actor, key=ingest_key.key, now=make.NOW)
    ingest_key.key.refresh_from_db()
    assert ingest_key.key.revoked_at is None
    assert ApiKey.objects.count() == 1


def test_an_administrator_does_not_act_through_an_owner(acme: Organization, owner: User, admin: User) -> None:
    with pytest.raises(PermissionDenied):
        issue(acme, owner, actor=admin)
    assert issue(acme, admin, actor=admin).key.owner == admin
    assert issue(acme, admin, actor=owner).key.owner == admin


def test_use_is_noted_once_a_minute(
    search: Team, ingest_key: IssuedKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    services.note_use(ingest_key.key, make.NOW)
    ingest_key.key.refresh_from_db()
    assert ingest_key.key.last_used_at == make.NOW
    with django_assert_num_queries(0):
        services.note_use(ingest_key.key, make.NOW + timedelta(seconds=59))
    services.note_use(ingest_key.key, make.NOW + timedelta(seconds=60))
    ingest_key.key.refresh_from_db()
    assert ingest_key.key.last_used_at == make.NOW + timedelta(seconds=60)
