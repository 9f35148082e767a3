"""Stored rows of a day or a month, remembered between questions: rows are never changed, only replaced.

A row is known by its id and its stamp, a random number of those who wrote it, so that what is remembered is what is
stored, whatever was rebuilt, restored or rolled back meanwhile. Every process remembers the blocks it used last, up to
`PORTAL_AGGREGATE_CACHE_MB`: as they are stored, because unpacking a column takes less than keeping all of them would.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Final

import numpy as np
from django.conf import settings

from analytics.catalog.columns import Ints
from analytics.cells.packing import Packed
from analytics.cells.storage import Records
from analytics.query.matching import Flags

_RECORDS: Final = 2
"""Sets of histogram entries that a block remembers: those of a page's table and of its charts."""


_passing: ContextVar[bool] = ContextVar("passing", default=False)


@contextmanager
def passing() -> Iterator[None]:
    """What is read inside is read once, for a file: it is not remembered, and pushes nothing out."""
    token = _passing.set(True)
    try:
        yield
    finally:
        _passing.reset(token)


class Block:
    """Some rows of one grain, in order: their cells one row after the other."""

    def __init__(self, pks: Sequence[int], seconds: Sequence[int], heads: Sequence[bytes]) -> None:
        self.pks = pks
        self.heads = [Packed(head) for head in heads]
        sizes = [one.size for one in self.heads]
        self.seconds: Ints = np.repeat(np.array(seconds, dtype=np.int64), sizes)
        self.size = sum(sizes)
        self._records: list[tuple[Flags, Records]] = []

    def records(self, wanted: Flags) -> Records | None:
        """Histogram entries of the wanted cells, if they, or those of more cells, are remembered."""
        for read, found in self._records:
            if not (wanted & ~read).any():
                return found if np.array_equal(read, wanted) else found.of(wanted[read])
        return None

    def remember(self, wanted: Flags, found: Records) -> None:
        """Keep the histogram entries of the wanted cells."""
        self._records = [(wanted, found), *self._records][:_RECORDS]

    @property
    def memory(self) -> int:
        """Bytes it takes."""
        kept = self._records
        heads = sum(len(one.text) for one in self.heads)
        return heads + self.seconds.nbytes + sum(read.nbytes + found.memory for read, found in kept)


class Memory:
    """The blocks that were used last. Safe for threads."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[Hashable, Block] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Block | None:
        """A block, if it is still there."""
        with self._lock:
            found = self._blocks.get(key)
            if found:
                self._blocks.move_to_end(key)
            return found

    def add(self, key: Hashable, block: Block) -> None:
        """Remember a block, and forget what was not used for longest. Blocks grow while they are used."""
        if _passing.get():
            return
        with self._lock:
            self._blocks[key] = block
            room = settings.AGGREGATE_CACHE_MB * 1_000_000 - sum(one.memory for one in self._blocks.values())
            while room < 0 and self._blocks:
                _, oldest = self._blocks.popitem(last=False)
                room += oldest.memory


MEMORY: Final = Memory()
