"""Acts on attribute rules: what is allowed, who may, what the audit log keeps; the command."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection

from ingestion import rules
from ingestion.formats.mapping import FIELDS
from ingestion.models import AttributeRule
from teams.models import AuditEntry, Organization, User
from tests.ingestion.otlp.test_privacy import PAYLOADS

pytestmark = pytest.mark.django_db


def add(organization: Organization, attribute: str, target: str = "team", actor: User | None = None) -> AttributeRule:
    return rules.add_rule(actor=actor, organization=organization, attribute=attribute, target=target)


def order(organization: Organization) -> str:
    return "".join(rule.attribute for rule in rules.rules_of(organization))


@pytest.mark.parametrize(
    ("attribute", "target", "field", "words"),
    [
        ("", "team", "attribute", "1 to 256 characters, this has 0"),
        ("a" * 257, "team", "attribute", "1 to 256 characters, this has 257"),
        ("a\0b", "team", "attribute", "nothing that cannot be seen"),
        ("a\u202eb", "team", "attribute", "nothing that cannot be seen"),
        ("a\ud800", "team", "attribute", "nothing that cannot be seen"),
        (" a", "team", "attribute", "nothing that cannot be seen"),
        *((name, "team", "attribute", "never stored: prompts") for name in PAYLOADS),
        ("a", "", "target", "Choose one of model, provider"),
        ("a", "request_id", "target", "Choose one of model, provider"),
        ("a", "started_at", "target", "or metadata.KEY"),
        ("a", "metadata", "target", "or metadata.KEY"),
        ("a", "payload_hash", "target", "Choose one of"),
        ("a", "metadata.", "target", "1 to 128 characters, this has 0"),
        ("a", "metadata." + "k" * 129, "target", "1 to 128 characters, this has 129"),
        ("a", "metadata.k\nk", "target", "nothing that cannot be seen"),
    ],
)
def test_what_is_not_allowed_is_said_beside_its_field(
    acme: Organization, attribute: str, target: str, field: str, words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        add(acme, attribute, target)
    assert words in refused.value.message_dict[field][0]
    assert not AttributeRule.objects.exists()
    assert not AuditEntry.objects.exists()


def test_every_field_and_the_longest_names_are_allowed(acme: Organization) -> None:
    for target in (*FIELDS, "metadata." + "k" * 128):
        add(acme, "a" * 256, target)
    assert AttributeRule.objects.count() == len(FIELDS) + 1
    for rule in rules.rules_of(acme):
        rule.full_clean()


def test_a_rule_is_there_once(acme: Organization, rival: Organization) -> None:
    add(acme, "a")
    other = add(acme, "b")
    add(acme, "a", "user")
    add(rival, "a")
    with pytest.raises(ValidationError, match="already"):
        add(acme, "a")
    with pytest.raises(ValidationError, match="already"):
        rules.change_rule(actor=None, rule=other, attribute="a", target="team")
    rules.change_rule(actor=None, rule=other, attribute="b", target="team")  # as it is
    assert order(acme) == "aba"


def test_there_are_at_most_a_hundred(acme: Organization, rival: Organization) -> None:
    for number in range(rules.MOST_RULES):
        AttributeRule.objects.create(organization=acme, attribute=f"a{number}", target="team", position=number)
    with pytest.raises(ValidationError, match="at most 100 rules"):
        add(acme, "b")
    rules.change_rule(actor=None, rule=rules.rules_of(acme)[0], attribute="b", target="user")
    add(rival, "b")
    assert AttributeRule.objects.filter(organization=acme).count() == 100


@pytest.mark.django_db(transaction=True)
def test_editors_at_once_keep_the_limit_and_the_order(acme: Organization) -> None:
    free, editors = 3, 8
    rows = (
        AttributeRule(organization=acme, attribute=f"a{at}", target="team") for at in range(rules.MOST_RULES - free)
    )
    AttributeRule.objects.bulk_create(rows)
    together = Barrier(editors)

    def edit(number: int) -> None:
        try:
            together.wait()
            with suppress(ValidationError):
                add(acme, f"b{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(editors) as pool:
        list(pool.map(edit, range(editors)))
    added = AttributeRule.objects.filter(attribute__startswith="b").values_list("position", flat=True)
    assert sorted(added) == [1, 2, 3]
    assert AttributeRule.objects.count() == rules.MOST_RULES


@pytest.mark.parametrize(
    ("moved", "steps", "expected"),
    [("a", 1, "bacd"), ("d", -1, "abdc"), ("a", -1, "abcd"), ("d", 1, "abcd"), ("b", 2, "acdb"), ("c", -9, "cabd")],
)
def test_rules_are_moved_within_their_own(
    acme: Organization, rival: Organization, moved: str, steps: int, expected: str
) -> None:
    for name in "abcd":
        add(acme, name)
        add(rival, name)
    rules.move_rule(actor=None, rule=AttributeRule.objects.get(organization=acme, attribute=moved), steps=steps)
    assert (order(acme), order(rival)) == (expected, "abcd")
    add(acme, "e")
    assert order(acme) == expected + "e"
    assert AuditEntry.objects.filter(action="mapping.move").count() == (expected != "abcd")


def test_every_act_is_in_the_audit_log(acme: Organization, admin: User) -> None:
    rule = add(acme, "a", actor=admin)
    add(acme, "b", actor=admin)
    rules.change_rule(actor=admin, rule=rule, attribute="c", target="metadata.k")
    rules.move_rule(actor=admin, rule=rule, steps=1)
    rules.remove_rule(actor=admin, rule=rule)
    rules.remove_rule(actor=admin, rule=rule)  # gone already
    entries = AuditEntry.objects.filter(organization=acme, actor=admin).order_by("pk").values_list("action", "details")
    changed = {"attribute": "c", "field": "metadata.k"}
    assert list(entries) == [
        ("mapping.add", {"attribute": "a", "field": "team"}),
        ("mapping.add", {"attribute": "b", "field": "team"}),
        ("mapping.change", changed | {"before": {"attribute": "a", "field": "team"}}),
        ("mapping.move", changed | {"place": 2}),
        ("mapping.remove", changed),
    ]


def test_what_somebody_else_removed_is_not_made_again(acme: Organization) -> None:
    rule = add(acme, "a")
    AttributeRule.objects.all().delete()
    with pytest.raises(ValidationError, match="meanwhile"):
        rules.change_rule(actor=None, rule=rule, attribute="b", target="team")
    rules.move_rule(actor=None, rule=rule, steps=1)
    assert not AttributeRule.objects.exists()


@pytest.mark.parametrize("who", ["finance", "manager", "viewer", "member", "outsider", "nobody"])
def test_nobody_else_may(acme: Organization, request: pytest.FixtureRequest, who: str) -> None:
    person = request.getfixturevalue(who)
    rule = add(acme, "a")
    add(acme, "b")
    acts: list[Any] = [
        lambda: add(acme, "c", actor=person),
        lambda: rules.change_rule(actor=person, rule=rule, attribute="c", target="team"),
        lambda: rules.move_rule(actor=person, rule=rule, steps=1),
        lambda: rules.remove_rule(actor=person, rule=rule),
    ]
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()
    assert order(acme) == "ab"


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("map_attributes", "--organization", "acme", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_sets_a_portal_up(acme: Organization) -> None:
    assert command() == "There are no rules.\n"
    wanted = ("--add", "x.team", "team", "--add", "x.app", "metadata.app")
    for _ in range(2):
        assert command(*wanted) == "x.team → team\nx.app → metadata.app\n"
    left = json.loads(command("--remove", "x.team", "team", "--remove", "absent", "team", "--json"))
    assert left == [{"attribute": "x.app", "target": "metadata.app"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--add", "x", "team", "--add", "y", "cost"), "Choose one of"),
        (("--add", "x", "team", "--add", "gen_ai.prompt", "user"), "never stored"),
        (("--organization", "absent"), "no organization"),
    ],
)
def test_the_command_changes_all_or_nothing(acme: Organization, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        command(*arguments)
    assert not AttributeRule.objects.exists()
