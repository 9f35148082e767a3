"""What is remembered by itself follows the memory of the machine, or of the container."""

from pathlib import Path

import pytest

from metricsportal import room


@pytest.mark.parametrize(
    ("text", "megabytes"),
    [("1073741824\n", 1073), ("max\n", None), ("9223372036854771712\n", None), ("", None), (None, None)],
)
def test_a_container_has_its_own_limit_and_no_other_counts(
    tmp_path: Path, text: str | None, megabytes: int | None
) -> None:
    file = tmp_path / "memory.max"
    if text is not None:
        file.write_text(text)
    machine = room.memory_mb(())
    assert machine > 1073
    assert room.memory_mb((file,)) == (megabytes or machine)


@pytest.mark.parametrize(("memory", "expected"), [(800, 50), (8_000, 500), (64_000, 512)])
def test_a_share_has_an_upper_limit(monkeypatch: pytest.MonkeyPatch, memory: int, expected: int) -> None:
    monkeypatch.setattr(room, "memory_mb", lambda: memory)
    assert room.share_mb(16, most=512) == expected
