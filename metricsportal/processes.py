"""Child processes that end with their parent, however it ends."""

import ctypes
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


def _die_with_parent(signum: int) -> Callable[[], None] | None:
    """What the child does before exec: ask Linux for a signal at its parent's death. Elsewhere nothing."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signum)


def start(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    output: IO[bytes] | None = None,
    user: str | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a command in a folder, both its outputs to `output` when given, as `user` when root may choose."""
    return subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509 - callers start children before any thread
    )


def wait(process: subprocess.Popen[bytes], *, seconds: float) -> int:
    """Wait for a child and kill it when it does not end in time. Returns its exit code, negative for a signal."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def stop(process: subprocess.Popen[bytes], *, signum: signal.Signals = signal.SIGTERM, seconds: float = 20) -> int:
    """Signal a child and wait for it, see `wait`."""
    if process.poll() is None:
        process.send_signal(signum)
    return wait(process, seconds=seconds)
