"""A leap year of small traffic with everything that makes a cost, and files of it read back."""

import csv
import io
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from analytics.exports import formats
from analytics.exports.focus.question import FocusQuestion
from analytics.exports.focus.source import FocusSource
from analytics.exports.source import opened
from ingestion import services as ingestion
from ingestion.models import CostPolicy
from ingestion.records import RequestRecord
from metricsportal.lib.money import to_picodollars
from teams.access import Scope, scope_of_organization
from teams.models import Organization, Team
from tests import make

FIRST: Final = date(2024, 1, 1)
LAST: Final = date(2024, 12, 31)
NOW: Final = datetime(2025, 1, 20, 12, tzinfo=UTC)
HOSTILE: Final = '=HYPERLINK("x"),\tSearch'
Rows = list[dict[str, Any]]
_BORDERS: Final = (
    *(datetime(2024, 2, 28, 23, 59, 59, 999_999, UTC), datetime(2024, 2, 29, tzinfo=UTC)),
    *(datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC), datetime(2024, 3, 1, tzinfo=UTC)),
    *(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, 23, 59, 59, 999_999, UTC)),
)
SUMMER: Final = (date(2024, 7, 1), date(2024, 8, 31))
"""With a day of a quarter of all requests: many share a row."""
_BUSY: Final = datetime(2024, 8, 8, tzinfo=UTC)
CHANGE: Final = datetime(2024, 7, 10, 13, 30, tzinfo=UTC)
"""When gpt-4o becomes cheaper, in the middle of a day with traffic."""
_MODELS: Final = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("google", "gemini-2.5-pro"),
    ("aws", "anthropic.claude-sonnet-4-5"),
    ("acme", "free-model"),
    ("acme", "nobody/priced-this"),
)


def company(slug: str = "acme", *, name: str = "Acme", zone: str = "UTC") -> Organization:
    """An organization with teams, one of a hostile name."""
    organization = make.organization(slug, name=name, zone=zone)
    for team in ("Search", HOSTILE):
        make.team(organization, team)
    return organization


def prices() -> None:
    """What everybody pays from the beginning: whole and odd prices, tiers, units, fees, a free model."""
    for model, token_class, usd, more in (
        ("gpt-4o", "input", "2.5", {}),
        ("gpt-4o", "cache_read", "1.25", {}),
        ("gpt-4o", "output", "10", {}),
        ("gpt-4o", "unit:web_search", "0.01", {}),
        ("gpt-4o-mini", "input", "0.150001", {}),
        ("gpt-4o-mini", "output", "0.6", {}),
        ("gpt-4o-mini", "reasoning", "0.7", {}),
        ("gpt-4o-mini", "request", "0.000000000007", {}),
        ("gpt-4o-mini", "output", "0.3", {"service_tier": "batch"}),
        ("gemini-2.5-pro", "input", "1.25", {}),
        ("gemini-2.5-pro", "output", "10", {}),
        ("gemini-2.5-pro", "input", "2.5", {"context_above": 200_000}),
        ("gemini-2.5-pro", "output", "15", {"context_above": 200_000}),
        ("anthropic.claude-sonnet-4-5", "input", "3", {}),
        ("anthropic.claude-sonnet-4-5", "cache_write", "3.75", {}),
        ("anthropic.claude-sonnet-4-5", "output", "15", {}),
        ("free-model", "input", "0", {}),
        ("free-model", "output", "0", {}),
    ):
        make.price(model, token_class, usd, **more)


