"""HTTP statuses out of what sources say about failures. Pure."""

import re
from typing import Final

from ingestion.formats.values import text_of

STATUS_OF_CLASS: Final = {
    "RateLimitError": 429,
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "BadRequestError": 400,
    "Timeout": 408,
    "APITimeoutError": 408,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
}
_STATUS: Final = re.compile(r"[1-5]\d\d", re.ASCII)
_HEAD: Final = re.compile(r"(?:Error code: )?([1-5]\d\d)(?!\d)", re.ASCII)


def status_of(value: object, *, head: bool = False) -> int | None:
    """429, "429" -> 429; with `head` also the beginning of a message: "Error code: 429 - too many"."""
    text = text_of(value) or ""
    if _STATUS.fullmatch(text):
        return int(text)
    found = _HEAD.match(text) if head else None
    return int(found.group(1)) if found else None
