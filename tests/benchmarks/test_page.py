"""The page of figures: what it says about bars follows from the figures alone."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.accuracy import exact
from benchmarks.clock import Runs, nearest_rank
from benchmarks.page import Figures, render
from benchmarks.pages import TEAM
from tests.benchmarks.figures import (
    COLUMNAR,
    DOWNLOADS,
    EMBEDDED,
    ENGINE,
    FIGURES,
    FILTERED,
    LOADED,
    PRICED,
    REPRICED,
    UNCOVERED,
    asking,
    page,
    sending,
)

BARS = 26
SQLITE_BARS = 7


def verdicts(figures: Figures, *, sqlite: bool = False) -> list[str]:
    """Last cells of the table of bars."""
    both = render(figures).partition("## Bars")[2].partition("##")[0].partition("The engine on SQLite")
    lines = both[2 if sqlite else 0].splitlines()
    return [line.split("|")[-2].strip() for line in lines if line.startswith("| ")][2:]


def slow(which: int, *millis: float) -> Figures:
    """The figures with one other page of the large organization."""
    pages = list(ENGINE.pages)
    found = [number for number, one in enumerate(pages) if one.case.tenant == "large"][which]
    pages[found] = replace(pages[found], runs=Runs(millis))
    return asking(pages=pages)


def beside(which: int, millis: float) -> Figures:
    """The figures with one page slower beside ClickHouse's engine."""
    compared = list(COLUMNAR.compared)
    compared[which] = replace(compared[which], page=[millis])
    return replace(FIGURES, columnar=replace(COLUMNAR, compared=compared))


def test_every_bar_that_is_met_is_called_met() -> None:
    assert verdicts(FIGURES) == ["met"] * BARS
    assert verdicts(FIGURES, sqlite=True) == ["met"] * SQLITE_BARS
    text = render(FIGURES)
    assert "15,000 requests/s" in text
    assert "**25%** of the speed of bare COPY" in text
    assert "3.00 microseconds" in text  # the median of the slower book
    assert "**50%** of the speed of the plain UPDATE" in text
    assert "**100,000** requests/s per core" in text
    assert "**3.0** times as long" in text
    assert "time at 300,000 / time at 30,000 requests at most 1.3 | 1.25" in text
    assert "36 of 36 below" in text
    assert "refused: About 9 requests." in text
    assert "take 3.0 times as long in the middle, at most 500 ms" in text
    assert "remembers nothing" not in render(asking(forgotten=[]))


@pytest.mark.parametrize(
    ("worse", "place"),
    [
        (slow(35, 100.0, 200.0), 0),
        (asking(pages=[*ENGINE.pages[:-1], replace(ENGINE.pages[-1], refusal="Too many.")]), 0),
        (slow(0, 104.1, 199.0), 1),
        (asking(filtered=[page(FILTERED, 400.0)]), 2),
        (asking(filtered=[page(FILTERED, 20.0, refusal="Too many.")]), 2),
        (asking(uncovered=[page(UNCOVERED, 2_000.0)]), 3),
        (asking(uncovered=[page(UNCOVERED, 2_000.0, refusal="Too many.")]), 3),
        (asking(hour=replace(ENGINE.hour, rollup=[0.31, 0.31, 0.1])), 4),
        (asking(rebuilt=replace(ENGINE.rebuilt, portal=2.01)), 5),
        (asking(menus=[*ENGINE.menus, replace(ENGINE.menus[0], reader=TEAM, runs=Runs((20.0,)))]), 6),
        (beside(-1, 151.0), 7),
        (beside(1, 151.0), 8),
        (beside(0, 151.0), 9),
        (asking(downloads=[replace(DOWNLOADS[0], held=[1.39, 0.69]), *DOWNLOADS[1:]]), 10),
        (asking(downloads=[DOWNLOADS[0], replace(DOWNLOADS[1], held=[0.59, 0.29]), DOWNLOADS[2]]), 11),
        (asking(downloads=[*DOWNLOADS[:2], replace(DOWNLOADS[2], peak=150_000_000)]), 12),
        (replace(FIGURES, errors=[replace(FIGURES.errors[0], product=0.0111)]), 13),
        (replace(FIGURES, exports=[replace(FIGURES.exports[0], growth=2**26)]), 14),
        (replace(FIGURES, loaded=replace(LOADED, imported=3.1)), 15),
        (sending(native=[14_999.0, 14_998.0, 40_000.0]), 16),
        (sending(copied=[36_000.0, 34_000.0, 34_000.0]), 17),
        (sending(repeated=[31_000.0, 29_000.0, 34_000.0]), 18),
        (sending(spans=[4_999.0, 4_999.0, 9_000.0]), 19),
        (sending(peaks=[2**27, 2**27, 2**27 + 20 * 2**20]), 20),
        (replace(FIGURES, priced=[*PRICED, replace(PRICED[0], added=[3.01, 1.0, 3.01])]), 21),
        (replace(FIGURES, repriced=replace(REPRICED, repriced=[49_999.0, 90_000.0, 49_000.0])), 22),
        (replace(FIGURES, repriced=replace(REPRICED, changed_again=1)), 23),
        (replace(FIGURES, purged=replace(FIGURES.purged, beside=[0.01] * 98 + [0.04, 0.05])), 24),
        (replace(FIGURES, closed=replace(FIGURES.closed, seconds=60.0)), 25),
    ],
)  # fmt: skip
def test_a_bar_that_is_missed_is_called_missed(worse: Figures, place: int) -> None:
    expected = ["met"] * BARS
    expected[place] = "**missed**"
    assert verdicts(worse) == expected
    assert verdicts(worse, sqlite=True) == ["met"] * SQLITE_BARS


def test_the_bars_of_sqlite_are_of_its_own_figures() -> None:
    slower = replace(EMBEDDED, rebuilt=replace(EMBEDDED.rebuilt, portal=3.01))
    assert verdicts(replace(FIGURES, embedded=slower)) == ["met"] * BARS
    assert verdicts(replace(FIGURES, embedded=slower), sqlite=True).count("**missed**") == 1


def test_unknown_memory_is_not_called_flat() -> None:
    unknown = render(replace(FIGURES, exports=[replace(FIGURES.exports[0], growth=None)]))
    assert "memory of the server grows" not in unknown
    assert "| unknown |" in unknown
    nowhere = [replace(one, peak=0) for one in DOWNLOADS]
    figures = replace(asking(downloads=nowhere), embedded=replace(EMBEDDED, downloads=nowhere))
    assert "memory of the exporting process" not in render(figures)


def test_without_clickhouse_nothing_is_said_about_it() -> None:
    without = replace(FIGURES, columnar=None)
    assert len(verdicts(without)) == BARS - 3
    assert "was not installed" in render(without)


def test_ranks_are_whole_numbers() -> None:
    assert nearest_rank([float(one) for one in range(20, 0, -1)], 95) == 19
    assert nearest_rank([3.0], 50) == 3
    assert exact(np.array([100, 120, 130, 150, 180, 220, 300, 450, 900, 4_000]), 75) == 450
    assert exact(np.arange(1, 101), 7) == 7


def test_a_rebuild_on_a_server_elsewhere_has_no_rate() -> None:
    unknown = asking(rebuilt=replace(ENGINE.rebuilt, database=None))
    assert len(verdicts(unknown)) == BARS - 1
    assert "an unknown time of the database server" in render(unknown)
