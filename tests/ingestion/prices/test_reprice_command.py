"""`manage.py reprice`: a table, one JSON object, and sentences for what it refuses."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingestion.models import LLMRequest, RepriceRun
from teams.models import AuditEntry, Organization
from tests import make
from tests.ingestion.prices.repricing import at, costs

pytestmark = pytest.mark.django_db
RANGE = ("--organization", "acme", "--from", "2026-10-01", "--to", "2026-10-31")


def reprice(*words: str) -> str:
    out = StringIO()
    call_command("reprice", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def wrong(acme: Organization) -> Organization:
    """Requests of October without a price, of two teams, and one that is priced already; then the prices."""
    make.price("gpt-5", "input", "1", effective_from=at(1))
    make.price("gpt-5", "output", "1", effective_from=at(1))
    make.request(acme, request_id="a", started_at=at(10), team="Search")
    make.request(acme, request_id="b", started_at=at(10), team="Search")
    make.request(acme, request_id="c", started_at=at(10), model="gpt-5")
    make.request(acme, request_id="d", started_at=at(11))
    make.price("gpt-4o", "input", "2.5")
    make.price("gpt-4o", "output", "10")
    return acme


PREVIEW = """\
2 of 3 requests would change.

Model            requests  changed            before    after  difference
gpt-4o (openai)         2        2           unknown  $0.0070    +$0.0070
gpt-5 (openai)          1        0           $0.0011  $0.0011       $0.00
Total                   3        2  at least $0.0011  $0.0081    +$0.0070

Team        requests  changed            before    after  difference
Search             2        2           unknown  $0.0070    +$0.0070
Unassigned         1        0           $0.0011  $0.0011       $0.00
Total              3        2  at least $0.0011  $0.0081    +$0.0070

unpriced -> computed: 2 requests

Nothing was changed; --apply does it.
"""


def test_the_default_is_a_preview(wrong: Organization) -> None:
    before = costs(wrong)
    assert reprice(*RANGE) == PREVIEW
    assert costs(wrong) == before
    assert not RepriceRun.objects.exists()


def test_applied_once(wrong: Organization) -> None:
    assert reprice(*RANGE, "--apply", "--reason", "contract 17").startswith("2 of 3 requests were changed.\n")
    assert LLMRequest.objects.filter(cost_state="computed").count() == 3
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.details["reason"], entry.details["changed"]) == (None, "contract 17", 2)
    assert reprice(*RANGE, "--apply") == "0 of 3 requests were changed.\n"


def test_as_json(wrong: Organization) -> None:
    line: dict[str, Any] = {
        "requests": 2,
        "changed": 2,
        "usd_before": "0",
        "usd_after": "0.007",
        "usd_difference": "0.007",
    }
    line |= {"unpriced_before": 2, "unpriced_after": 0}
    foreseen = json.loads(reprice(*RANGE, "--team", "Search", "--json"))
    expected: dict[str, Any] = {
        "applied": False,
        **line,
        "states": [{"before": "unpriced", "after": "computed", "requests": 2}],
        "kept": {},
        "models": [{"name": "gpt-4o (openai)"} | line],
        "teams": [{"name": "Search"} | line],
        "closed_months": [],
    }
    assert foreseen == expected
    done = json.loads(reprice(*RANGE, "--team", "Search", "--json", "--apply"))
    run = RepriceRun.objects.get()
    told = {"run": run.pk, "resumed": False, "price_book_version": run.price_book_version}
    assert done == expected | {"applied": True} | told


def test_without_an_end_it_is_today(wrong: Organization) -> None:
    assert "3 of 4 requests" in reprice("--organization", "acme", "--from", "2026-10-01")


@pytest.mark.parametrize(
    "words",
    [
        ("--organization", "nobody", "--from", "2026-10-01"),
        ("--organization", "acme", "--from", "2026-13-01"),
        ("--organization", "acme", "--from", "yesterday"),
        ("--organization", "acme", "--from", "2026-10-02", "--to", "2026-10-01"),
        ("--organization", "acme", "--from", "0001-01-01"),
        ("--organization", "acme", "--from", "2026-10-01", "--to", "9999-12-31"),
        (*RANGE, "--model", "gpt-6"),
        (*RANGE, "--team", "Search' --"),
        (*RANGE, "--virtual-model", "\0"),
    ],
)
@pytest.mark.parametrize("applied", [(), ("--apply",)])
def test_what_cannot_be_selected_is_refused(wrong: Organization, words: Any, applied: Any) -> None:
    before = costs(wrong)
    with pytest.raises(CommandError):
        reprice(*words, *applied)
    assert costs(wrong) == before
    assert not RepriceRun.objects.exists()
