"""How often a caller may ask. Counted in Redis if there is one, else in this process: its absence refuses nobody."""

import time
from dataclasses import dataclass
from math import ceil, floor
from threading import Lock
from typing import Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from analytics.api import shared_allowances

BURST_MINUTES: Final = 10  # a caller who was quiet may ask for so many minutes' worth at once
_MOST_CALLERS: Final = 10_000  # remembered; who is forgotten starts afresh
_lock: Final = Lock()


@dataclass(slots=True)
class Allowance:
    """Questions that a caller has left, refilled with time."""

    left: float
    at: float


_allowances: Final[dict[tuple[str, str], Allowance]] = {}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands after a question: `reset` = seconds until the next one, or until all are there again."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """For every answer."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


def take(kind: str, caller: str, per_minute: int, now: float) -> Standing:
    """One question of a caller. `now`: seconds of any steady clock."""
    limit = per_minute * BURST_MINUTES
    allowed, left = shared_allowances.take(kind, caller, limit, per_minute, now) or _own(
        kind, caller, limit, per_minute, now
    )
    missing = limit - left if allowed else 1 - left
    return Standing(allowed, limit, floor(left), ceil(missing * 60 / per_minute))


def _own(kind: str, caller: str, limit: int, per_minute: int, now: float) -> tuple[bool, float]:
    """Whether this process allows it, and how many are left."""
    with _lock:
        one = _allowances.get((kind, caller))
        if one is None:
            if len(_allowances) >= _MOST_CALLERS:
                _allowances.clear()
            one = _allowances[(kind, caller)] = Allowance(limit, now)
        one.left = min(limit, one.left + max(now - one.at, 0) * per_minute / 60)
        one.at = now
        allowed = one.left >= 1
        one.left -= allowed
        return allowed, one.left


def forget() -> None:
    """Everybody starts afresh."""
    with _lock:
        _allowances.clear()
    shared_allowances.forget()


class PerCaller(BaseThrottle):
    """Refuses a key or person who asks too often; leaves `standing` on the request for the headers."""

    def __init__(self) -> None:
        self.standing: Standing | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether the caller may ask now."""
        kind: str = getattr(view, "throttle_kind", "queries")
        per_minute = {"queries": settings.QUERIES_PER_MINUTE, "suggestions": settings.SUGGESTIONS_PER_MINUTE}[kind]
        self.standing = take(kind, _caller(request), per_minute, time.monotonic())
        request.standing = self.standing  # type: ignore[attr-defined] # read by PortalView for the headers
        return self.standing.allowed

    def wait(self) -> float | None:
        """Seconds until the next question."""
        return self.standing.reset if self.standing else None


def _caller(request: Request) -> str:
    prefix = getattr(request.auth, "prefix", None)  # None: a browser
    return f"person {request.user.pk}" if prefix is None else f"key {prefix}"
