"""Signs of life of a worker that holds a lease, while it does what may take longer than the lease lasts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection


@contextmanager
def beating(keep: Callable[[], bool], seconds: float) -> Iterator[None]:
    """Call `keep` every so many seconds, in a thread of its own, until it says that the lease is lost."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(seconds):
                # A database that does not answer now may do so at the next beat; the work prolongs the lease too.
                with suppress(DatabaseError):
                    if not keep():
                        return
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
