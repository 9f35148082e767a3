"""How much memory there is: what is remembered by itself must suit a small machine and a large one."""

import os
from pathlib import Path
from typing import Final

_CONTAINERS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux says what a container may use, in the second and the first version of its control groups."""
_MEGABYTE: Final = 10**6


def memory_mb(containers: tuple[Path, ...] = _CONTAINERS) -> int:
    """Megabytes of the machine, or of the container where that is less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *(limit for one in containers if (limit := _limit(one)))]) // _MEGABYTE


def share_mb(part: int, most: int) -> int:
    """One of so many parts of the memory, at most that many megabytes."""
    return min(memory_mb() // part, most)


def _limit(file: Path) -> int | None:
    """Bytes; None where nothing is limited."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
