"""A file for writers that want one, whose bytes are taken away while it grows."""

import io
from typing import Any


class Sink(io.RawIOBase):
    """Holds what was written since it was last emptied. Cannot seek: nothing written is changed later."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Bytes written in all."""
        return self._size

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any buffer
        """Take bytes."""
        taken = bytes(data)
        self._parts.append(taken)
        self._size += len(taken)
        return len(taken)

    def emptied(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
