"""Which groups of an answer are shown, in what order, and where every cell is counted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.catalog.columns import Ints
from analytics.catalog.measures import Kind, Selection, select
from analytics.cells.cells import Cells
from analytics.query.grid import fold, values
from analytics.query.labels import OTHER, Labels
from analytics.query.reader import Shape
from analytics.query.values import LabelKind, Query

_REQUESTS = select("requests")


def rest(query: Query) -> Labels:
    """The labels of what is not shown."""
    return (OTHER,) * len(query.group_by)


def is_rest(distinct: set[Labels]) -> bool:
    """Whether any of the labels stands for what is not shown."""
    return any(label.kind is LabelKind.OTHER for labels in distinct for label in labels)


def group_numbers(labels: Sequence[Labels], groups: Sequence[Labels]) -> Ints:
    """The group of each cell: its own, else the rest if shown, else -1."""
    position = {one: number for number, one in enumerate(groups)}
    last = len(groups) - 1
    beyond = last if groups and groups[last] and groups[last][0].kind is LabelKind.OTHER else -1
    return np.array([position.get(one, beyond) for one in labels], dtype=np.int64)


def in_groups(cells: Cells, numbers: Ints) -> tuple[Cells, Ints]:
    """The cells that belong to a group, with their numbers."""
    shown = numbers >= 0
    return (cells, numbers) if shown.all() else (cells.subset(shown), numbers[shown])


def order_of(query: Query) -> Selection:
    """What groups are ranked by: as asked, else the first measure, else requests."""
    return query.order_by or (query.selections[0] if query.selections else _REQUESTS)


def ranked(query: Query, cells: Cells, labels: Sequence[Labels], shape: Shape) -> list[Labels]:
    """All groups but the rest, by the order's value over the whole range, ties by label; no value comes last."""
    groups = sorted({one for one in labels if not is_rest({one})}, key=_texts)
    if not groups:
        return []
    inside, numbers = in_groups(cells, group_numbers(labels, groups))
    flat = _in_one_bucket(inside)
    order = order_of(query)
    histograms = order.measure.samples(query.population) if order.measure.kind is Kind.DURATION else ()
    grid = fold(flat, numbers, (len(groups), 1), shape.sums, histograms)
    totals = [row[0][0] for row in values([order], grid, [query.period.seconds or 1], query.population)]
    sign = -1 if query.descending else 1
    keyed = sorted(
        range(len(groups)), key=lambda one: (totals[one] is None, sign * (totals[one] or 0), _texts(groups[one]))
    )
    return [groups[one] for one in keyed]


def _in_one_bucket(cells: Cells) -> Cells:
    """The same cells in one bucket."""
    keys = cells.keys.copy()
    if len(keys):
        keys[:, -1] = 0
    return replace(cells, keys=keys)


def _texts(labels: Labels) -> tuple[str, ...]:
    return tuple(label.text for label in labels)
