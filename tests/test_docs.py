"""What the documentation lists is what the code has."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("", "-dev", "-services", "-node", "-prices", "-exports", "-pdf", "-bench")
LOCKS = [f"requirements{name}" for name in NAMES]
FIRST_CELL = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


def documented(name: str) -> set[str]:
    """First cells of the tables of a page, where they are code."""
    return set(FIRST_CELL.findall((ROOT / "docs" / name).read_text()))


def settings_variables() -> set[str]:
    """Environment variables that the settings read: first arguments of `env.something("NAME", ...)`."""
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / "metricsportal/settings.py").read_text()))
        if isinstance(node, ast.Call)
    ]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }


def requirements(name: str) -> set[str]:
    """Package names of a .in file."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return {re.split(r"[\[<>=~]", line)[0] for line in lines if line and not line.startswith("-")}


def test_every_variable_of_the_settings_is_explained() -> None:
    explained = {name for name in documented("configuration.md") if name.isupper()}
    assert explained == settings_variables()
    assert len(explained) > 20


def test_the_example_names_only_variables_that_exist() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named <= settings_variables()
    assert {"DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS"} <= named


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for app in ("metricsportal", "teams", "ingestion", "analytics")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"\bos\.environ\b|\bgetenv\b", path.read_text())
    }
    # These name the settings module or hand the environment on to child processes.
    assert readers == {
        "metricsportal/asgi.py",
        "metricsportal/celery.py",
        "metricsportal/children.py",
        "metricsportal/management/commands/up.py",
        "metricsportal/wsgi.py",
    }


def test_every_direct_dependency_has_its_reason() -> None:
    python = set().union(*(requirements(f"{name}.in") for name in LOCKS))
    browser = set(json.loads((ROOT / "package.json").read_text())["dependencies"])
    assert documented("dependencies.md") == python | browser


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_every_requirement_with_hashes_and_no_address(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text[text.index("\n", text.index("make lock")) + 1 :])
    locked = {block.partition("==")[0].partition("[")[0] for block in blocks}
    assert requirements(f"{name}.in") <= locked
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?:|file:|^--|/(?:opt|root|home|tmp)/", text, re.MULTILINE)


def test_the_lock_of_the_browser_packages_names_no_address() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    root = lock["packages"].pop("")
    assert root["dependencies"] == json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert all("integrity" in package and "resolved" not in package for package in lock["packages"].values())


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
    assert pages
    for page in pages:
        for target in LINK.findall(page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
