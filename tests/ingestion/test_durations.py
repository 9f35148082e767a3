"""Latency, TTFT, ITL and TPOT of a request: docs/definitions.md, time measures."""

from typing import Any

import pytest

from ingestion import durations
from metricsportal.lib import histogram
from tests import make

STREAM = {"latency_ms": 4_820.0, "ttft_ms": 620.0, "output_tokens": 141, "streaming": True}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (STREAM, (4_820_000, 620_000, 30_000, 30_000)),
        (STREAM | {"itl_ms": 12.5}, (4_820_000, 620_000, 12_500, 30_000)),
        (STREAM | {"streaming": False, "ttft_ms": None}, (4_820_000, None, None, 34_184)),
        (STREAM | {"streaming": False, "ttft_ms": None, "itl_ms": 12.5}, (4_820_000, None, None, 34_184)),
        (STREAM | {"streaming": None, "ttft_ms": None}, (4_820_000, None, None, None)),
        (STREAM | {"output_tokens": 1}, (4_820_000, 620_000, None, None)),
        (STREAM | {"output_tokens": None}, (4_820_000, 620_000, None, None)),
        (STREAM | {"ttft_ms": None}, (4_820_000, None, None, None)),
        (STREAM | {"streaming": False, "ttft_ms": None, "output_tokens": 0}, (4_820_000, None, None, None)),
        (STREAM | {"status_code": 500, "itl_ms": 9.0}, (4_820_000, 620_000, None, None)),
        ({"latency_ms": 0.0, "ttft_ms": None, "status_code": 429}, (0, None, None, None)),
        ({"latency_ms": None, "ttft_ms": None}, (None, None, None, None)),
        (STREAM | {"latency_ms": 0.0004, "ttft_ms": 0.0003, "output_tokens": 2}, (0, 0, 0, 0)),
    ],
)
def test_formulas(fields: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    found = durations.measure([make.record(**fields), make.record()])[0]
    assert found[:4] == expected
    assert [bucket is None for bucket in found[4:]] == [value is None for value in expected]


def test_buckets_hold_their_values_and_zero_has_its_own() -> None:
    records = [make.record(latency_ms=value, ttft_ms=None) for value in (0.0, 0.001, 0.5, 1_000.0, 10.0**10)]
    for microseconds, *_, bucket, _, _, _ in durations.measure(records):
        assert microseconds is not None
        assert bucket is not None
        if microseconds == 0:
            assert bucket == histogram.ZERO
        else:
            assert microseconds <= histogram.UPPER_BOUNDS[bucket]
            assert bucket == 0 or microseconds > histogram.UPPER_BOUNDS[bucket - 1]
    assert durations.measure([]) == []
