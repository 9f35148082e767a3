"""Latency, TTFT, ITL and TPOT of a batch in integer microseconds with their histogram buckets, vectorised. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestion.normalisation import failed
from ingestion.records import RequestRecord
from metricsportal.lib import histogram

Floats = npt.NDArray[np.float64]
Cells = list[int | None]
_US_PER_MS: Final = 1000


def measure(records: Sequence[RequestRecord]) -> list[tuple[int | None, ...]]:
    """Per record: latency, ttft, itl, tpot in microseconds, then their four buckets; None = not measured."""
    latency = _microseconds([record.latency_ms for record in records])
    ttft = _microseconds([record.ttft_ms for record in records])
    itl = _microseconds([record.itl_ms for record in records])
    outputs = _floats([record.output_tokens for record in records])
    success = np.array([not failed(record) for record in records], dtype=bool)
    streaming = np.array([record.streaming is True for record in records], dtype=bool)
    whole = np.array([record.streaming is False for record in records], dtype=bool)

    gap = np.full(len(records), np.nan)
    paced = success & streaming & (outputs >= 2)
    gap[paced] = np.rint((latency[paced] - ttft[paced]) / (outputs[paced] - 1))
    per_token = gap.copy()
    generated = success & whole & (outputs >= 1)
    per_token[generated] = np.rint(latency[generated] / outputs[generated])
    # A gap that the gateway reports itself is better than one derived from two times and a count.
    between = np.where(np.isnan(itl), gap, np.where(success & streaming, itl, np.nan))

    columns = [_cells(values) for values in (latency, ttft, between, per_token)]
    times, buckets = zip(*columns, strict=True)
    return list(zip(*times, *buckets, strict=True))


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _microseconds(milliseconds: Sequence[float | None]) -> Floats:
    return np.rint(_floats(milliseconds) * _US_PER_MS)


def _cells(values: Floats) -> tuple[Cells, Cells]:
    """Integers and bucket numbers, None for NaN."""
    known = ~np.isnan(values)
    whole = np.where(known, values, 0).astype(np.int64)
    buckets = histogram.bucket_of(whole)
    if known.all():
        return whole.tolist(), buckets.tolist()
    return _with_gaps(whole, known), _with_gaps(buckets, known)


def _with_gaps(values: npt.NDArray[np.integer], known: npt.NDArray[np.bool_]) -> Cells:
    cells = values.astype(object)
    cells[~known] = None
    answer: Cells = cells.tolist()
    return answer
