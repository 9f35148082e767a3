"""At most a few files at once per organization, so that exports never take every thread of the server."""

from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import Final

MOST: Final = 3
_open: Final[Counter[int]] = Counter()
_lock: Final = Lock()


class Slot:
    """The pieces of a file, holding a place of its organization until they are closed. Counted per process."""

    def __init__(self, organization_id: int, pieces: Iterator[bytes]) -> None:
        self._organization_id, self._pieces, self._held = organization_id, pieces, True

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Give the place back; the server calls this also when the reader goes away."""
        with _lock:
            if self._held:
                self._held = False
                _open[self._organization_id] -= 1


def take(organization_id: int, pieces: Iterator[bytes]) -> Slot | None:
    """A place for one file, None when the organization has `MOST` under way."""
    with _lock:
        if _open[organization_id] >= MOST:
            return None
        _open[organization_id] += 1
    return Slot(organization_id, pieces)
