"""Rules of the front end that need no browser: small modules, nothing inline, nothing parsed as HTML."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

ROOT = Path(settings.BASE_DIR)
STATIC = ROOT / "analytics" / "static" / "portal"
SOURCES = sorted([*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *(ROOT / "templates").rglob("*.html")])
SCRIPTS = [path for path in SOURCES if path.suffix == ".js"]
TEMPLATES = [path for path in SOURCES if path.suffix == ".html"]
STYLES = [path for path in SOURCES if path.suffix == ".css"]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_are_sources() -> None:
    assert len(SCRIPTS) > 15
    assert len(TEMPLATES) > 10
    assert len(STYLES) > 5


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_sources_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 300


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_scripts_never_parse_html_or_evaluate_text(path: Path) -> None:
    code = path.read_text()

    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser", code
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_scripts_import_files_that_exist(path: Path) -> None:
    imported = re.findall(r'from "([^"]+)"', path.read_text())

    assert all((path.parent / name).is_file() for name in imported)
    assert all(name.startswith("./") for name in imported)


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_templates_hold_no_inline_code(path: Path) -> None:
    if "mail" in path.parts:
        pytest.skip("mail clients take inline styles only")
    if path.name == "paper.html":
        pytest.skip("becomes a PDF and reaches no browser; while it does, nothing is loaded")
    markup = path.read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)", markup)
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", markup)
    # Help texts are HTML written by Django: the list of password rules.
    assert "|safe" not in markup.replace("field.help_text|safe", "")


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_static_files_of_templates_exist(path: Path) -> None:
    names = re.findall(r"{% static '([^']+)' %}", path.read_text())

    assert [name for name in names if finders.find(name) is None] == []


def test_icons_that_are_named_are_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    markup = "".join(path.read_text() for path in TEMPLATES)
    in_templates = set(re.findall(r'icon\.html" with name="([^"]+)"', markup))
    in_scripts = {name for path in SCRIPTS for name in re.findall(r'\bicon\("([^"]+)"\)', path.read_text())}

    assert in_templates | in_scripts <= drawn
    assert in_templates
    assert in_scripts


@pytest.mark.parametrize("path", STYLES, ids=_name)
def test_styles_load_nothing_from_elsewhere(path: Path) -> None:
    assert not re.search(r"@import|url\(|https?:", path.read_text())


def test_custom_properties_that_are_used_are_defined() -> None:
    ours = [path for path in STYLES if not path.name.startswith("admin")]  # those use the properties of Django
    written = "\n".join(path.read_text() for path in ours)
    defined = set(re.findall(r"(--[a-z0-9-]+):", written)) | {"--part"}

    assert set(re.findall(r"var\((--[a-z0-9-]+)", written)) <= defined
