"""Which columns and histograms a question needs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from analytics.catalog.measures import Kind, Population, Selection
from analytics.query.grid import BILLABLE
from analytics.query.reader import Shape
from analytics.query.timeline import bucket_list
from analytics.query.values import Query

COVERAGE: Final = ("requests", "failed", *BILLABLE, "unpriced_tokens")
"""What every answer tells about itself."""


def needed_for(selections: Iterable[Selection], population: Population) -> tuple[set[str], tuple[str, ...]]:
    """Additive columns and histograms from which the selections are computed."""
    sums: set[str] = {*BILLABLE}
    histograms: dict[str, None] = {}
    for selection in selections:
        measure = selection.measure
        sums |= {name for name in (*measure.over, *measure.under, *measure.known) if name != "seconds"}
        if measure.kind is Kind.DURATION:
            histograms |= dict.fromkeys(measure.samples(population))
        if measure.kind is Kind.DURATION and selection.aggregation == "avg":
            sums |= {f"{name}_sum" for name in measure.samples(population)}
    return sums, tuple(histograms)


def shape_of(query: Query, now: datetime) -> Shape:
    """What to read for a question."""
    sums, histograms = needed_for(query.selections, query.population)
    starts = None if query.interval is None else tuple(one.start for one in bucket_list(query, now, clip=False))
    return Shape(query.group_by, starts, tuple(sorted({*COVERAGE, *sums})), histograms)
