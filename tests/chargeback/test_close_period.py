"""`manage.py close_period`."""

from collections.abc import Iterator

import pytest
import time_machine
from django.core.management import CommandError, call_command

from teams.models import Organization, Team
from tests.chargeback.scene import day, frozen, mails, spend, subscribe
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def run(capsys: pytest.CaptureFixture[str], month: str, organization: str = "acme") -> str:
    """What the command prints."""
    call_command("close_period", "--organization", organization, "--month", month)
    return capsys.readouterr().out


def test_it_closes_and_says_so_and_the_second_time_changes_nothing(
    acme: Organization, search: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(acme, day(10), "3", team="Search")
    spend(acme, day(10), "5")
    subscribe(search, "ann@acme.example")
    says = "October 2026 of Acme Works is closed with 2 statements.\n"
    assert run(capsys, "2026-10") == says
    before = frozen()
    spend(acme, day(10), "7", team="Ads")
    assert run(capsys, "2026-10") == says
    assert frozen() == before
    assert mails() == [("ann@acme.example", "pending", 0)]


def test_one_and_none_are_counted_in_words(acme: Organization, capsys: pytest.CaptureFixture[str]) -> None:
    spend(acme, day(10), "3", team="Search")
    assert run(capsys, "2026-10") == "October 2026 of Acme Works is closed with 1 statement.\n"
    assert run(capsys, "2026-08") == "August 2026 of Acme Works is closed with 0 statements.\n"


@pytest.mark.parametrize(
    ("organization", "month", "says"),
    [
        ("nobody", "2026-10", "There is no organization 'nobody'."),
        ("acme", "October", "“October” is not a month such as 2026-10."),
        ("acme", "2026-13", "“2026-13” is not a month such as 2026-10."),
        ("acme", "2026-11", "November 2026 is still running: it ends with 30 November in Europe/Berlin."),
        ("acme", "2026-12", "December 2026 has not begun yet in Europe/Berlin."),
    ],
)
def test_what_it_refuses(
    acme: Organization, capsys: pytest.CaptureFixture[str], organization: str, month: str, says: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        run(capsys, month, organization)
    assert str(refusal.value) == says
    assert frozen() == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [[], ["--month", "2026-10"], ["--organization", "acme"]])
def test_both_arguments_are_needed(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="the following arguments are required"):
        call_command("close_period", *arguments)
