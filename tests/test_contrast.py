"""Lines of charts stand out from what they are drawn on, in light and dark: 3 to 1, as WCAG 1.4.11 asks of graphics."""

import re
from pathlib import Path
from typing import Final

import pytest

TOKENS: Final = Path(__file__).parents[1] / "analytics" / "static" / "portal" / "css" / "tokens.css"
COLOUR: Final = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
LINES: Final = re.compile(r"(series|error)-\w+|crosshair|accent|focus|good|bad|warn")


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_stand_out(theme: str) -> None:
    colours = {name: (light, dark)[theme == "dark"] for name, light, dark in COLOUR.findall(TOKENS.read_text())}
    lines = {name: colour for name, colour in colours.items() if LINES.fullmatch(name)}
    assert len(lines) == 12 + 2 + 8 + 6
    assert {name: it for name, it in lines.items() if contrast(it, colours["surface"]) < 3} == {}
