"""Makes this folder runnable: `.venv` with the locked packages, `node_modules` with the front-end assets.

Needs only Python 3.11+ and the package indexes. What is already there is left alone, so a second call needs no
network: every step leaves a stamp with the hash of the lock file it installed.

    python3 deploy/bootstrap_env.py [--dev] [--bench]
"""

from __future__ import annotations  # so that a Python that is too old reads this far and says so

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")
NO_ENSUREPIP = (
    "Python {}.{} of this machine cannot create virtual environments: its module `ensurepip` is missing.\n"
    "On Debian and Ubuntu it comes with the package python{}.{}-venv."
)


def say(sentence: str) -> None:
    """One line about what takes time now."""
    sys.stderr.write(f"==> {sentence}\n")


def stop(sentence: str) -> None:
    """End with a sentence instead of a traceback."""
    sys.exit(f"error: {sentence}")


def require_python() -> None:
    """Go on with the newest Python of the machine when this one is too old."""
    if sys.version_info >= (3, 11):  # noqa: UP036 - this file is also read by Pythons that are too old
        return
    for name in NEWER_PYTHONS:
        path = shutil.which(name)
        if path:
            os.execv(path, [path, *sys.argv])  # noqa: S606 - found on PATH by a fixed name
    found = ".".join(map(str, sys.version_info[:2]))
    stop(f"Python 3.11 or newer is needed; this is {found} and none of {', '.join(NEWER_PYTHONS)} is on PATH.")


def run(command: list[str], what: str, **environment: str) -> None:
    """Run a step; its failure ends the set-up with what failed."""
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode
    if code:
        stop(f"{what} failed (exit code {code}); the lines above say why.")


def create_venv() -> None:
    """Create `.venv`, or create it again when its interpreter no longer runs."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0:
        return
    try:
        import ensurepip  # noqa: F401, PLC0415 - only to learn whether it is there
    except ImportError:
        stop(NO_ENSUREPIP.format(*sys.version_info[:2] * 2))
    say("creating .venv")
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], "creating .venv")


def content_hash(*names: str) -> str:
    """Hash over files of the project and the interpreter's version."""
    digest = hashlib.sha256(sys.version.encode())
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_stamped(stamp: Path, content: str) -> bool:
    """Whether the step that leaves this stamp was finished for this content."""
    return stamp.exists() and stamp.read_text() == content


def install_packages(lock: str) -> None:
    """Install a lock file into `.venv`: nothing that is not in it, nothing whose hash differs."""
    stamp, content = VENV / f"installed-{lock}", content_hash(lock)
    if is_stamped(stamp, content):
        return
    say("installing Python packages of " + lock)
    command = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-input", "--require-hashes", "-r", lock]
    run(command, "installing " + lock, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")
    stamp.write_text(content)


def machine_npm() -> str:
    """The machine's npm, empty when it has none that reads our lock file (npm 8 or newer)."""
    npm = shutil.which("npm")
    if not npm:
        return ""
    answer = subprocess.run([npm, "--version"], check=False, capture_output=True, text=True)
    major = answer.stdout.strip().partition(".")[0]
    return npm if major.isdigit() and int(major) >= 8 else ""


def install_assets() -> None:
    """Install the front-end packages of package-lock.json, without running their scripts."""
    stamp, content = ROOT / "node_modules" / ".installed", content_hash("package.json", "package-lock.json")
    if is_stamped(stamp, content):
        return
    npm = machine_npm()
    if not npm:
        say("this machine has no npm 8 or newer; taking one from the Python package index (200 MB)")
        install_packages("requirements-node.txt")
        npm = str(BIN / "npm")
    say("installing front-end assets")
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    run(command, "npm ci", PATH=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")
    stamp.write_text(content)


def main() -> None:
    """Set up what `make run` needs, with --dev also what the tests and checks need."""
    require_python()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="also the packages of the tests and checks")
    parser.add_argument("--bench", action="store_true", help="also what the portal is measured beside")
    options = parser.parse_args()
    create_venv()
    install_packages("requirements.txt")
    if options.dev:
        install_packages("requirements-dev.txt")
    if options.bench:
        install_packages("requirements-bench.txt")
    install_assets()


if __name__ == "__main__":
    main()
