"""The page of the attribute rules: who may open it, what it changes, what it shows of hostile names."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from ingestion import rules
from ingestion.formats.mapping import FIELDS
from ingestion.models import AttributeRule
from ingestion.views.targets import CHOICES, GROUPS, label_of
from teams.models import AuditEntry, Organization, User
from tests import make

pytestmark = pytest.mark.django_db
PAGE = "/o/acme/ingestion/mapping"
XSS = "<script>alert(1)</script>\"'{{7*7}}{% now %}"


def rule(organization: Organization, attribute: str = "x", target: str = "team") -> AttributeRule:
    return rules.add_rule(actor=None, organization=organization, attribute=attribute, target=target)


def pairs(organization: Organization) -> list[tuple[str, str]]:
    return [(one.attribute, one.target) for one in rules.rules_of(organization)]


@pytest.fixture
def visitor(client: Client, admin: User) -> Client:
    """A browser of the administrator."""
    client.force_login(admin)
    return client


def sent(client: Client, path: str, **fields: Any) -> str:
    answer = client.post(path, fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_field_is_offered_once_in_a_group() -> None:
    offered = [name for group in GROUPS.values() for name in group]
    assert sorted(offered) == sorted(FIELDS)
    assert [label for label, _ in CHOICES[1:]] == [*GROUPS, "Metadata"]
    assert (label_of("team"), label_of("metadata.a.b")) == ("Team", "metadata a.b")


def test_rules_are_added_changed_moved_and_removed(visitor: Client, acme: Organization, admin: User) -> None:
    assert "None yet" in visitor.get(PAGE).content.decode()
    page = sent(visitor, PAGE, attribute=" x.team ", target="team", key="")
    assert "“x.team” fills Team from now on." in page
    sent(visitor, PAGE, attribute="x.app", target="metadata", key="app")
    assert pairs(acme) == [("x.team", "team"), ("x.app", "metadata.app")]
    first, second = rules.rules_of(acme)
    form = visitor.get(f"{PAGE}/{second.pk}").content.decode()
    assert 'value="x.app"' in form
    assert 'value="app"' in form
    sent(visitor, f"{PAGE}/{second.pk}", attribute="x.app", target="virtual_account", key="")
    sent(visitor, f"{PAGE}/{second.pk}/move", to="up")
    assert pairs(acme) == [("x.app", "virtual_account"), ("x.team", "team")]
    sent(visitor, f"{PAGE}/{second.pk}/move", to="down")
    page = sent(visitor, f"{PAGE}/{first.pk}/remove")
    assert "“x.team” fills Team no more." in page
    assert pairs(acme) == [("x.app", "virtual_account")]
    acts = AuditEntry.objects.filter(organization=acme, actor=admin).order_by("pk").values_list("action", flat=True)
    assert list(acts) == [f"mapping.{verb}" for verb in ("add", "add", "change", "move", "move", "remove")]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"attribute": "", "target": "team"}, "attribute", "1 to 256 characters"),
        ({"attribute": "gen_ai.prompt.0.content", "target": "team"}, "attribute", "never stored"),
        ({"attribute": "x", "target": ""}, "target", "Choose one of"),
        ({"attribute": "x", "target": "request_id"}, "target", "Choose one of"),
        ({"attribute": "x", "target": "metadata"}, "key", "1 to 128 characters"),
        ({"attribute": "x", "target": "metadata", "key": "k" * 129}, "key", "1 to 128 characters"),
        ({"attribute": "x", "target": "team", "key": "k"}, "key", "Leave this empty"),
        ({"attribute": "x\0", "target": "team"}, "attribute", "Null characters"),
        ({}, "attribute", "1 to 256 characters"),
        ({"attribute": "taken", "target": "team"}, "attribute", "already"),
    ],
)
@pytest.mark.parametrize("editing", [False, True])
def test_what_is_not_allowed_is_said_beside_its_field(
    visitor: Client, acme: Organization, fields: dict[str, str], field: str, words: str, editing: bool
) -> None:
    edited = rule(acme, "mine")
    rule(acme, "taken")
    answer = visitor.post(f"{PAGE}/{edited.pk}" if editing else PAGE, {"csrf": "1", **fields})
    assert answer.status_code == 200
    assert words in " ".join(answer.context["form"].errors[field])
    assert escape(words) in answer.content.decode()
    assert pairs(acme) == [("mine", "team"), ("taken", "team")]


def test_the_hundred_and_first_is_refused_above_the_form(visitor: Client, acme: Organization) -> None:
    for number in range(rules.MOST_RULES):
        AttributeRule.objects.create(organization=acme, attribute=f"a{number}", target="team")
    assert "at most 100 rules" in sent(visitor, PAGE, attribute="b", target="team")
    assert AttributeRule.objects.count() == rules.MOST_RULES


def test_names_are_shown_as_they_are(visitor: Client, acme: Organization) -> None:
    hostile = rule(acme, XSS, f"metadata.{XSS}")
    shown = escape(XSS)
    for page in (
        visitor.get(PAGE).content.decode(),
        visitor.get(f"{PAGE}/{hostile.pk}").content.decode(),
        sent(visitor, PAGE, attribute=XSS, target="metadata", key=XSS),
        sent(visitor, f"{PAGE}/try", record="{}"),
        sent(visitor, f"{PAGE}/{hostile.pk}/remove"),
    ):
        assert shown in page
        assert "<script>alert" not in page
        assert re.findall(r"<style|<script>|\sstyle=|\son\w+=|javascript:", page) == []


PATHS = ("", "/try", "/{rule}", "/{rule}/move", "/{rule}/remove")


@pytest.mark.parametrize(
    ("who", "get", "post"),
    [
        ("owner", 200, {200, 302}),
        ("admin", 200, {200, 302}),
        ("finance", 403, {403}),
        ("manager", 403, {403}),
        ("viewer", 403, {403}),
        ("member", 403, {403}),
        ("outsider", 404, {404}),
        ("nobody", 404, {404}),
        ("superuser", 404, {404}),
    ],
)
def test_who_may_open_it(
    client: Client, acme: Organization, request: pytest.FixtureRequest, who: str, get: int, post: set[int]
) -> None:
    client.force_login(request.getfixturevalue(who))
    kept = rule(acme, "kept")
    for path in (PAGE, f"{PAGE}/{kept.pk}"):
        assert client.get(path).status_code == get
    for path in PATHS:
        one = rule(acme, f"for{path}")
        answer = client.post((PAGE + path).format(rule=one.pk), {"attribute": f"new{path}", "target": "team"})
        assert answer.status_code in post, path
    changed = {"newtry", "new", "new/{rule}"} & {attribute for attribute, _ in pairs(acme)}
    assert changed == ({"new", "new/{rule}"} if 200 in post else set())
    assert AttributeRule.objects.filter(attribute="for/{rule}/remove").exists() is (200 not in post)


@pytest.mark.parametrize("path", PATHS)
def test_visitors_are_asked_to_sign_in(client: Client, acme: Organization, path: str) -> None:
    one = rule(acme)
    answer = client.post((PAGE + path).format(rule=one.pk))
    assert answer.headers["Location"].startswith("/sign-in")
    assert pairs(acme) == [("x", "team")]


@pytest.mark.parametrize("path", PATHS[2:])
def test_rules_of_another_organization_look_absent(
    visitor: Client, acme: Organization, rival: Organization, path: str
) -> None:
    theirs = rule(rival, "rival.x")
    for number in (theirs.pk, 987_654, 10**18):
        answer = visitor.post((PAGE + path).format(rule=number), {"attribute": "mine", "target": "team"})
        assert answer.status_code == 404
        assert "rival" not in answer.content.decode().lower()
    assert visitor.get(f"{PAGE}/{theirs.pk}").status_code == 404
    assert pairs(rival) == [("rival.x", "team")]
    assert "rival" not in visitor.get(PAGE).content.decode().lower()


@pytest.mark.parametrize("path", PATHS)
def test_forms_of_other_sites_change_nothing(admin: User, acme: Organization, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    one = rule(acme)
    answer = client.post((PAGE + path).format(rule=one.pk), {"attribute": "mine", "target": "team"})
    assert answer.status_code == 403
    assert pairs(acme) == [("x", "team")]


@pytest.mark.parametrize("path", PATHS[3:])
def test_links_change_nothing(visitor: Client, acme: Organization, path: str) -> None:
    one = rule(acme)
    assert visitor.get((PAGE + path).format(rule=one.pk)).status_code == 405
    assert pairs(acme) == [("x", "team")]


def test_the_address_of_an_answer_leads_back(visitor: Client, acme: Organization) -> None:
    assert visitor.get(f"{PAGE}/try").headers["Location"] == PAGE


@pytest.mark.parametrize(("who", "offered"), [("owner", True), ("admin", True), ("finance", False)])
def test_the_page_of_ingest_leads_here_whoever_may_open_it(
    client: Client, acme: Organization, request: pytest.FixtureRequest, who: str, offered: bool
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert (f'href="{PAGE}"' in client.get("/o/acme/ingestion/").content.decode()) is offered


ADMIN = "/admin/ingestion/attributerule/"


def test_the_administration_acts_as_the_page_does(visitor: Client, acme: Organization, admin: User) -> None:
    form = {"organization": acme.pk, "attribute": "x.team", "target": "team"}
    assert visitor.post(f"{ADMIN}add/", form).status_code == 302
    one = AttributeRule.objects.get()
    wrong = visitor.post(f"{ADMIN}{one.pk}/change/", {"attribute": "messages", "target": "cost"})
    assert set(wrong.context["adminform"].form.errors) == {"attribute", "target"}
    assert visitor.post(f"{ADMIN}{one.pk}/change/", {"attribute": "x.app", "target": "metadata.app"}).status_code == 302
    assert pairs(acme) == [("x.app", "metadata.app")]
    assert visitor.post(f"{ADMIN}add/", form | {"attribute": "x.app", "target": "metadata.app"}).status_code == 200
    visitor.post(f"{ADMIN}{one.pk}/delete/", {"post": "yes"})
    two = rule(acme, "y")
    visitor.post(ADMIN, {"action": "delete_selected", "_selected_action": [two.pk], "post": "yes"})
    assert pairs(acme) == []
    acts = AuditEntry.objects.filter(actor=admin).order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["mapping.add", "mapping.change", "mapping.remove", "mapping.remove"]


def test_the_administration_shows_one_organization(
    client: Client, acme: Organization, rival: Organization, finance: User
) -> None:
    rule(acme, "ours.x")
    theirs = rule(rival, "theirs.x")
    client.force_login(finance)
    page = client.get(ADMIN).content.decode()
    assert "ours.x" in page
    assert "theirs" not in page
    assert client.get(f"{ADMIN}{theirs.pk}/change/").status_code == 302
    form = {"organization": acme.pk, "attribute": "x", "target": "team"}
    assert client.post(f"{ADMIN}add/", form).status_code == 403
    client.force_login(make.member(acme, "admin"))
    assert client.post(f"{ADMIN}{theirs.pk}/change/", form).status_code in {302, 403}
    assert client.post(f"{ADMIN}add/", form | {"organization": rival.pk}).status_code == 200
    client.post(ADMIN, {"action": "delete_selected", "_selected_action": [theirs.pk], "post": "yes"})
    assert pairs(rival) == [("theirs.x", "team")]
    assert pairs(acme) == [("ours.x", "team")]
