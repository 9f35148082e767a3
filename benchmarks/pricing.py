"""What pricing adds to a record at ingest: rows with the price book beside rows whose price is a constant."""

import gc
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from statistics import median
from typing import Final
from unittest import mock

from django.core.management import call_command
from django.utils import timezone

from benchmarks.clock import Stopwatch, say
from ingestion import names, pipeline
from ingestion.models import PriceAdjustment, PriceEntry
from ingestion.models.prices import MatchKind
from ingestion.pricing.catalogues.base import UnreadableError
from ingestion.pricing.catalogues.genai_prices import NAME, read
from ingestion.pricing.loading import price_book
from ingestion.pricing.settling import Settled, gateway_cache_hit
from ingestion.traffic import Calendar, generate
from ingestion.validation import Window
from metricsportal.lib.localtime import zone
from teams.models import Organization, Team

REPETITIONS: Final = 15
BATCH: Final = 1_000
"""Records between two turns: what slows the machine for a while slows both sides of a pair."""
RECORDS: Final = 20_000
"""At most so many records, priced again and again."""
MADE_UP: Final = 2_400
"""Models of the catalogue where the optional package is not installed: about as many as it has."""
_SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_MICRO: Final = 1e6
_FREE: Final = gateway_cache_hit()


@dataclass(slots=True)
class Priced:
    """Processor time of a book in microseconds per record, pair by pair.

    `added` is by split and price, `split` what of it is by the split of the tokens alone, which tells contradictory
    counts too. `loading`: seconds to read the book. `cold`: seconds that the first records take longer than later ones.
    """

    name: str
    entries: int
    records: int
    loading: float
    cold: float = 0.0
    whole: list[float] = field(default_factory=list)
    added: list[float] = field(default_factory=list)
    split: list[float] = field(default_factory=list)


def measure(organization: Organization, calendar: Calendar) -> list[Priced]:
    """Each of BOOKS in its order; what one adds to the price book is there for those behind it."""
    now = timezone.now()
    window = Window.around(now, past_days=None, future_minutes=5)
    drafts, rejected = pipeline.draft(enumerate(islice(generate(calendar), RECORDS)), window)
    if rejected:
        raise RuntimeError(f"records were refused: {rejected[:3]}")
    found = []
    for name, fill in BOOKS:
        say(f"pricing with {name}")
        fill(organization)
        found.append(_of_book(name, organization, drafts, now))
    return found


def _of_book(name: str, organization: Organization, drafts: Sequence[pipeline.Draft], now: datetime) -> Priced:
    """The same drafts with and without prices, alternately."""
    watch, known = Stopwatch(), names.intern(organization.pk, drafts, now)
    with watch.running():
        book = price_book(organization.pk)
    context = pipeline.Context(organization.pk, zone(organization.zone), now, known, book)
    batches = [drafts[start : start + BATCH] for start in range(0, len(drafts), BATCH)]
    cold = sum(_seconds(batch, context) for batch in batches)
    measured = Priced(name, PriceEntry.objects.count(), len(drafts), watch.seconds)
    for _ in range(REPETITIONS):
        gc.collect()
        for batch in batches:
            scale = _MICRO / len(batch)
            _seconds(batch, context)  # at ingest the records have just been made: they are in the processor's cache
            whole = _seconds(batch, context) * scale
            with mock.patch.object(pipeline, "price", _price_nothing):
                unpriced = _seconds(batch, context) * scale
                with mock.patch.object(pipeline, "split", _split_nothing):
                    without = _seconds(batch, context) * scale
            measured.whole.append(whole)
            measured.added.append(whole - without)
            measured.split.append(unpriced - without)
    measured.cold = max(0.0, cold - median(measured.whole) * len(drafts) / _MICRO)
    return measured


def _seconds(drafts: Sequence[pipeline.Draft], context: pipeline.Context) -> float:
    """Processor time, which neighbours on the machine lengthen less than the clock's; the rows are dropped."""
    started = time.process_time()
    rows, rejected = pipeline.rows(drafts, context)
    seconds = time.process_time() - started
    if rejected or not rows:
        raise RuntimeError(f"records were refused: {rejected[:3]}")
    return seconds


def _split_nothing(*_: object, **__: object) -> tuple[None, bool]:
    return None, False


def _price_nothing(*_: object, **__: object) -> Settled:
    """The same for every record."""
    return _FREE


def _catalogue(organization: Organization) -> None:
    """Prices of everybody beside those of the organization: the optional package, else as many made-up entries."""
    try:
        read()
    except UnreadableError:
        PriceEntry.objects.bulk_create(_made_up(), batch_size=2_000)
    else:
        call_command("import_prices", NAME, apply=True, json=True, stdout=io.StringIO())


def _made_up() -> Iterator[PriceEntry]:
    """Of the size and kinds of the package's data; half of the models have the names of the traffic in them."""
    for number in range(MADE_UP):
        kind = (MatchKind.EXACT, MatchKind.PREFIX, MatchKind.GLOB, MatchKind.PREFIX)[number % 4]
        model = f"{('gpt-5', 'made-up')[number % 2]}-{number}"
        for place, token_class in enumerate(("input", "output", "cache_read", "cache_write")):
            yield PriceEntry(
                source="catalogue:made-up@1",
                provider=("openai", "azure", "anthropic")[number % 3],
                model_match=f"*{model}*" if kind == MatchKind.GLOB else model,
                match_kind=kind,
                token_class=token_class,
                price=Decimal(place + 1),
                effective_from=_SINCE,
            )


def _terms(organization: Organization) -> None:
    """A discount, a markup of a team, and prices of one team alone for every model."""
    team = Team.objects.filter(organization=organization).order_by("pk")[0]
    rows = (("discount", None, "5"), ("markup", team, "10"))
    for kind, whose, percent in rows:
        PriceAdjustment.objects.create(
            organization=organization, kind=kind, team=whose, percent=Decimal(percent), effective_from=_SINCE
        )
    for token_class in ("input", "output"):
        PriceEntry.objects.create(
            organization=organization,
            team=team,
            model_match="*",
            match_kind=MatchKind.GLOB,
            token_class=token_class,
            price=Decimal(2),
            effective_from=timezone.now() - timedelta(days=15),
        )


BOOKS: Final[Sequence[tuple[str, Callable[[Organization], None]]]] = (
    ("a catalogue", _catalogue),
    ("a catalogue, discount, markup and override", _terms),
)
"""Price books by name, with what makes each of them out of the one before."""
