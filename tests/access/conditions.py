"""F11, generated: places of our code that ask for the rows of one organization, and the portal without some of them."""

import sys
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest import mock

from django.conf import settings
from django.db.models import Q, QuerySet

_WHOLE: Final = QuerySet._filter_or_exclude_inplace  # type: ignore[attr-defined]
_MADE: Final = Q.__init__
_ROOT: Final = f"{settings.BASE_DIR}/"


class Place(NamedTuple):
    """A line of ours with a condition on the organization."""

    path: str
    line: int
    function: str
    model: str
    """Whose rows; `Q` for a condition that is used elsewhere."""

    @property
    def name(self) -> str:
        """What it is called however many lines come before it."""
        return f"{self.path} {self.function} {self.model}"


@contextmanager
def conditions(
    note: Callable[[Place], None] = lambda place: None, *, without: Container[str] = frozenset(), also: str = ""
) -> Iterator[None]:
    """The places of these names filter without the organization. `note` is told of every place.

    also: the beginning of another condition of theirs that goes too, where it says the organization in other words.
    """

    def left(model: str, given: dict[str, Any]) -> dict[str, Any]:
        place = _place(model) if any("organization" in name for name in given) else None
        if place is None:
            return given
        note(place)
        if place.name not in without:
            return given
        rest = {name: it for name, it in given.items() if "organization" not in name and not (also and also in name)}
        return rest or {"pk__isnull": False}  # everything: an empty condition beside an `or` would be nothing

    def filtered(queryset: Any, negate: bool, args: Any, kwargs: dict[str, Any]) -> Any:
        return _WHOLE(queryset, negate, args, left(queryset.model.__name__, kwargs))

    def made(one: Q, *args: Any, _connector: Any = None, _negated: bool = False, **kwargs: Any) -> None:
        ours = kwargs and _is_ours(sys._getframe(1).f_code.co_filename)
        _MADE(one, *args, _connector=_connector, _negated=_negated, **(left("Q", kwargs) if ours else kwargs))

    with mock.patch.object(QuerySet, "_filter_or_exclude_inplace", filtered), mock.patch.object(Q, "__init__", made):
        yield


def _place(model: str) -> Place | None:
    """The line of our code that asks."""
    frame = sys._getframe(3)
    while frame is not None:
        code = frame.f_code
        name = code.co_filename
        if _is_ours(name):
            return Place(str(Path(name).relative_to(_ROOT)), frame.f_lineno, code.co_qualname, model)
        frame = frame.f_back  # type: ignore[assignment] # ends with None
    return None


def _is_ours(name: str) -> bool:
    return name.startswith(_ROOT) and "/.venv/" not in name and "/tests/" not in name
