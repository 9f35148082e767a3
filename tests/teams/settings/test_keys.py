"""Keys: made, shown once, rotated, revoked."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from teams import services
from teams.models import ApiKey, AuditEntry, Membership, Organization, Team, User
from tests import make
from tests.teams.settings.conftest import Enter
from tests.teams.settings.test_people import HOSTILE

KEYS = "/o/acme/settings/keys"


def secret(page: str) -> str:
    """The one key that a page shows."""
    found = re.findall(r'<pre id="secret"[^>]*>([^<]+)</pre>', page)
    assert len(found) == 1
    return str(found[0])


def lives(text: str, now: datetime | None = None) -> bool:
    return services.find_key(text, now or timezone.now()) is not None


def row(client: Client, name: str) -> str:
    """What the list says about the key of that name."""
    items = re.findall(r"<li>.*?</li>", client.get(KEYS).content.decode(), re.DOTALL)
    (found,) = (item for item in items if f"<bdi>{name}</bdi></strong>" in item)
    return " ".join(re.sub(r"<form.*?</form>|<[^>]+>", " ", found, flags=re.DOTALL).split())


def test_a_key_is_shown_once(enter: Enter, acme: Organization, search: Team, admin: User) -> None:
    client = enter("admin")
    form = {"name": "Grafana", "scopes": ["read", "ingest"], "team": search.pk, "expires_on": "2999-12-31"}
    answer = client.post(KEYS, form)
    text = secret(answer.content.decode())
    key = services.find_key(text, timezone.now())
    assert key is not None
    assert (key.organization, key.owner, key.team, key.scopes) == (acme, admin, search, ["ingest", "read"])
    assert key.expires_at == datetime(2999, 12, 31, 23, tzinfo=UTC)  # the end of that day in Berlin
    assert "no-store" in answer.headers["Cache-Control"]
    for path in (KEYS, "/o/acme/settings/audit"):
        body = client.get(path).content.decode()
        assert text.split("_", 2)[2] not in body
        assert bytes(key.digest).hex() not in body
    assert text not in "".join(morsel.value for morsel in client.cookies.values())
    assert text.split("_", 2)[2] not in repr(list(AuditEntry.objects.values()))
    words = f"Grafana mp_{key.prefix}_… ingest, read · Search only · admin@acme.example · never used"
    assert row(client, "Grafana").startswith(f"{words} · ends 1 Jan 3000, 00:00")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scopes": []}, "This field is required"),
        ({"scopes": ["root"]}, "not one of the available choices"),
        ({"name": ""}, "This field is required"),
        ({"name": "\0"}, "Null characters"),
        ({"team": "RIVAL"}, "not one of the available choices"),
        ({"expires_on": "2020-01-01"}, "must expire in the future"),
        ({"expires_on": "9999-12-31"}, "of this millennium"),
        ({"expires_on": "soon"}, "Enter a valid date"),
    ],
)
def test_what_is_no_key(
    enter: Enter, acme: Organization, rival: Organization, change: dict[str, Any], says: str
) -> None:
    change = {key: make.team(rival).pk if value == "RIVAL" else value for key, value in change.items()}
    answer = enter("admin").post(KEYS, {"name": "Grafana", "scopes": ["read"]} | change)
    assert answer.status_code == 400
    assert says in unescape(answer.content.decode())
    assert not ApiKey.objects.exists()


def test_a_key_reads_what_its_maker_may_and_no_more(enter: Enter, acme: Organization, admin: User) -> None:
    text = secret(enter("admin").post(KEYS, {"name": "R", "scopes": ["read"]}).content.decode())
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/metrics/meta", headers=headers).status_code == 200
    assert Client().post("/api/v1/requests", "[]", content_type="application/json", headers=headers).status_code in (
        401,
        403,
    )
    assert re.search(r"used just now", row(enter("admin"), "R"))
    Membership.objects.filter(user=admin).delete()
    assert Client().get("/api/v1/metrics/meta", headers=headers).status_code == 401


@pytest.mark.parametrize(("overlap", "hours"), [("0", 0), ("24", 24), ("168", 168)])
def test_rotation_lets_the_old_key_go_on_as_long_as_chosen(
    enter: Enter, acme: Organization, admin: User, search: Team, overlap: str, hours: int
) -> None:
    old = make.key(acme, "ingest", owner=admin, team=search)
    now = timezone.now().replace(microsecond=0)
    with time_machine.travel(now, tick=False):
        answer = enter("admin").post(f"{KEYS}/{old.key.pk}/rotate", {"overlap": overlap})
    new = services.find_key(secret(answer.content.decode()), now)
    assert new is not None
    assert (new.name, new.owner, new.scopes, new.team, new.expires_at) == (
        old.key.name,
        admin,
        ["ingest"],
        search,
        None,
    )
    if hours:
        assert lives(old.text, now + timedelta(hours=hours, seconds=-1))
    assert not lives(old.text, now + timedelta(hours=hours))
    entries = AuditEntry.objects.filter(details__key=old.key.pk).exclude(action="key.issue")
    assert [entry.action for entry in entries] == ["key.rotate" if hours else "key.revoke"]


def test_a_rotated_key_has_as_long_to_live_again_and_the_old_one_no_longer(
    enter: Enter, acme: Organization, admin: User
) -> None:
    now = timezone.now().replace(microsecond=0)
    old = make.key(acme, owner=admin, expires_at=now + timedelta(days=10))
    ApiKey.objects.filter(pk=old.key.pk).update(created_at=now - timedelta(days=20))
    with time_machine.travel(now + timedelta(days=9, hours=12), tick=False):
        answer = enter("admin").post(f"{KEYS}/{old.key.pk}/rotate", {"overlap": "168"})
        new = services.find_key(secret(answer.content.decode()), timezone.now())
    assert new is not None
    assert new.expires_at == now + timedelta(days=39, hours=12)
    assert ApiKey.objects.get(pk=old.key.pk).expires_at == now + timedelta(days=10)


def test_an_administrator_rotates_no_key_of_an_owner(
    enter: Enter, acme: Organization, owner: User, admin: User
) -> None:
    old = make.key(acme, owner=owner)
    answer = enter("admin").post(f"{KEYS}/{old.key.pk}/rotate", {"overlap": "0"})
    assert answer.status_code == 403
    assert b"Only an owner may issue a key in the name of an owner." in answer.content
    assert lives(old.text)
    assert ApiKey.objects.count() == 1
    assert [entry.action for entry in AuditEntry.objects.exclude(action="key.issue")] == ["key.rotate.refused"]


def test_the_key_of_somebody_who_left_becomes_the_rotating_persons(
    enter: Enter, acme: Organization, admin: User, member: User
) -> None:
    old = make.key(acme, "ingest", owner=member)
    Membership.objects.filter(user=member).delete()
    text = secret(enter("admin").post(f"{KEYS}/{old.key.pk}/rotate", {"overlap": "24"}).content.decode())
    new = services.find_key(text, timezone.now())
    assert new is not None
    assert new.owner == admin


@pytest.mark.parametrize("overlap", ["", "x", "1", "-5", "99999999999"])
def test_only_the_offered_overlaps(enter: Enter, acme: Organization, admin: User, overlap: str) -> None:
    old = make.key(acme, owner=admin)
    answer = enter("admin").post(f"{KEYS}/{old.key.pk}/rotate", {"overlap": overlap})
    assert (answer.status_code, ApiKey.objects.count()) == (400, 1)
    assert b"Choose when the old key ends" in answer.content


def test_a_key_that_is_over_is_not_rotated(enter: Enter, acme: Organization, admin: User) -> None:
    old = make.key(acme, owner=admin)
    client = enter("admin")
    assert client.post(f"{KEYS}/{old.key.pk}/revoke").status_code == 302
    assert not lives(old.text)
    assert client.post(f"{KEYS}/{old.key.pk}/rotate", {"overlap": "0"}).status_code == 400
    assert "revoked" in row(client, old.key.name)
    client.post(f"{KEYS}/{old.key.pk}/revoke")
    assert AuditEntry.objects.filter(action="key.revoke").count() == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_literally(enter: Enter, acme: Organization, name: str) -> None:
    client = enter("owner")
    made = client.post(KEYS, {"name": name, "scopes": ["read"]}).content.decode()
    for page in (made, client.get(KEYS).content.decode()):
        assert "<script>alert" not in page
        assert f"<bdi>{name}</bdi>" in unescape(page)
