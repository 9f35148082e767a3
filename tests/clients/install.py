"""A folder of its own for every client: a virtual environment or an npm folder, kept between runs."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.clients.portal import ROOT

FOLDER: Final = ROOT / "var" / "clients"
SCRIPTS: Final = Path(__file__).parent / "scripts"
_SECONDS: Final = 900


def python(name: str, packages: Sequence[str]) -> Path:
    """The folder with `bin/python` and the packages."""
    folder = FOLDER / name
    if not _is_made(folder, packages):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], folder)
        _remember(folder, packages)
    return folder


def node(name: str, packages: Sequence[str]) -> Path:
    """The folder with `node_modules` and the scripts, which find the packages only from there."""
    folder = FOLDER / name
    if not _is_made(folder, packages):
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}')
        _run(["npm", "install", "--no-audit", "--no-fund", "--silent", *packages], folder)
        _remember(folder, packages)
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


def _is_made(folder: Path, packages: Sequence[str]) -> bool:
    """Whether it holds these packages; what holds others is removed."""
    marker = folder / "packages.json"
    if marker.exists() and json.loads(marker.read_text()) == list(packages):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False


def _remember(folder: Path, packages: Sequence[str]) -> None:
    (folder / "packages.json").write_text(json.dumps(list(packages)))


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=_SECONDS)
