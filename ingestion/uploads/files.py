"""The folder of uploaded files. Their names on disk are ours; nobody but the portal's own user may read them."""

import os
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

ABANDONED: Final = timedelta(hours=1)
"""A file without an upload that nobody wrote into for so long belongs to a process that is gone."""
_NAME_LENGTH: Final = 200


def create() -> tuple[str, BinaryIO]:
    """A new empty file: its name in the folder, and the file to write into. Raises OSError."""
    settings.UPLOAD_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = secrets.token_hex(16)
    return name, os.fdopen(os.open(path_of(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def path_of(stored_as: str) -> Path:
    """Where a file is; never shown to anybody."""
    folder: Path = settings.UPLOAD_DIR
    return folder / stored_as


def remove(stored_as: str) -> None:
    """Delete a file, if it is still there."""
    path_of(stored_as).unlink(missing_ok=True)


def remove_abandoned(known: Collection[str], now: datetime) -> int:
    """Delete what no upload knows and nobody writes any more; the number of files deleted."""
    if not settings.UPLOAD_DIR.is_dir():
        return 0
    before = (now - ABANDONED).timestamp()
    # The name decides: whatever else an operator put into the folder stays.
    found = [path for path in settings.UPLOAD_DIR.iterdir() if len(path.name) == 32 and path.name not in known]
    abandoned = [path for path in found if path.stat(follow_symlinks=False).st_mtime < before]
    for path in abandoned:
        path.unlink(missing_ok=True)
    return len(abandoned)


def label(name: str) -> str:
    """What a person's file is called on pages: the last part of its path, without characters that cannot be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(character if character.isprintable() else "�" for character in last)
    return shown.strip()[:_NAME_LENGTH] or "file"
