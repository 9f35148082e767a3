"""A limit on what all threads of a process hold together, so that many bodies at once cannot fill the memory."""

from threading import Lock


class ExhaustedError(Exception):
    """The others hold so much that this does not fit; it will when they have finished."""


class Budget:
    """Bytes held in this process, over all open shares."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.held = 0


class Share:
    """What one request holds of a budget: grows while its body is read, given back at the end of the `with`."""

    def __init__(self, budget: Budget) -> None:
        self.budget, self.size = budget, 0

    def grow(self, size: int, *, most: int) -> None:
        """Hold `size` bytes more. Raises ExhaustedError, unless nobody else holds anything: one alone always fits."""
        with self.budget.lock:
            others = self.budget.held - self.size
            if others and self.budget.held + size > most:
                raise ExhaustedError
            self.budget.held += size
            self.size += size

    def __enter__(self) -> "Share":
        """Nothing is held yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give everything back."""
        with self.budget.lock:
            self.budget.held -= self.size
            self.size = 0
