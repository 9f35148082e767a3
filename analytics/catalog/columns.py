"""The additive columns of an aggregate and how each is read from facts. Everything else is computed from these."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestion.records import CostState, FailureClass

Ints = npt.NDArray[np.int64]
Frame = Mapping[str, Ints]
"""Fact columns by name, one integer per fact."""
NULL: Final = -1
"""What stands for no value there."""

COST_STATES: Final = tuple(CostState)
FAILURE_CLASSES: Final = tuple(FailureClass)


@dataclass(frozen=True, slots=True)
class Column:
    """One additive column: its name on aggregates and its value per fact."""

    name: str
    of_facts: Callable[[Frame], Ints]
    money: bool = False


def _known(name: str) -> Callable[[Frame], Ints]:
    def known(frame: Frame) -> Ints:
        values: Ints = np.maximum(frame[name], 0)
        return values

    return known


def _failures(kind: FailureClass) -> Callable[[Frame], Ints]:
    code = FAILURE_CLASSES.index(kind)
    return lambda frame: (frame["failure_class"] == code).astype(np.int64)


def _state(state: CostState) -> Callable[[Frame], Ints]:
    code = COST_STATES.index(state)
    return lambda frame: (frame["cost_state"] == code).astype(np.int64)


def _unknown_tokens(frame: Frame) -> Ints:
    unknown = (frame["input_tokens"] < 0) | (frame["output_tokens"] < 0)
    flags: Ints = (unknown & (frame["failed"] == 0)).astype(np.int64)
    return flags


def _unpriced_tokens(frame: Frame) -> Ints:
    tokens = np.maximum(frame["input_tokens"], 0) + np.maximum(frame["output_tokens"], 0)
    return tokens * _state(CostState.UNPRICED)(frame)


def _compared(frame: Frame) -> Ints:
    """1 for requests of which both the price book's and the gateway's figure are known."""
    flags: Ints = ((frame["list_cost"] >= 0) & (frame["reported_cost"] >= 0)).astype(np.int64)
    return flags


def _where_compared(name: str) -> Callable[[Frame], Ints]:
    return lambda frame: _known(name)(frame) * _compared(frame)


def _tpot_of(*, streaming: bool) -> Callable[[Frame], Ints]:
    """1 for samples of TPOT, of streams or of the others: their formulas differ."""
    return lambda frame: (_sampled(frame, "tpot") & (frame["streaming"] == int(streaming))).astype(np.int64)


def _itl_reported(frame: Frame) -> Ints:
    """1 for samples of ITL that the gateway sent: a derived one is the request's TPOT, by the same formula."""
    flags: Ints = (_sampled(frame, "itl") & (frame["itl_us"] != frame["tpot_us"])).astype(np.int64)
    return flags


def _sampled(frame: Frame, duration: str) -> npt.NDArray[np.bool_]:
    measured: npt.NDArray[np.bool_] = (frame[f"{duration}_us"] >= 0) & (frame["failed"] == 0)
    return measured


COLUMNS: Final = (
    Column("requests", lambda frame: np.ones_like(frame["failed"])),
    Column("failed", _known("failed")),
    Column("failed_cancelled", _failures(FailureClass.CANCELLED)),
    Column("failed_timeout", _failures(FailureClass.TIMEOUT)),
    Column("failed_429", _failures(FailureClass.RATE_LIMITED)),
    Column("failed_4xx", _failures(FailureClass.CLIENT)),
    Column("failed_5xx", _failures(FailureClass.SERVER)),
    Column("failed_other", _failures(FailureClass.OTHER)),
    Column("streaming", _known("streaming")),
    Column("input_tokens", _known("input_tokens")),
    Column("output_tokens", _known("output_tokens")),
    Column("cache_read_tokens", _known("cache_read_tokens")),
    Column("cache_write_tokens", _known("cache_write_tokens")),
    Column("reasoning_tokens", _known("reasoning_tokens")),
    Column("unknown_tokens", _unknown_tokens),
    Column("cost", _known("cost"), money=True),
    Column("list_cost", _known("list_cost"), money=True),
    Column("contracted_cost", _known("contracted_cost"), money=True),
    Column("reported_cost", _known("reported_cost"), money=True),
    Column("compared", _compared),
    Column("compared_list_cost", _where_compared("list_cost"), money=True),
    Column("compared_reported_cost", _where_compared("reported_cost"), money=True),
    Column("computed", _state(CostState.COMPUTED)),
    Column("reported", _state(CostState.REPORTED)),
    Column("unpriced", _state(CostState.UNPRICED)),
    Column("unpriced_tokens", _unpriced_tokens),
    Column("itl_reported", _itl_reported),
    Column("tpot_streaming", _tpot_of(streaming=True)),
    Column("tpot_whole", _tpot_of(streaming=False)),
)
MONEY: Final = frozenset(column.name for column in COLUMNS if column.money)
COUNTS: Final = tuple(column.name for column in COLUMNS if not column.money)


@dataclass(frozen=True, slots=True)
class Histogram:
    """One histogram of an aggregate: its prefix there, the fact's duration, and whose requests it samples."""

    name: str
    duration: str
    failed: bool


HISTOGRAMS: Final = (
    Histogram("latency_ok", "latency", failed=False),
    Histogram("latency_failed", "latency", failed=True),
    Histogram("ttft_ok", "ttft", failed=False),
    Histogram("ttft_failed", "ttft", failed=True),
    Histogram("itl", "itl", failed=False),
    Histogram("tpot", "tpot", failed=False),
)
DURATIONS: Final = ("latency", "ttft", "itl", "tpot")
HISTOGRAM_NAMES: Final = tuple(histogram.name for histogram in HISTOGRAMS)
