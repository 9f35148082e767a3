"""The audit log as a page, and who is offered the settings at all."""

import re
from html import unescape

import pytest

from teams.models import AuditEntry, Organization, Team, User
from teams.services import audit
from tests import make, pages
from tests.teams.settings.conftest import Enter
from tests.teams.settings.test_people import HOSTILE

AUDIT = "/o/acme/settings/audit"


@pytest.fixture
def entries(acme: Organization, rival: Organization, owner: User, admin: User, outsider: User) -> None:
    """Three of acme, one of the other organization."""
    audit.record(organization=acme, actor=owner, action="member.role", target="ann@acme.example", role="finance")
    audit.record(
        organization=acme, actor=admin, action="key.issue", target="Gateway", scopes=["export", "read"], team=None
    )
    audit.record(organization=acme, actor=None, action="key.issue", target="First")
    audit.record(organization=rival, actor=outsider, action="rival.act", target="Rival thing", rival="secret")


def rows(page: bytes) -> list[list[str]]:
    return [row[1:] for row in pages.rows(page.decode())[1:]]


def test_the_log_says_who_did_what_newest_first(enter: Enter, entries: None) -> None:
    page = enter("owner").get(AUDIT).content
    assert rows(page) == [
        ["the portal", "key.issue", "First", ""],
        ["admin@acme.example", "key.issue", "Gateway", "scopes: export, read"],
        ["owner@acme.example", "member.role", "ann@acme.example", "role: finance"],
    ]
    assert not re.search(rb"[Rr]ival", page)


@pytest.mark.parametrize(
    ("asked", "targets"),
    [
        ({"person": "admin@acme.example"}, ["Gateway"]),
        ({"person": "-"}, ["First"]),
        ({"act": "key.issue"}, ["First", "Gateway"]),
        ({"act": "key.issue", "person": "owner@acme.example"}, []),
        ({"person": "", "act": ""}, ["First", "Gateway", "ann@acme.example"]),
    ],
)
def test_it_is_filtered(enter: Enter, entries: None, asked: dict[str, str], targets: list[str]) -> None:
    found = enter("owner").get(AUDIT, asked)
    assert found.status_code == 200
    assert [row[2] for row in rows(found.content)] == targets
    if not all(asked.values()):
        return
    assert "selected" in found.content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        {"person": "outsider@rival.example"},
        {"act": "rival.act"},
        {"person": "nobody@at.all"},
        {"act": "\0"},
        {"person": "' OR 1=1 --"},
    ],
)
def test_what_is_not_in_the_log_reads_the_same_wherever_else_it_is(
    enter: Enter, entries: None, asked: dict[str, str]
) -> None:
    found = enter("owner").get(AUDIT, asked)
    assert found.status_code == 400
    assert b"Choose from the lists" in found.content
    assert rows(found.content) == []
    (sent,) = asked.values()
    assert sent not in found.content.decode()


def test_it_is_paged_and_keeps_its_filter(enter: Enter, acme: Organization, owner: User) -> None:
    for number in range(120):
        audit.record(organization=acme, actor=owner, action="a" if number % 2 else "b", target=f"{number:03}")
    client = enter("owner")
    seen = [row[2] for page in (1, 2, 3) for row in rows(client.get(AUDIT, {"page": page}).content)]
    assert seen == [f"{number:03}" for number in reversed(range(120))]
    first = client.get(AUDIT, {"act": "a"}).content.decode()
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert [row[2] for row in rows(client.get(AUDIT + unescape(following)).content)] == [
        f"{number:03}" for number in reversed(range(1, 21, 2))
    ]
    assert client.get(AUDIT, {"page": "-1"}).status_code == 200


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_targets_are_shown_literally(enter: Enter, acme: Organization, owner: User, name: str) -> None:
    AuditEntry.objects.create(organization=acme, actor=owner, action="x", target=name, details={name: name})
    page = enter("owner").get(AUDIT).content.decode()
    assert "<script>alert" not in page
    assert unescape(page).count(f"<bdi>{name}</bdi>") == 2


@pytest.mark.parametrize(
    ("who", "leads_to"),
    [
        ("owner", "people"),
        ("admin", "people"),
        ("manager", "teams"),
        ("finance", "models"),
        ("viewer", ""),
        ("member", ""),
    ],
)
def test_the_settings_are_offered_to_who_may_open_them(
    enter: Enter, acme: Organization, search: Team, who: str, leads_to: str
) -> None:
    client = enter(who)
    offered = re.findall(r'href="/o/acme/settings/(\w*)"[^>]*>Settings', client.get("/profile").content.decode())
    assert offered == ([leads_to] if leads_to else [])
    if leads_to:
        assert client.get("/o/acme/settings/").headers["Location"] == f"/o/acme/settings/{leads_to}"
        sections = re.findall(
            r'href="/o/acme/settings/(\w+)"[^>]*>(?:People|Teams|Keys|Audit log)<',
            client.get(f"/o/acme/settings/{leads_to}").content.decode(),
        )
        assert sections == (["people", "teams", "keys", "audit"] if leads_to == "people" else [])


def test_the_settings_of_another_organization_are_not_offered(enter: Enter, acme: Organization, outsider: User) -> None:
    make.team(acme)
    page = enter("outsider").get("/profile").content.decode()
    assert "/o/rival/settings/people" in page
    assert "/o/acme/" not in page
