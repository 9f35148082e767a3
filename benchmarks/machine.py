"""What the figures were measured on."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import django
import numpy as np
from django.db import connection


def describe() -> list[tuple[str, str]]:
    """Name and value of everything that matters for the figures."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
        cursor.execute("SELECT name, setting || COALESCE(unit, '') FROM pg_settings WHERE name = ANY(%s)", [_SETTINGS])
        settings = ", ".join(f"{name} {value}" for name, value in sorted(cursor.fetchall()))
    return [
        *hardware(),
        ("PostgreSQL", f"{version}, same machine, unix socket; {settings}"),
        ("Python", f"{platform.python_version()}, Django {django.get_version()}, numpy {np.__version__}"),
    ]


def hardware() -> list[tuple[str, str]]:
    """The part that needs no database."""
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("processor", f"{os.cpu_count()} cores, {_processor()}"),
        ("memory", _memory()),
        ("load before the run", " ".join(f"{load:.2f}" for load in os.getloadavg())),
        ("system", f"{platform.system()} {platform.release()}"),
    ]


_SETTINGS = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size", "jit"]


def _fields(path: str) -> Iterator[tuple[str, str]]:
    """Names and values of a file of /proc; nothing on other systems."""
    file = Path(path)
    for line in file.read_text().splitlines() if file.exists() else []:
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _processor() -> str:
    return dict(_fields("/proc/cpuinfo")).get("model name") or platform.machine()


def _memory() -> str:
    kilobytes = dict(_fields("/proc/meminfo")).get("MemTotal", "").split()
    return f"{int(kilobytes[0]) / 2**20:.0f} GiB" if kilobytes else "unknown"
