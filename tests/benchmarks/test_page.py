"""The page of figures: what it says about bars follows from the figures alone."""

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy import Error, exact
from benchmarks.clock import nearest_rank
from benchmarks.exports import Export
from benchmarks.ingest import Ingested
from benchmarks.load import Loaded
from benchmarks.page import Figures, render
from benchmarks.pages import RANGES, VIEWS, Page
from benchmarks.pricing import Priced
from benchmarks.repricing import Repriced
from benchmarks.storage import Share, Table

LOADED = Loaded(
    generated=1.0,
    file_bytes=4_000_000,
    imported=2.0,
    accepted=30_000,
    repeated=60_000.0,
    copied=0.5,
    rolled_up=3.0,
    rolled_up_text="Rolled up 24 hours and 1 days.",
    verified=4.0,
    cells=123,
)
INGESTED = Ingested(
    30_000,
    native=[16_000.0, 15_000.0, 17_000.0],
    copied=[32_000.0, 30_000.0, 34_000.0],
    repeated=[32_000.0, 30_000.0, 34_000.0],
    spans=[6_000.0, 5_000.0, 7_000.0],
    peaks=[2**27, 2**27, 2**27],
)
PRICED = [
    Priced("a catalogue", 12_000, 5_000, 0.2, 0.01, whole=[10.0, 9.0, 11.0], added=[2.0, 1.5, 4.0], split=[0.5]),
    Priced("overrides", 12_004, 5_000, 0.2, 0.01, whole=[11.0, 10.0, 12.0], added=[3.0, 2.5, 5.0], split=[0.75]),
]
REPRICED = Repriced(
    28_000,
    updated=[100_000.0, 120_000.0, 110_000.0],
    repriced=[50_000.0, 90_000.0, 49_000.0],
    again=[200_000.0, 210_000.0, 190_000.0],
)
FIGURES = Figures(
    chosen=argparse.Namespace(requests=30_000, days=1, seed=1, rounds=2),
    machine=[("processor", "2 cores")],
    loaded=LOADED,
    pages=[Page(view, length, (100.0, 200.0), 5_000, "day (model)", 7) for view in VIEWS for length in RANGES],
    exports=[Export("the month by day", 1_000, 90_000, 0.5, 2**20, 2**26)],
    tables=[Table("facts", 30_000, 2**23, 2**24)],
    grains=[Share("model", 600, 2**20)],
    errors=[Error("latency", 99, 8, 0.0107, 0.4, 0.3)],
    ingested=INGESTED,
    priced=PRICED,
    repriced=REPRICED,
)


def verdicts(figures: Figures) -> list[str]:
    """Last cells of the table of bars."""
    lines = render(figures).partition("## Bars")[2].partition("##")[0].splitlines()
    return [line.split("|")[-2].strip() for line in lines if line.startswith("| ")][2:]


def sending(**worse: Any) -> Figures:
    """The figures with another list of rounds."""
    return replace(FIGURES, ingested=replace(INGESTED, **worse))


def test_every_bar_that_is_met_is_called_met() -> None:
    assert verdicts(FIGURES) == ["met"] * 12
    assert "15,000 requests/s" in render(FIGURES)
    assert "**25%** of the speed of bare COPY" in render(FIGURES)
    assert "3.00 microseconds" in render(FIGURES)  # the median of the slower book
    assert "**50%** of the speed of the plain UPDATE" in render(FIGURES)


@pytest.mark.parametrize(
    ("worse", "place"),
    [
        (replace(FIGURES, loaded=replace(LOADED, imported=3.1)), 0),
        (replace(FIGURES, pages=[*FIGURES.pages, replace(FIGURES.pages[0], range="30d", millis=(301.0,))]), 1),
        (replace(FIGURES, exports=[replace(FIGURES.exports[0], growth=2**26)]), 2),
        (replace(FIGURES, errors=[replace(FIGURES.errors[0], product=0.0111)]), 3),
        (sending(native=[14_999.0, 14_998.0, 40_000.0]), 4),
        (sending(copied=[36_000.0, 34_000.0, 34_000.0]), 5),
        (sending(repeated=[31_000.0, 29_000.0, 34_000.0]), 6),
        (sending(spans=[4_999.0, 4_999.0, 9_000.0]), 7),
        (sending(peaks=[2**27, 2**27, 2**27 + 20 * 2**20]), 8),
        (replace(FIGURES, priced=[*PRICED, replace(PRICED[0], added=[3.01, 1.0, 3.01])]), 9),
        (replace(FIGURES, repriced=replace(REPRICED, repriced=[49_999.0, 90_000.0, 49_000.0])), 10),
        (replace(FIGURES, repriced=replace(REPRICED, changed_again=1)), 11),
    ],
)
def test_a_bar_that_is_missed_is_called_missed(worse: Figures, place: int) -> None:
    expected = ["met"] * 12
    expected[place] = "**missed**"
    assert verdicts(worse) == expected


def test_unknown_memory_is_not_called_flat() -> None:
    unknown = render(replace(FIGURES, exports=[replace(FIGURES.exports[0], growth=None)]))
    assert "memory of the server grows" not in unknown
    assert "| unknown |" in unknown


def test_ranks_are_whole_numbers() -> None:
    assert nearest_rank([float(one) for one in range(20, 0, -1)], 95) == 19
    assert nearest_rank([3.0], 50) == 3
    assert exact(np.array([100, 120, 130, 150, 180, 220, 300, 450, 900, 4_000]), 75) == 450
    assert exact(np.arange(1, 101), 7) == 7
