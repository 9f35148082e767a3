"""The little Markdown of which the page of figures consists."""

from collections.abc import Iterable, Sequence

Bar = tuple[str, str, str]
"""What must hold, what was measured, and whether it holds."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a line of names."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdict(met: bool) -> str:
    """What a bar says."""
    return "met" if met else "**missed**"
