"""House rules that no linter keeps: short functions, short files, no drawers."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPS = ("metricsportal", "teams", "ingestion", "analytics")
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "misc", "extras"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 60


def sources(*folders: str) -> list[Path]:
    """Python files of the folders, migrations left out."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def lines_of(path: Path) -> int:
    return path.read_text().count("\n")


def lengths() -> Iterator[tuple[str, int]]:
    """Every function of the apps with its length in lines."""
    for path in sources(*APPS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short() -> None:
    found = dict(lengths())
    percentiles = statistics.quantiles(found.values(), n=100)
    assert statistics.median(found.values()) <= 8
    assert percentiles[98] <= 40
    assert {name: length for name, length in found.items() if length > LONGEST_FUNCTION} == {}


def test_files_are_short() -> None:
    scripts = [*(ROOT / "analytics" / "static" / "portal").rglob("*.js")]
    files = [*sources(*APPS, "deploy", "benchmarks"), *scripts]
    assert {str(path.relative_to(ROOT)): lines_of(path) for path in files if lines_of(path) > LONGEST_FILE} == {}


def test_there_is_no_drawer_for_everything() -> None:
    assert [
        path for path in sources(*APPS) if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES
    ] == []


@pytest.mark.parametrize("folder", APPS)
def test_every_app_says_what_it_is_for(folder: str) -> None:
    assert ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text()))
