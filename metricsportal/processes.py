"""Child processes that end with their parent, however it ends."""

import ctypes
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
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
    output: IO[bytes] | None = None,
    user: str | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a command, both its outputs to `output` when given, as `user` when we are root and may choose."""
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        user=user,
        group=user and _group_of(user),
        extra_groups=[] if user else None,
        preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509 - callers start children before any thread
    )


def _group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def stop(process: subprocess.Popen[bytes], *, signum: signal.Signals = signal.SIGTERM, seconds: float = 20) -> int:
    """Signal a child, wait, kill it when it does not end in time. Returns its exit code, negative for a signal."""
    if process.poll() is None:
        process.send_signal(signum)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
