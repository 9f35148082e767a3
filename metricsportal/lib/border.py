"""Whose rows the database may show to what runs now: the second line behind every filter on an organization.

Nothing here decides what a person may see; a `Scope` does. With PORTAL_RLS=on the database is told this border in every
transaction (`metricsportal.row_security`), and a query that forgot its filter finds no row of anybody else. Without it
the border is kept and nobody asks for it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Border:
    """Some organizations by their ids, or everything."""

    organizations: frozenset[int] = frozenset()
    everything: bool = False


NOTHING: Final = Border()
EVERYTHING: Final = Border(everything=True)
_current: ContextVar[Border | None] = ContextVar("border", default=None)
_of_process: Border = NOTHING


def current() -> Border:
    """The border of what runs now; where nobody drew one, that of the process: nothing, unless it was opened."""
    drawn = _current.get()
    return _of_process if drawn is None else drawn


def open_process(why: str) -> None:
    """Let this process see everything where no border is drawn: commands and workers, which work for all."""
    global _of_process  # noqa: PLW0603 - every thread of the process starts with it
    _of_process = EVERYTHING


def close_process() -> None:
    """Undo `open_process`."""
    global _of_process  # noqa: PLW0603 - as above
    _of_process = NOTHING


@contextmanager
def within(*organization_ids: int) -> Iterator[None]:
    """See these organizations and nothing else, whatever was seen before. Around work for one organization."""
    with _drawn(Border(frozenset(organization_ids))):
        yield


@contextmanager
def everything(why: str) -> Iterator[None]:
    """See every organization, for what has to look across them: who somebody is, operators, sums of all.

    What is read lazily must be read inside.
    """
    with _drawn(EVERYTHING):
        yield


def admit(*organization_ids: int) -> None:
    """See these organizations as well until the end of the request: a right to them was found just now."""
    seen = current()
    if not seen.everything:
        _current.set(Border(seen.organizations | frozenset(organization_ids)))


def admit_everything(why: str) -> None:
    """See everything until the end of the request: it is an operator's of the installation."""
    _current.set(EVERYTHING)


@contextmanager
def request() -> Iterator[None]:
    """A request begins with nothing, and takes nothing with it to the next one."""
    with _drawn(NOTHING):
        yield


def kept(parts: Iterable[T]) -> Iterator[T]:
    """The same parts, each made inside the border of now: an answer that is made after its request has ended."""
    return _kept(current(), iter(parts))


def _kept(seen: Border, source: Iterator[T]) -> Iterator[T]:
    while True:
        with _drawn(seen):
            try:
                part = next(source)
            except StopIteration:
                return
        yield part


@contextmanager
def _drawn(border: Border) -> Iterator[None]:
    token = _current.set(border)
    try:
        yield
    finally:
        _current.reset(token)
