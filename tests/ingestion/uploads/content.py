"""Files that tests upload."""

from datetime import timedelta
from typing import Final

from tests import make

HEADER: Final = "request_id,started_at,model,input_tokens,user\n"
REJECTED: Final = "no-time,never,gpt-5,1,\n"


def csv(count: int, *, first: int = 0, more: str = "") -> bytes:
    """So many requests, a minute apart, and further rows as they are."""
    rows = (
        f"r{number},{(make.NOW - timedelta(minutes=number)).isoformat()},gpt-5,{100 + number},user-{number % 3}\n"
        for number in range(first, first + count)
    )
    return (HEADER + "".join(rows) + more).encode()
