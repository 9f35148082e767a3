"""The command `import_prices`, and what it leaves in the price book."""

import importlib.util
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingestion.management.commands.import_prices import SHOWN
from ingestion.models import PriceEntry
from teams.models import AuditEntry, Organization
from tests import make

pytestmark = pytest.mark.django_db
SINCE = "2026-11-01"
Prices = dict[str, tuple[str, str]]
Run = Callable[..., dict[str, Any]]


def litellm(**models: tuple[str, str] | None) -> str:
    """A price file: input and output price per token of each model."""
    fields = ("input_cost_per_token", "output_cost_per_token")
    inner = {
        name.replace("_", "-"): {"litellm_provider": "openai"} | dict(zip(fields, usd, strict=True))
        for name, usd in models.items()
        if usd
    }
    return json.dumps(inner)


ONE = litellm(gpt_4o=("0.0000025", "0.00001"), o3=("0.000002", "0.000008"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prices"


@pytest.fixture
def run(path: Path) -> Run:
    """Import that text and return the printed difference."""

    def run_(text: str, *options: str, since: str = SINCE) -> dict[str, Any]:
        path.write_text(text)
        return json.loads(printed(path, "--json", "--effective-from", since, *options))  # type: ignore[no-any-return]

    return run_


def printed(path: Path | str, *options: str) -> str:
    out = io.StringIO()
    call_command("import_prices", str(path), *options, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def entries(**filters: Any) -> list[tuple[Any, ...]]:
    """Every entry in order of creation: whom, source's name, model, class, price, day."""
    return [
        (
            entry.organization and entry.organization.slug,
            entry.source.partition("@")[0],
            entry.model_match,
            entry.token_class,
            None if entry.price is None else f"{entry.price.normalize():f}",
            f"{entry.effective_from:%m-%d}",
        )
        for entry in PriceEntry.objects.filter(**filters).order_by("id").select_related("organization")
    ]


def test_nothing_is_written_unless_told(run: Run) -> None:
    found = run(ONE)
    assert (found["counts"]["new"], found["appended"]) == (4, 0)
    assert found["new"][0] == {
        "provider": "openai",
        "match_kind": "exact",
        "model_match": "gpt-4o",
        "token_class": "input",
        "service_tier": "standard",
        "context_above": 0,
        "effective_from": "2026-11-01T00:00:00+00:00",
        "old": None,
        "new": "2.5",
    }
    assert not PriceEntry.objects.exists()


def test_a_first_and_a_later_edition(run: Run) -> None:
    c = (None, "catalogue:litellm")
    assert run(ONE, "--apply")["appended"] == 4
    first = [
        (*c, "gpt-4o", "input", "2.5", "11-01"),
        (*c, "gpt-4o", "output", "10", "11-01"),
        (*c, "o3", "input", "2", "11-01"),
        (*c, "o3", "output", "8", "11-01"),
    ]
    assert entries() == first
    later = litellm(gpt_4o=("0.0000025", "0.000009"), gpt_5=("0.00000125", "0.00001"))
    found = run(later, "--apply", since="2026-11-20")
    assert found["counts"] == {"new": 2, "changed": 1, "gone": 2, "unchanged": 1, "skipped": 0}
    assert [(one["old"], one["new"]) for one in found["changed"]] == [("10", "9")]
    assert entries() == [
        *first,
        (*c, "gpt-4o", "output", "9", "11-20"),
        (*c, "gpt-5", "input", "1.25", "11-20"),
        (*c, "gpt-5", "output", "10", "11-20"),
        (*c, "o3", "input", None, "11-20"),
        (*c, "o3", "output", None, "11-20"),
    ]
    assert PriceEntry.objects.values("source").distinct().order_by().count() == 2  # one per edition


@pytest.mark.parametrize("since", [SINCE, "2026-11-09", "2026-12-31"])
def test_the_same_file_again_appends_nothing(run: Run, since: str) -> None:
    run(ONE, "--apply")
    found = run(ONE, "--apply", since=since)
    assert (found["appended"], found["counts"]["unchanged"]) == (0, 4)
    assert PriceEntry.objects.count() == 4


def test_entries_by_hand_and_of_other_catalogues_are_never_compared_with(run: Run) -> None:
    make.price("o3", "input", "7", provider="openai")
    make.price("gone", "input", "7", provider="openai")
    make.price("gone", "input", "7", source="catalogue:litellm2@1")
    make.price("gone", "input", "7", source="catalogue:litellmX@1")
    make.price("gone", "input", "7", source="demo")
    found = run(ONE, "--apply")
    assert found["counts"] == {"new": 4, "changed": 0, "gone": 0, "unchanged": 0, "skipped": 0}
    assert run(ONE, "--name", "litellm2")["counts"]["gone"] == 1


def test_one_organization_has_its_own_edition(run: Run, acme: Organization, rival: Organization) -> None:
    run(ONE, "--apply")
    found = run(litellm(o3=("0.000001", "0.000008")), "--organization", "acme", "--apply")
    assert (found["organization"], found["counts"]["new"], found["counts"]["gone"]) == ("acme", 2, 0)
    assert [entry[0] for entry in entries(organization=acme)] == ["acme", "acme"]
    audited = AuditEntry.objects.get()
    assert (audited.organization, audited.action, audited.actor) == (acme, "priceentry.import", None)
    assert audited.details["new"] == 2
    assert run(ONE, "--organization", "rival")["counts"]["new"] == 4


def test_what_is_imported_prices_requests_from_that_day_on(run: Run, acme: Organization) -> None:
    run(ONE, "--apply")
    before, after = datetime(2026, 10, 31, 23, 59, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    assert make.request(acme, started_at=before).cost_state == "unpriced"
    priced = make.request(acme, started_at=after)
    assert (priced.cost_state, priced.cost) == ("computed", 1_000 * 2_500_000 + 100 * 10_000_000)
    make.price("gpt-4o", "output", "20")
    assert make.request(acme, started_at=after).cost == 1_000 * 2_500_000 + 100 * 20_000_000


def test_what_one_catalogue_drops_another_still_prices(run: Run, acme: Organization) -> None:
    run("provider,model,token_class,price\nopenai,gpt-4o,input,3\nopenai,gpt-4o,output,30\n", "--apply")
    run(ONE, "--apply", since="2026-11-02")
    run(litellm(o3=("0.000002", "0.000008")), "--apply", since="2026-11-03")
    assert make.request(acme, output_tokens=0).cost == 1_000 * 3_000_000


@pytest.mark.django_db(transaction=True)
def test_the_next_request_has_the_new_price(run: Run, acme: Organization) -> None:
    make.price("gpt-4o", "input", "9", source="demo")
    assert make.request(acme, output_tokens=0).cost == 1_000 * 9_000_000
    run(ONE, "--apply")
    assert make.request(acme, output_tokens=0).cost == 1_000 * 2_500_000


@pytest.mark.parametrize(("answer", "count"), [("y\n", 4), ("yes\n", 4), ("n\n", 0), ("\n", 0), ("", 0)])
def test_the_question_is_answered_first(path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, count: int) -> None:
    path.write_text(ONE)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    text = printed(path, "--confirm")
    assert PriceEntry.objects.count() == count
    assert text.splitlines()[-1].startswith("4 entries appended" if count else "Nothing was written")


def test_people_see_the_difference(run: Run, path: Path) -> None:
    run(ONE, "--apply")
    path.write_text(litellm(gpt_4o=("0.0000025", "0.000009"), bad=("-1", "0.1")))
    text = printed(path, "--effective-from", "2026-11-20T12:30+01:00")
    source = text.split()[0]
    assert text.splitlines() == [
        f"{source} for every organization, from 2026-11-20 11:30:00 UTC",
        "Changed: 1",
        "  openai gpt-4o [exact] output: 10 -> 9 from 2026-11-20 11:30",
        "Gone: no price from then on: 2",
        "  openai o3 [exact] input: 2 -> no price from 2026-11-20 11:30",
        "  openai o3 [exact] output: 8 -> no price from 2026-11-20 11:30",
        "Skipped: 2",
        "  bad: input is negative",
        "  bad: output is absurd: more than 10,000 USD per 1M tokens",
        "Unchanged: 1",
        "Nothing was written. With --apply 3 entries are appended.",
    ]
    path.write_text(ONE)
    assert printed(path).splitlines()[-2:] == ["Unchanged: 4", "Nothing to append."]


def test_long_lists_say_how_much_more_there_is(path: Path) -> None:
    path.write_text(litellm(**{f"m{number}": ("0.000001", "0.000001") for number in range(30)}))
    assert f"  … and {60 - SHOWN} more; --all shows them, --json holds them" in printed(path).splitlines()
    assert printed(path, "--all").count("[exact]") == 60


def test_large_catalogues_are_appended_whole_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(litellm(**{f"m{number}": ("0.000001", "0.000002") for number in range(2_500)}))
    real = PriceEntry.objects.bulk_create

    def interrupted(objects: Any, **options: Any) -> None:
        real(list(objects)[:3_000], **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(
            type(PriceEntry.objects), "bulk_create", lambda _self, *given, **more: interrupted(*given, **more)
        )
        with pytest.raises(KeyboardInterrupt):
            printed(path, "--apply")
    assert not PriceEntry.objects.exists()
    printed(path, "--apply")
    assert PriceEntry.objects.count() == 5_000
    assert set(PriceEntry.objects.values_list("price", flat=True)) == {Decimal(1), Decimal(2)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--organization", "nobody"], "There is no organization “nobody”. There are: acme."),
        (["--name", "No Name"], "name"),
        (["--effective-from", "soon"], "“soon” is not a day or a time"),
        (["--format", "csv"], "names the columns"),
        (["--apply", "--confirm"], "not allowed with"),
    ],
)
def test_mistakes_are_sentences(acme: Organization, path: Path, options: list[str], message: str) -> None:
    path.write_text(ONE)
    with pytest.raises(CommandError, match=message):
        printed(path, *options)


def test_sources_that_cannot_be_read_are_sentences(path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        printed(path)
    if importlib.util.find_spec("genai_prices") is None:
        with pytest.raises(CommandError, match="genai-prices is not installed"):
            printed("genai-prices")
