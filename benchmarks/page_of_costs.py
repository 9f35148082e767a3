"""The part of the page about money: what pricing costs at ingest, and how fast stored requests are priced anew."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.clock import nearest_rank
from benchmarks.markdown import table, verdict
from benchmarks.pricing import BATCH, REPETITIONS, Priced
from benchmarks.repricing import ROUNDS, Repriced
from ingestion.repricing.windows import PARTS, WINDOWS

PRICING_BAR: Final = 3.0  # microseconds per record
REPRICE_BAR: Final = 50_000  # requests per second
_TRANSACTION: Final = WINDOWS["postgresql"] // PARTS["postgresql"]


def bars_of_costs(priced: Sequence[Priced], repriced: Repriced) -> list[tuple[str, str, str]]:
    """What must hold, what was measured, and whether it holds."""
    slowest = max(median(one.added) for one in priced)
    rate, again = median(repriced.repriced), repriced.changed_again
    return [
        (
            f"pricing adds at most {PRICING_BAR:.0f} microseconds to a record, with any of the price books",
            f"{slowest:.2f} microseconds",
            verdict(slowest <= PRICING_BAR),
        ),
        (
            f"repricing, every request changes: at least {REPRICE_BAR:,}/s",
            f"{rate:,.0f}/s",
            verdict(rate >= REPRICE_BAR),
        ),
        ("a second repricing changes no request", f"{again:,} changed", verdict(again == 0)),
    ]


def pricing_section(priced: Sequence[Priced]) -> list[str]:
    """Per price book, how much of the making of a row is its price."""
    rows = [
        (
            one.name,
            f"{one.entries:,}",
            f"{median(one.added):.2f}",
            f"{nearest_rank(one.added, 5):.2f} to {nearest_rank(one.added, 95):.2f}",
            f"{median(one.split):.2f}",
            f"{median(one.whole):.2f}",
            f"{one.loading * 1000:,.0f} ms",
            f"{one.cold * 1000:,.0f} ms",
        )
        for one in priced
    ]
    return [
        "## Pricing",
        (
            "Microseconds of processor time that pricing adds to the row of a record (`pipeline.rows`): batches of "
            f"{BATCH:,} with the price book, minus the same with a constant instead of split and price, in turns, "
            f"{REPETITIONS} repetitions over {priced[0].records:,} generated records; the median, and what nine of ten "
            "pairs lie between. Beside it the whole row, what reading the book takes once after a change, and what "
            "the first records after that take longer."
        ),
        table(
            (
                "price book",
                "entries",
                "added",
                "5% to 95%",
                "of it the split",
                "whole row",
                "reading",
                "first look-ups",
            ),
            rows,
        ),
    ]


def repricing_section(repriced: Repriced) -> list[str]:
    """Round by round, beside the baseline."""
    columns = (repriced.updated, repriced.repriced, repriced.again)
    rows = [
        (str(number), *(f"{one:,.0f}" for one in figures))
        for number, figures in enumerate(zip(*columns, strict=True), 1)
    ]
    share = median(one / update for one, update in zip(repriced.repriced, repriced.updated, strict=True))
    return [
        "## Repricing",
        (
            f"Requests per second, {ROUNDS} rounds over {repriced.requests:,} stored requests, which are all that can "
            "cost something. First the baseline, one plain UPDATE that adds a picodollar to each cost and so makes it "
            f"wrong; then `reprice --apply`, which makes every one right again in transactions of {_TRANSACTION:,}; "
            "then the same once more, which changes nothing. Before the first two the table is written anew in the "
            "order of time (`CLUSTER`), as requests arrive. Afterwards the costs add up to those of before."
        ),
        table(("round", "UPDATE", "reprice", "reprice again"), rows),
        f"Repricing runs at **{share:.0%}** of the speed of the plain UPDATE, which reads, prices and logs nothing.",
    ]
