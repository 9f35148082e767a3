"""Which of our models a name on a bill means. Pure.

A name is compared as it is, then with less and less of what only one side writes: case, the vendor in front, the date
behind, the order of its words. Where a step has two candidates on the bill, none is taken: a wrong pair hides more
than two lines without one.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

_DATE: Final = re.compile(r"[-@](latest|20\d{2}-?\d{2}-?\d{2}|\d{4}|v\d(-\d)?)$")
_SEPARATORS: Final = re.compile(r"[\s._:@-]+")


def _slug(name: str) -> str:
    """`Claude Haiku 4.5` is claude-haiku-4-5."""
    bare = name.strip().lower().rpartition("/")[2]
    return _SEPARATORS.sub("-", bare).strip("-")


def _undated(name: str) -> str:
    slug = _slug(name)
    while (shorter := _DATE.sub("", slug)) != slug:
        slug = shorter
    return slug


def _words(name: str) -> str:
    """In any order: `Claude Sonnet 3.7` is claude-3-7-sonnet."""
    return " ".join(sorted(_undated(name).split("-")))


_STEPS: Final[tuple[Callable[[str], str], ...]] = (str, str.casefold, _slug, _undated, _words)


def pairs(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, str]:
    """Our name -> theirs, for what is the same model."""
    found: dict[str, str] = {}
    left, there = sorted({name for name in ours if name}), sorted({name for name in theirs if name})
    for step in _STEPS:
        candidates: dict[str, list[str]] = {}
        for name in there:
            candidates.setdefault(step(name), []).append(name)
        for name in left:
            same = candidates.get(step(name), [])
            if len(same) == 1:
                found[name] = same[0]
        left = [name for name in left if name not in found]
    return found
