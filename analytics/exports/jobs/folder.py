"""The folder of a job: its parts while they are read, then the file and its manifest. For the portal's user alone."""

import os
import shutil
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

PARTS: Final = "parts"
FILE: Final = "file"
MANIFEST: Final = "manifest.json"
ABANDONED: Final = timedelta(hours=1)
"""A folder without a job into which nobody wrote for so long belongs to a process that is gone."""
_NAME_LENGTH: Final = 32


def path_of(job_id: uuid.UUID, name: str = "") -> Path:
    """Where a job's folder, or a file in it, is; never shown to anybody."""
    folder: Path = settings.EXPORT_DIR
    return folder / job_id.hex / name


def create(job_id: uuid.UUID) -> None:
    """Make the folder, if it is not there yet. Raises OSError."""
    settings.EXPORT_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    path_of(job_id).mkdir(mode=0o700, exist_ok=True)


def opened(path: Path, *, anew: bool) -> BinaryIO:
    """A file to write, readable for nobody else. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if anew else 0)
    return os.fdopen(os.open(path, flags, 0o600), "r+b")


def replace(path: Path, content: bytes) -> None:
    """Write a small file: the old content or all of the new one is there, whatever happens."""
    written = path.with_suffix(".new")
    with opened(written, anew=True) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)


def remove(job_id: uuid.UUID) -> None:
    """Delete everything of a job, if it is still there."""
    shutil.rmtree(path_of(job_id), ignore_errors=True)


def remove_abandoned(known: Collection[uuid.UUID], now: datetime) -> int:
    """Delete the folders of no job, once nobody writes into them any more; how many."""
    if not settings.EXPORT_DIR.is_dir():
        return 0
    names, before = {one.hex for one in known}, (now - ABANDONED).timestamp()
    # The name decides: whatever else an operator put into the folder stays.
    found = [
        path for path in settings.EXPORT_DIR.iterdir() if len(path.name) == _NAME_LENGTH and path.name not in names
    ]
    abandoned = [path for path in found if path.stat(follow_symlinks=False).st_mtime < before]
    for path in abandoned:
        shutil.rmtree(path, ignore_errors=True)
    return len(abandoned)
