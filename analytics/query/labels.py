"""Ids of axes to labels of groups. Ids with the same label (one model, two providers) are one group."""

from typing import Any

from analytics.catalog.columns import Ints
from analytics.catalog.dimensions import Dimension
from analytics.cells.frame import NULL
from analytics.query.reader import REST, Read, Shape, frame_axis
from analytics.query.values import Label, LabelKind, Query
from ingestion.models import OVERFLOW

Labels = tuple[Label, ...]
OTHER = Label("(other)", LabelKind.OTHER)


def labels_of(shape: Shape, read: Read, organization_id: int) -> list[Labels]:
    """The labels of each cell, one per dimension of the shape."""
    axes = shape.axes
    columns = []
    for dimension in shape.dimensions:
        axis = frame_axis(dimension)
        ids = read.cells.keys[:, axes.index(axis)]
        names = _names(dimension, ids, read.texts.get(axis, {}), organization_id)
        columns.append([names[one] for one in ids.tolist()])
    return list(zip(*columns, strict=True)) if columns else [()] * len(read.cells)


def _names(dimension: Dimension, ids: Ints, texts: dict[int, str], organization_id: int) -> dict[int, Label]:
    wanted = {*ids.tolist()}
    names: dict[int, Label] = {NULL: Label(dimension.empty, LabelKind.NONE), REST: OTHER}
    names |= {number: Label(text) for number, text in texts.items()}
    if dimension.table is None:
        codes = dimension.codes
        names |= {one: Label(codes[one] if codes else str(one)) for one in wanted if one >= 0}
        return names
    rows: Any = dimension.table._default_manager.filter(
        organization_id=organization_id, pk__in=[one for one in wanted if one >= 0]
    )
    for pk, name in rows.values_list("pk", dimension.attribute):
        kind = LabelKind.OVERFLOW if name == OVERFLOW else LabelKind.VALUE
        names[pk] = Label(name, kind) if name else names[NULL]
    return names


def keep_of(query: Query, shape: Shape) -> frozenset[int] | None:
    """Ids that the query's fixed groups stand for, None when they cannot be told before reading."""
    if len(query.group_by) != 1 or len(shape.axes) != 1 or query.shown is None:
        return None
    (dimension,) = query.group_by
    if dimension.table is None or dimension.attribute != "name":
        return None
    names = {one[0].text for one in query.shown if one[0].kind is not LabelKind.NONE}
    rows: Any = dimension.table._default_manager.filter(organization_id=query.scope.organization_id, name__in=names)
    if dimension.key_id is not None:
        rows = rows.filter(key_id=dimension.key_id)
    ids = dict(rows.order_by().values_list("pk", "name"))
    if names - {*ids.values()}:
        return None
    missing = any(one[0].kind is LabelKind.NONE for one in query.shown)
    return frozenset({*ids, *([NULL] if missing else [])})
