"""The removal of old requests in docs/benchmarks.md."""

from typing import Final

from benchmarks.clock import nearest_rank
from benchmarks.markdown import Bar, table, verdict
from benchmarks.purge import BATCH, EVERY, Purged

RATIO_BAR: Final = 2.0
_SHOWN: Final = (50, 90, 99)


def bars_of_purge(purged: Purged) -> list[Bar]:
    """Ingest beside a removal."""
    ratio = purged.ratio(99)
    return [
        (
            f"sending while {purged.removed:,} requests are removed: p99 below {RATIO_BAR:.0f} times that without",
            f"{ratio:.2f} times",
            verdict(ratio < RATIO_BAR),
        )
    ]


def purge_section(purged: Purged) -> list[str]:
    """How long a batch takes with and without."""
    rows = [
        (name, f"{len(taken):,}", *(f"{nearest_rank(taken, one) * 1000:,.1f}" for one in _SHOWN))
        for name, taken in (("alone", purged.alone), ("beside a removal", purged.beside))
    ]
    return [
        "## Removing old requests",
        (
            f"Milliseconds of a batch of {BATCH} records over HTTP, one every {EVERY * 1000:.0f} ms, alone and while "
            f"`manage.py purge` removes old requests beside it ({purged.removed:,} in {len(purged.rates)} rounds, "
            f"{min(purged.rates):,.0f} to {max(purged.rates):,.0f} a second)."
        ),
        table(("", "batches", *(f"p{one}" for one in _SHOWN)), rows),
    ]
