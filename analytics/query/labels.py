"""Ids of axes to labels of groups. Ids with the same label (one model, two providers) are one group."""

import numpy as np
from django.db.models import F, Model

from analytics.catalog.columns import NULL, Ints
from analytics.catalog.dimensions import Dimension
from analytics.cells.cells import distinct
from analytics.cells.expressions import OneOf
from analytics.query.reader import Read, Shape, frame_axis
from analytics.query.snapshot import once
from analytics.query.values import Label, LabelKind
from ingestion.models import OVERFLOW
from ingestion.writer.bulk import read_rows

Labels = tuple[Label, ...]
OTHER = Label("(other)", LabelKind.OTHER)


def labels_of(shape: Shape, read: Read, organization_id: int) -> tuple[list[Labels], Ints]:
    """The different labels that occur, one per dimension of the shape, and the place among them of every entry."""
    axes = shape.axes
    rows, places = distinct(read.keys)
    columns = []
    for dimension in shape.dimensions:
        axis = frame_axis(dimension)
        ids = rows[:, axes.index(axis)]
        names = _names(dimension, ids, read.texts.get(axis, {}), organization_id)
        columns.append([names[one] for one in ids.tolist()])
    found: list[Labels] = list(zip(*columns, strict=True)) if columns else [()] * len(rows)
    numbers = {one: number for number, one in enumerate(dict.fromkeys(found))}
    if len(numbers) == len(found):
        return found, places
    return list(numbers), np.array([numbers[one] for one in found], dtype=np.int64)[places]


def _names(dimension: Dimension, ids: Ints, texts: dict[int, str], organization_id: int) -> dict[int, Label]:
    wanted = {*ids.tolist()}
    empty = Label(dimension.empty, LabelKind.NONE)
    names: dict[int, Label] = {NULL: empty} | {number: Label(text) for number, text in texts.items()}
    if dimension.table is None:
        codes = dimension.codes
        names |= {one: Label(codes[one] if codes else str(one)) for one in wanted if one >= 0}
        return names
    known = _known(dimension.table, dimension.attribute, organization_id)
    missing = [one for one in wanted - known.keys() if one >= 0]
    if missing:
        rows = dimension.table._default_manager.filter(OneOf(F("pk"), missing), organization_id=organization_id)
        for pk, name in read_rows(rows.order_by().values_list("pk", dimension.attribute)):
            kind = LabelKind.OVERFLOW if name == OVERFLOW else LabelKind.VALUE
            known[pk] = Label(name, kind) if name else empty
    return names | known


@once
def _known(table: type[Model], attribute: str, organization_id: int) -> dict[int, Label]:
    """Labels that earlier questions of the snapshot have read, to be added to."""
    return {}
