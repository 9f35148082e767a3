"""Parts on the disk: complete or absent, whatever was cut off or changed, and one process at a time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics.exports.jobs.parts import Parts, TakenError
from analytics.exports.table import Batch

ROOT = Path(__file__).resolve().parents[3]
OPENING = {"manifest": {"filters": ["é"]}, "meta": {}}
BATCHES = [
    Batch([["a", None], [1, 2**80], [0.1, None], [{"k": "v"}, None]], "first"),
    Batch([["b"], [3], [1e-300], [None]]),  # the source cannot go on behind this one
    Batch([["c"], [4], [5.0], [None]], "second"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parts"


def fill(path: Path, batches: list[Batch], *, finished: bool = False) -> list[int]:
    """The sizes of the file after each step."""
    sizes = []
    with Parts(path) as parts:
        parts.begin(OPENING)
        sizes.append(path.stat().st_size)
        for batch in batches:
            parts.add(batch)
            sizes.append(path.stat().st_size)
        if finished:
            parts.finish()
    return sizes


def content(parts: Parts) -> list[tuple[Any, Any]]:
    return [(batch.columns, batch.mark) for batch in parts.batches()]


def test_what_was_kept_comes_back(path: Path) -> None:
    fill(path, BATCHES, finished=True)
    assert path.stat().st_mode & 0o777 == 0o600
    with Parts(path) as parts:
        assert (parts.opening, parts.complete, parts.rows, parts.mark) == (OPENING, True, 4, "second")
        assert content(parts) == [(list(batch.columns), batch.mark) for batch in BATCHES]


def expected(cut: int, sizes: list[int]) -> tuple[int, str | None, int]:
    """Batches, mark and rows that must be left of a file that was cut at a byte."""
    if cut >= sizes[3]:
        return 3, "second", 4
    return (1, "first", 2) if cut >= sizes[1] else (0, None, 0)


def test_a_torn_end_is_cut_off_wherever_it_tears(path: Path) -> None:
    sizes = fill(path, BATCHES)
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with Parts(path) as parts:
            left = (len(content(parts)), parts.mark, parts.rows)
            assert left == expected(cut, sizes), cut
            assert parts.opening == (OPENING if cut >= sizes[0] else None)
            assert not parts.complete


def test_a_changed_byte_ends_what_is_believed(path: Path) -> None:
    sizes = fill(path, BATCHES)
    whole = bytearray(path.read_bytes())
    whole[sizes[1] + 12] ^= 1
    path.write_bytes(bytes(whole))
    with Parts(path) as parts:
        assert (len(content(parts)), parts.mark) == (1, "first")


def test_going_on_gives_what_one_go_would_have_given(path: Path, tmp_path: Path) -> None:
    fill(path, BATCHES[:2])
    with path.open("ab") as file:
        file.write(b"\x00\x00\x00\xff torn")
    with Parts(path) as parts:
        assert parts.mark == "first"
        for batch in BATCHES[1:]:
            parts.add(batch)
        parts.finish()
    fill(tmp_path / "other", BATCHES, finished=True)
    assert path.read_bytes() == (tmp_path / "other").read_bytes()


HOLD = """
import sys
from pathlib import Path
from analytics.exports.jobs.parts import Parts
with Parts(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """One that has the parts open."""
    command = [sys.executable, "-c", "import django; django.setup()" + HOLD, str(path)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_process_at_a_time(path: Path, other_process: "subprocess.Popen[str]") -> None:
    with pytest.raises(TakenError):
        Parts(path)
    other_process.kill()
    other_process.wait()
    fill(path, BATCHES)  # the system gave them back


def test_two_threads_of_a_process_neither(path: Path) -> None:
    with Parts(path), pytest.raises(TakenError):
        Parts(path)
    fill(path, BATCHES)
