"""Processor time of the portal's commands and of PostgreSQL, from the operating system."""

import os
import resource
from pathlib import Path

from django.db import connection

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _UTIME, _CHILDREN = 1, 11, 15
"""Places in /proc/<pid>/stat behind the name: parent, user time, and where the times of ended children end."""


def of_children() -> float:
    """Seconds of all commands that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def of_database() -> float | None:
    """Seconds of all processes of the database server since its start; 0 where it runs in us, None if elsewhere."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = _stat(cursor.fetchone()[0])
    if backend is None:
        return None
    server = int(backend[_PARENT])
    found = _stat(server)
    if found is None:
        return None
    alive = [stat for path in Path("/proc").glob("[0-9]*") if (stat := _stat(int(path.name)))]
    # The server's own time with that of its ended processes, and the time of those that run.
    ticks = sum(map(int, found[_UTIME:_CHILDREN]))
    ticks += sum(int(stat[_UTIME]) + int(stat[_UTIME + 1]) for stat in alive if int(stat[_PARENT]) == server)
    return ticks / _TICKS


def _stat(pid: int) -> list[str] | None:
    """The fields behind the name of a process; None when it is gone, or on another system."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
