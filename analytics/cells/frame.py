"""Facts as columns of integers, whatever the database; -1 stands for NULL."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import BigIntegerField, Case, F, IntegerField, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from analytics.catalog.columns import COST_STATES, DURATIONS, FAILURE_CLASSES, NULL, Frame
from analytics.cells.binary import UNSEEN, read_integers
from analytics.cells.expressions import EpochMicroseconds, MetadataText, OneOf
from ingestion.models import LLMRequest, MetadataKey
from ingestion.records import Operation
from ingestion.writer.bulk import read_rows

NO_SAMPLE: Final = -2
"""Bucket number of a duration that was not measured; -1 is the bucket of exact zeros."""
INSTANT: Final = "instant"
"""Column of `started_at`, in microseconds since 1970."""

_PLAIN: Final = (
    "team_id",
    "virtual_account_id",
    "user_id",
    "model_id",
    "virtual_model_id",
    "error_type_id",
    "status_code",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
    "list_cost",
    "contracted_cost",
    "reported_cost",
    *(f"{duration}_us" for duration in DURATIONS),
)


def _number(column: str, null: int = NULL) -> Combinable:
    return Coalesce(F(column), Value(null), output_field=BigIntegerField())


def _code(column: str, codes: Sequence[str]) -> Combinable:
    cases = [When(**{column: code}, then=Value(number)) for number, code in enumerate(codes)]
    return Case(*cases, default=Value(NULL), output_field=IntegerField())


def _flag(column: str) -> Combinable:
    return Coalesce(Cast(F(column), IntegerField()), Value(NULL))


EXPRESSIONS: Final[dict[str, Combinable]] = {
    **{name: _number(name) for name in _PLAIN},
    **{f"{duration}_bucket": _number(f"{duration}_bucket", NO_SAMPLE) for duration in DURATIONS},
    "failed": _flag("failed"),
    "streaming": _flag("streaming"),
    "failure_class": _code("failure_class", FAILURE_CLASSES),
    "cost_state": _code("cost_state", COST_STATES),
    "operation": _code("operation", tuple(Operation)),
    INSTANT: EpochMicroseconds(F("started_at")),
}
MEASURED: Final = (
    "failed",
    "streaming",
    "failure_class",
    "cost_state",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
    "list_cost",
    "contracted_cost",
    "reported_cost",
    *(f"{duration}_us" for duration in DURATIONS),
    *(f"{duration}_bucket" for duration in DURATIONS),
)
"""The columns from which every additive column and histogram is made."""


AXES: Final = (
    "team_id",
    "virtual_account_id",
    "user_id",
    "model_id",
    "virtual_model_id",
    "error_type_id",
    "status_code",
    "operation",
    "failure_class",
    "failed",
    "streaming",
    "cost_state",
    INSTANT,
)
"""What requests are told apart by, metadata aside."""


def metadata_axis(key_id: int) -> str:
    """Frame column of one metadata key."""
    return f"metadata_value_id:{key_id}"


IdsOf = Callable[[MetadataKey, set[str]], dict[str, int]]
"""Ids of texts as values of a key, of every one that is asked for."""


def read(
    facts: QuerySet[LLMRequest], axes: Sequence[str], keys: Sequence[MetadataKey] = ()
) -> tuple[Frame, dict[str, list[str | None]]]:
    """The measured columns and the named axes of the facts; beside them the raw text of each metadata key, per fact.

    In the order in which the facts were stored.
    Raises KeyError for an axis that is not a column of `EXPRESSIONS`.
    """
    names = [*dict.fromkeys((*axes, *MEASURED))]
    expressions: list[Any] = [EXPRESSIONS[name] for name in names]
    if connection.vendor == "postgresql" and (found := _in_binary(facts, names, keys)):
        return found
    rows = read_rows(facts.order_by("pk").values_list(*expressions, *(MetadataText(key.name) for key in keys)))
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in range(len(names) + len(keys))]
    frame = {name: np.array(column, dtype=np.int64) for name, column in zip(names, columns, strict=False)}
    texts = {metadata_axis(key.pk): list(column) for key, column in zip(keys, columns[len(names) :], strict=True)}
    return frame, texts


def _in_binary(
    facts: QuerySet[LLMRequest], names: Sequence[str], keys: Sequence[MetadataKey]
) -> tuple[Frame, dict[str, list[str | None]]] | None:
    """Integers and texts by two statements, matched by the facts' ids; None when other facts came in between."""
    expressions = [EXPRESSIONS[name] for name in names]
    ordered = facts.order_by("pk")
    if not keys:
        return dict(zip(names, read_integers(ordered, expressions), strict=True)), {}
    ids, *columns = read_integers(ordered, [F("pk"), *expressions])
    rows = read_rows(ordered.values_list("pk", *(MetadataText(key.name) for key in keys)))
    found, *texts = zip(*rows, strict=True) if rows else [() for _ in range(len(keys) + 1)]
    if not np.array_equal(ids, np.array(found, dtype=np.int64)):
        return None
    frame = dict(zip(names, columns, strict=True))
    return frame, {metadata_axis(key.pk): list(column) for key, column in zip(keys, texts, strict=True)}


def read_numbered(facts: QuerySet[LLMRequest], keys: Sequence[MetadataKey], ids_of: IdsOf) -> Frame:
    """The measured columns, every axis, and the id of each fact's value of every key, in the order of storage."""
    if connection.vendor != "postgresql":
        frame, texts = read(facts, AXES, keys)
        axes = {
            axis: number_texts(texts[axis], ids_of(key, {text for text in texts[axis] if text is not None}))[0]
            for key, axis in _axes(keys)
        }
        return {**frame, **axes}
    names = [*dict.fromkeys((*AXES, *MEASURED))]
    expressions, pairs = (
        [F("pk"), *(EXPRESSIONS[name] for name in names)],
        [(MetadataText(key.name), key.pk) for key in keys],
    )
    pks, *columns = read_integers(facts.order_by(), expressions, pairs)
    frame = dict(zip((*names, *(axis for _, axis in _axes(keys))), columns, strict=True))
    for key, axis in _axes(keys):
        unseen = frame[axis] == UNSEEN
        if unseen.any():
            frame[axis][unseen] = _ids_of_new(facts, key, pks[unseen].tolist(), ids_of)
    if (np.diff(pks) > 0).all():
        return frame
    order = np.argsort(pks)
    return {name: column[order] for name, column in frame.items()}


def _axes(keys: Sequence[MetadataKey]) -> list[tuple[MetadataKey, str]]:
    return [(key, metadata_axis(key.pk)) for key in keys]


def _ids_of_new(facts: QuerySet[LLMRequest], key: MetadataKey, pks: list[int], ids_of: IdsOf) -> list[int]:
    rows = facts.filter(OneOf(F("pk"), pks)).order_by()
    texts: dict[int, str] = dict(read_rows(rows.values_list("pk", MetadataText(key.name))))
    known = ids_of(key, {*texts.values()})
    return [known[texts[pk]] if pk in texts else NULL for pk in pks]  # one that is gone by now makes the hour run again


def number_texts(texts: Sequence[str | None], known: dict[str, int]) -> tuple[Any, dict[int, str]]:
    """Ids of texts by the known names; an unknown text gets an id below -9 and comes back with its text."""
    fresh: dict[str, int] = {}
    ids = [
        NULL if text is None else known[text] if text in known else fresh.setdefault(text, -10 - len(fresh))
        for text in texts
    ]
    return np.array(ids, dtype=np.int64), {number: text for text, number in fresh.items()}
