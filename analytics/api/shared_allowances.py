"""Allowances counted in Redis for all server processes at once. While it is away, each process counts for itself."""

import logging
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import redis
from django.conf import settings

SECONDS: Final = 0.25  # longer than this nobody waits for a counter
PAUSE: Final = 10.0  # seconds without asking after it was away
# A bucket of tokens, refilled with the time of the Redis server: clocks of nodes may differ. Returns the tokens left
# and whether one was taken, times a million because Redis cuts numbers off.
_TAKE: Final = """
local limit, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local one = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = math.min(limit, (tonumber(one[1]) or limit) + math.max(now - (tonumber(one[2]) or now), 0) * rate)
local allowed = left >= 1 and 1 or 0
left = left - allowed
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil(limit / rate) + 1)
return {allowed, math.floor(left * 1000000)}
"""
_logger = logging.getLogger(__name__)
_lock: Final = Lock()
_away_until = [0.0]


@lru_cache(maxsize=1)
def _script(url: str) -> Callable[..., Any]:
    timeouts = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
    found: Callable[..., Any] = redis.Redis.from_url(url, **timeouts).register_script(_TAKE)
    return found


def take(kind: str, caller: str, limit: int, per_minute: int, now: float) -> tuple[bool, float] | None:
    """Whether a question is allowed and how many are left; None without Redis, or while it is away."""
    url: str = settings.THROTTLE_REDIS_URL
    if not url or now < _away_until[0]:
        return None
    try:
        allowed, left = _script(url)(keys=[f"portal:allowance:{kind}:{caller}"], args=[limit, per_minute / 60])
    except redis.RedisError as error:
        with _lock:
            _away_until[0] = now + PAUSE
        _logger.warning("Redis does not count questions; this process does: %s", error)
        return None
    return bool(allowed), left / 1_000_000


def forget() -> None:
    """Ask again at once."""
    _away_until[0] = 0.0
