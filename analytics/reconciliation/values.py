"""What files of providers and our requests are both turned into. Pure."""

from datetime import date
from typing import Final, NamedTuple

ALL_INPUT: Final = "all_input"
"""Input tokens of a file that does not tell the cached ones apart."""
OTHER: Final = "other"
"""What a file charges for and our classes have no name for."""
_INPUTS: Final = frozenset({"input", "cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input"})
_OUTPUTS: Final = frozenset({"output", "reasoning", "audio_output", "image_output"})
_THOUGHTS: Final = frozenset({"reasoning"})
NAMES: Final = {
    "": "All classes",
    ALL_INPUT: "Input, cached or not",
    "input": "Input",
    "cache_read": "Cached input",
    "cache_write": "Cache write",
    "cache_write_1h": "Cache write (1 hour)",
    "audio_input": "Audio input",
    "image_input": "Image input",
    "output": "Output",
    "audio_output": "Audio output",
    "image_output": "Image output",
    "request": "Requests",
    "reported": "Reported by the gateway",
    "not_itemised": "Not itemised",
    OTHER: "Other",
}
"""What classes are called on pages; units have their own name."""


class BillError(ValueError):
    """A file that is not taken, with the sentence that says why."""


class Figure(NamedTuple):
    """What one row of a file says. None = the file does not say; "" as model or class: not told apart."""

    day: date
    model: str
    token_class: str = ""
    tier: str = ""
    quantity: int | None = None
    requests: int | None = None
    cost: int | None = None


def class_name(token_class: str) -> str:
    """For people."""
    return NAMES.get(token_class) or token_class.removeprefix("unit:").replace("_", " ").capitalize()


def is_input(token_class: str) -> bool:
    """Whether it is a part of the input."""
    return token_class in _INPUTS or token_class == ALL_INPUT


def folded(token_class: str, *, whole_input: bool) -> str:
    """The class under which both sides are compared: reasoning is output, as bills count it."""
    if whole_input and token_class in _INPUTS:
        return ALL_INPUT
    if token_class in (_OUTPUTS if whole_input else _THOUGHTS):
        return "output"
    return token_class
