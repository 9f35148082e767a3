"""How a number moves: its change against the period before, and a small picture of its course over the range."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from analytics.query.values import Bucket, Value
from metricsportal.lib import formats

WIDTH: Final = 240
HEIGHT: Final = 80
_MARGIN: Final = 4  # half of the line's width and a little more
_BEYOND: Final = 8  # the outline below the line lies outside of the picture
MOST_POINTS: Final = 60


def change_of(value: Value, earlier: Value) -> dict[str, Any]:
    """The relative change, its words and its arrow, as counters and tables show them."""
    ratio, words = formats.change(value, earlier)
    arrow = None
    if ratio is not None and words != "unchanged":
        arrow = "arrow-up" if ratio > 0 else "arrow-down"
    return {"change": ratio, "change_text": words, "arrow": arrow}


def whole_buckets(buckets: Sequence[Bucket], values: Sequence[Value]) -> list[Value]:
    """The values of the buckets that are whole: a cut one at either end would read as a rise or a fall."""
    return [value for bucket, value in zip(buckets, values, strict=True) if not bucket.partial]


def spark(values: Sequence[Value], what: str, write: Callable[[Value], str]) -> dict[str, str] | None:
    """The picture and, where it has a name, what it says; None where there is no course to draw."""
    known = [value for value in values if value is not None]
    if len(values) < 2 or not known:
        return None
    extremes = f"lowest {write(min(known))}, highest {write(max(known))}, last {write(values[-1])}"
    return {"points": _points([value or 0 for value in values]), "words": f"{what}: {extremes}" if what else ""}


def _points(values: Sequence[float]) -> str:
    """An area below a line, in whole units of WIDTH x HEIGHT: of more than MOST_POINTS values, means of neighbours."""
    step = -(-len(values) // MOST_POINTS)
    parts = (values[start : start + step] for start in range(0, len(values), step))
    means = [sum(part) / len(part) for part in parts]
    top = max(means) or 1
    room, across = HEIGHT - 2 * _MARGIN, WIDTH / max(1, len(means) - 1)
    heights = [round(HEIGHT - _MARGIN - mean / top * room) for mean in means]
    places = [(round(number * across), height) for number, height in enumerate(heights)]
    left, right, below = -_BEYOND, WIDTH + _BEYOND, HEIGHT + _BEYOND
    outline = [(left, below), (left, heights[0]), *places, (right, heights[-1]), (right, below)]
    return " ".join(f"{x},{y}" for x, y in outline)