def fill(organization: Organization, *, seed: int = 1, requests: int = 500) -> None:
    """The year, in two deliveries: between them prices, discounts and markups are agreed."""
    rng = random.Random(seed)
    moments = [*_BORDERS, *(CHANGE + timedelta(seconds=one) for one in (-7_000, -1, 0, 9_000))]
    spread = requests * 3 // 4
    for first, days, number in ((datetime(2024, 1, 1, tzinfo=UTC), 366, spread), (_BUSY, 1, requests - spread)):
        moments += [first + timedelta(seconds=rng.randrange(days * 86_400)) for _ in range(number)]
    records = [_record(rng, number, moment) for number, moment in enumerate(sorted(moments))]
    half = len(records) // 2
    _send(organization, records[:half])
    make.price("gpt-4o", "input", "2", organization=organization, effective_from=CHANGE)
    make.adjustment(
        organization, "discount", "33.333", provider="openai", effective_from=datetime(2024, 5, 1, tzinfo=UTC)
    )
    make.adjustment(organization, "markup", "12.5", team=Team.objects.get(organization=organization, name="Search"))
    CostPolicy.objects.create(
        organization=organization,
        policy="computed_first",
        adjust_reported=True,
        effective_from=datetime(2024, 9, 1, tzinfo=UTC),
    )
    _send(organization, records[half:])


def _send(organization: Organization, records: list[RequestRecord]) -> None:
    outcome = ingestion.ingest_records(
        organization=organization, records=records, source="test", now=NOW, past_days=None
    )
    assert outcome.accepted == len(records), outcome


def _record(rng: random.Random, number: int, moment: datetime) -> RequestRecord:
    provider, model = _MODELS[number % len(_MODELS)]
    into, out = rng.randrange(1, 3_000), rng.randrange(1, 900)
    if model.startswith("gemini") and rng.random() < 0.4:
        into += 200_000
    fields: dict[str, Any] = {
        "request_id": f"r{number}",
        "started_at": moment,
        "provider": provider,
        "model": model,
        "virtual_model": rng.choice(("our-best", None)),
        "team": rng.choice(("Search", HOSTILE, None)),
        "virtual_account": rng.choice(("bot", "web", None)),
        "service_tier": rng.choice((None, "batch")),
        "metadata": rng.choice(({}, {"environment": "prod"}, {"environment": "test"})),
        "input_tokens": into,
        "output_tokens": out,
        "cache_read_tokens": rng.choice((None, into // 3)),
        "cache_write_tokens": rng.choice((None, into // 5)),
        "reasoning_tokens": rng.choice((None, out // 2)),
    }
    fields |= rng.choice(_ODDITIES) if rng.random() < 0.5 else {}
    return make.record(**fields)


_ODDITIES: Final[tuple[dict[str, Any], ...]] = (
    {
        "status_code": 429,
        "input_tokens": None,
        "output_tokens": None,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
    },
    {"status_code": 500},
    {"metadata": {"gateway_cache": "hit"}},
    {"units": {"web_search": 3}},
    {"cache_read_tokens": 5_000},
    {"output_tokens": None, "reasoning_tokens": None, "reported_cost_usd": Decimal("0.00123456789")},
    {"output_tokens": None, "reasoning_tokens": None},
    {"model": "paid/elsewhere", "reported_cost_usd": Decimal("0.004")},
    {
        "model": "paid/elsewhere",
        "reported_cost_usd": Decimal("0.002"),
        "input_tokens": None,
        "output_tokens": None,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
    },
)


def question(first: date = FIRST, last: date = LAST, **more: Any) -> FocusQuestion:
    return FocusQuestion(first, last, **more)


def written(scope: Scope | Organization, asked: FocusQuestion, form: str = "csv", now: datetime = NOW) -> bytes:
    """The bytes of a file."""
    whose = scope_of_organization(scope) if isinstance(scope, Organization) else scope
    return b"".join(formats.pieces(opened(FocusSource(whose, asked, now)), form))


def rows(scope: Scope | Organization, asked: FocusQuestion | None = None, now: datetime = NOW) -> Rows:
    """The rows of a CSV file; an empty cell without quotes is None."""
    return list(parsed(written(scope, asked or question(), now=now)))


def parsed(content: bytes) -> Iterator[dict[str, Any]]:
    for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
        yield {name: value or None for name, value in row.items()}


def json_rows(content: bytes) -> Rows:
    return [json.loads(line) for line in content.splitlines()]


def pico(text: str | None) -> int:
    return to_picodollars(Decimal(text or "0"))
