"""Status, class and message of LiteLLM's failures. Pure."""

import re
from typing import Final, NamedTuple

from ingestion.formats.values import mapping_of, text_of

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
_HEAD: Final = re.compile(r"(?:Error code: )?([1-5]\d\d)(?!\d)")
_TYPE_LENGTH: Final = 128


class Failure(NamedTuple):
    """How a call failed."""

    status_code: int | None
    error_type: str
    error_message: str | None


def failure_of(information: object, error_str: object) -> Failure:
    """Read `error_information`: codes may be a status, a provider's own word or empty."""
    about = mapping_of(information)
    name = text_of(about.get("error_class")) or text_of(about.get("normalized_error")) or "error"
    message = text_of(about.get("error_message")) or text_of(error_str)
    status = (
        _status(about.get("error_code"))
        or _head(about.get("normalized_error"))
        or _head(message)
        or STATUS_OF_CLASS.get(name)
    )
    return Failure(status, name[:_TYPE_LENGTH], message)


def _status(value: object) -> int | None:
    text = text_of(value) or ""
    return int(text) if re.fullmatch(r"[1-5]\d\d", text, re.ASCII) else None


def _head(value: object) -> int | None:
    found = _HEAD.match(text_of(value) or "")
    return int(found.group(1)) if found else None
