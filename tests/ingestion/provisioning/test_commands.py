"""The same acts by commands: said first, done when asked, refused with a sentence."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from ingestion.models import LLMModel, LLMRequest
from ingestion.provisioning.kinds import CALLER, TEAM
from teams.models import AuditEntry, Organization, Team, VirtualAccount
from teams.services.importing import import_people
from tests import make
from tests.chargeback.scene import day, spend
from tests.ingestion.provisioning.scene import agree, by_name

pytestmark = pytest.mark.django_db


def say(name: str, *words: str) -> str:
    out = StringIO()
    call_command(name, *words, "--organization", "acme", stdout=out)
    return out.getvalue()


def test_merging_is_said_first(acme: Organization) -> None:
    for user in ("old", "old", "new"):
        spend(acme, day(11), "2", user=user)
    words = say("merge_name", "caller", "old", "new")
    assert words == "2026-11: 2 requests, $4.00\nNothing was changed yet. Run it with --apply.\n"
    assert by_name(CALLER, acme) == {"old": 2, "new": 1}
    assert say("merge_name", "caller", "old", "new", "--apply").endswith("old counts as new from now on.\n")
    assert by_name(CALLER, acme) == {"new": 3}
    assert {entry.actor for entry in AuditEntry.objects.all()} == {None}
    agree(acme)


def test_registered_renamed_and_moved(acme: Organization, search: Team) -> None:
    say("register_name", "virtual_account", "bot", "--team", "Search")
    say("register_name", "model", "gpt-9", "--provider", "openai")
    say("register_name", "virtual_model", "chat")
    say("rename_name", "team", "Search", "Find")
    say("rename_name", "virtual_account", "bot", "robot")
    assert spend(acme, day(11), virtual_account="bot", team="Search").team == search
    assert say("move_name", "virtual_account", "bot", "--no-team").startswith("1 moved to no team.")
    assert VirtualAccount.objects.get(name="robot").team is None
    assert say("move_name", "virtual_account", "robot", "--team", "Search").startswith("1 moved to Find.")
    assert LLMModel.objects.filter(provider="openai", name="gpt-9").count() == 1
    assert by_name(TEAM, acme) == {"Find": 1}


def test_what_is_registered_takes_no_place_of_new_names(acme: Organization, settings: Settings) -> None:
    settings.INGEST_NEW_VALUES_PER_HOUR = 1
    now = timezone.now()
    for name in ("one", "two"):
        say("register_name", "model", name)
    names = [make.request(acme, now=now, started_at=now, model=name, provider=None).model for name in ("new", "newer")]
    assert [model and model.name for model in names] == ["new", "(other)"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("merge_name team Search Search", "into itself"),
        ("merge_name team Search Nobody", "no team 'Nobody'"),
        ("merge_name caller ann Rival", "no caller 'ann'"),
        ("merge_name team Search Ads --apply", "still has members"),
        ("rename_name team Search Ads", "of this name already"),
        ("rename_name team Search (OTHER)", "Reports use this name"),
        ("rename_name caller ann bob", "no caller 'ann'"),
        ("move_name caller ann --team Search", "no caller 'ann'"),
        ("move_name virtual_account bot --team Rival", "no team 'Rival'"),
        ("register_name virtual_account bot", "of this name already"),
        ("register_name model m --team Search", "--team is for virtual accounts"),
        ("register_name virtual_model m --provider p", "--provider is for models"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    acme: Organization, rival: Organization, search: Team, ads: Team, words: str, says: str
) -> None:
    make.team_member(search)
    make.team(rival, "Rival")
    make.virtual_account(acme, "bot")
    before = (list(Team.objects.values()), list(VirtualAccount.objects.values()), LLMModel.objects.count())
    with pytest.raises(CommandError, match=says):
        say(*words.split())
    assert (list(Team.objects.values()), list(VirtualAccount.objects.values()), LLMModel.objects.count()) == before
    assert not LLMRequest.objects.exists()


def test_the_import_of_people_takes_virtual_accounts(acme: Organization, search: Team) -> None:
    make.virtual_account(acme, "bot")
    text = "virtual_account,team\nbot,Search\nnew bot,Labs\nbot,\n"
    for apply in (False, True):
        outcome = import_people(actor=None, organization=acme, text=text, apply=apply, now=make.NOW)
        assert [one.words for one in outcome.done] == [
            "moves bot to Search",
            "makes the team Labs; registers new bot for Labs",
            "changes nothing",
        ]
    accounts = VirtualAccount.objects.order_by("name").values_list("name", "team__name")
    assert list(accounts) == [("bot", "Search"), ("new bot", "Labs")]
    both = "email,virtual_account\na@b.example,bot\n"
    refused = import_people(actor=None, organization=acme, text=both, apply=True, now=make.NOW)
    assert [one.words for one in refused.problems] == ["A line is about a person or about a virtual account, not both."]
