"""The browser of the browser tests: the machine's Chromium, installed where that is possible."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHY_NOT = "no Chromium on this machine (looked for: " + ", ".join(NAMES) + ")"

# As root Chromium refuses its sandbox; the other switches keep it from calling home.
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find() -> str | None:
    """Path of the browser, None when the machine has none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def ensure() -> str | None:
    """Path of the browser; as root on Debian or Ubuntu it is installed first. None where that is not possible."""
    found = find()
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    sys.stderr.write("==> installing Chromium for the browser tests\n")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (("update",), ("install", "-y", "--no-install-recommends", "chromium")):
        subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
    return find()
