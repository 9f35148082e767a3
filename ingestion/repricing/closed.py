"""Which months are closed, as far as repricing and merging must know.

Closing is the business of an application that imports this one, so it registers the answer here when it starts.
"""

from collections.abc import Callable, Sequence
from typing import Final

from metricsportal.lib.timerange import TimeRange

ClosedMonths = Callable[[int], Sequence[tuple[str, TimeRange]]]
"""Organization id -> name and borders of every closed month, oldest first, not overlapping."""

_SOURCES: Final[list[ClosedMonths]] = []
_HOLDS: Final[list[Callable[[], None]]] = []


def register(source: ClosedMonths, hold: Callable[[], None] | None = None) -> None:
    """Ask this source from now on; registering it again changes nothing. `hold`: see `hold_open`."""
    if source not in _SOURCES:
        _SOURCES.append(source)
        if hold is not None:
            _HOLDS.append(hold)


def closed_months(organization_id: int) -> list[tuple[str, TimeRange]]:
    """What all sources say, oldest first."""
    found = [month for source in _SOURCES for month in source(organization_id)]
    return sorted(found, key=lambda month: month[1].start)


def hold_open() -> None:
    """No month is closed until the transaction ends; one that is being closed is waited for. Read the months after."""
    for hold in _HOLDS:
        hold()
