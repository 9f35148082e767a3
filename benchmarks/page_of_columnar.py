"""The part of the page about ClickHouse's engine."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.columnar import EXACT_ROUNDS, ROUNDS, Columnar, Compared
from benchmarks.columnar_sql import KINDS, QUICK, SHOWN, THREADS
from benchmarks.markdown import Bar, table, verdict
from benchmarks.page_of_engine import HOURS, view_words
from benchmarks.pages import RANGES

SHARE_BAR: Final = 0.15  # of the engine's time
DIGEST, SKETCH = QUICK


def share(compared: Compared, kind: str = DIGEST) -> float:
    """Median over the rounds of our time over the engine's in the same round."""
    return median(page / other for page, other in zip(compared.page, compared.engine[kind], strict=True))


def bars_of_columnar(columnar: Columnar | None) -> list[Bar]:
    """One per range: the shorter it is, the fewer rows the engine has to read."""
    if columnar is None:
        return []
    return [_bar([one for one in columnar.compared if one.range == length]) for length in reversed(RANGES)]


def _bar(pages: Sequence[Compared]) -> Bar:
    worst = max(pages, key=share)
    name = f"the points of a page, {HOURS[worst.range]}: at most {SHARE_BAR:.0%} of the time of ClickHouse's engine"
    sketch = max(share(one, SKETCH) for one in pages)
    text = (
        f"{share(worst):.0%} at most ({view_words(worst.view)}), {median(map(share, pages)):.0%} in the middle; "
        f"with DDSketch instead of t-digest {sketch:.0%} at most"
    )
    return name, text, verdict(share(worst) <= SHARE_BAR)


def columnar_section(columnar: Columnar | None) -> list[str]:
    """Page by page."""
    if columnar is None:
        return ["## Beside ClickHouse's engine", "chDB (`requirements-bench.txt`) was not installed."]
    rows = [
        (
            view_words(one.view),
            HOURS[one.range],
            f"{one.points:,}",
            f"{median(one.page):,.0f}",
            *(f"{median(one.engine[kind]):,.0f}" for kind in KINDS),
            *(f"{share(one, kind):.0%}" for kind in QUICK),
        )
        for one in columnar.compared
    ]
    return [
        "## Beside ClickHouse's engine",
        (
            f"The same {columnar.rows:,} requests in chDB {columnar.version} (MergeTree in order of hour and model, "
            f"one part, {columnar.size / 1e6:,.0f} MB, filled in {columnar.seconds:,.0f} s), in the measuring process, "
            f"{THREADS} threads. It answers the points of our page from single requests: the sums and four percentiles "
            f"of four durations in the same buckets for the {SHOWN} largest groups and all others, with the totals, "
            "the table of all groups, the counters of the time before, and failures by type and by status code. "
            f"Milliseconds, medians of {ROUNDS} rounds in turns with our page by HTTP; percentiles by t-digest, by "
            f"DDSketch with a relative error of 1 %, and exact ({EXACT_ROUNDS} round). The shares are our time over "
            "that of the first two; the bar is about the first."
        ),
        table(("View by", "range", "points", "page", "t-digest", "DDSketch", "exact", "share", "of DDSketch"), rows),
    ]
