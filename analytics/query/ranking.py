"""Which groups of an answer are shown, in what order, and where every entry is counted."""

from collections.abc import Sequence

import numpy as np

from analytics.catalog.columns import Ints
from analytics.catalog.measures import Selection, select
from analytics.query.grid import Wanted, fold, values
from analytics.query.labels import OTHER, Labels
from analytics.query.reader import Read
from analytics.query.shapes import needed_for
from analytics.query.values import LabelKind, Query

_REQUESTS = select("requests")


def rest(query: Query) -> Labels:
    """The labels of what is not shown."""
    return (OTHER,) * len(query.group_by)


def is_rest(distinct: set[Labels]) -> bool:
    """Whether any of the labels stands for what is not shown."""
    return any(label.kind is LabelKind.OTHER for labels in distinct for label in labels)


def group_numbers(labels: Sequence[Labels], groups: Sequence[Labels]) -> Ints:
    """The group of each label: its own, else the rest if shown, else -1."""
    position = {one: number for number, one in enumerate(groups)}
    last = len(groups) - 1
    beyond = last if groups and groups[last] and groups[last][0].kind is LabelKind.OTHER else -1
    return np.array([position.get(one, beyond) for one in labels], dtype=np.int64)


def order_of(query: Query) -> Selection:
    """What groups are ranked by: as asked, else the first measure, else requests."""
    return query.order_by or (query.selections[0] if query.selections else _REQUESTS)


def ranked(query: Query, read: Read, labels: Sequence[Labels], places: Ints) -> list[Labels]:
    """All groups, by the order's value over the whole range, ties by label; no value comes last."""
    if not labels:
        return []
    order = order_of(query)
    sums, histograms = needed_for([order], query.population)
    grid = fold(read, places, Wanted(len(labels), None, sorted(sums), histograms))
    totals = [row[0][0] for row in values([order], grid, [query.period.seconds or 1], query.population)]
    sign = -1 if query.descending else 1
    texts = [tuple(label.text for label in one) for one in labels]
    keyed = sorted(range(len(labels)), key=lambda one: (totals[one] is None, sign * (totals[one] or 0), texts[one]))
    return [labels[one] for one in keyed]
