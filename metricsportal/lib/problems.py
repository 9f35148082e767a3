"""Problem documents of RFC 9457 as plain dictionaries, so that every endpoint refuses in the same words."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

CONTENT_TYPE: Final = "application/problem+json"
BASE: Final = "https://docs.metrics-portal.example/problems/"
KINDS: Final = {
    400: ("invalid-request", "The request is not valid"),
    401: ("not-authenticated", "A valid key or a session is needed"),
    403: ("forbidden", "This key or role does not allow this"),
    404: ("not-found", "There is nothing here"),
    405: ("method-not-allowed", "This method is not offered here"),
    408: ("too-slow", "The request did not arrive in time"),
    409: ("conflict", "The present state forbids this"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-format", "This format is not supported"),
    422: ("question-too-large", "The question is too large"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal-error", "Something went wrong on our side"),
    503: ("unavailable", "Not available at the moment"),
}
"""Status -> last part of `type`, default title. Both are stable; docs/api.md lists them."""
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id_of(header: str | None) -> str:
    """The id under which a refusal is found in the logs: the caller's own when it is harmless, else a new one."""
    return header if header and _SAFE_ID.fullmatch(header) else secrets.token_hex(6)


def problem(
    status: int,
    detail: str,
    *,
    instance: str,
    request_id: str,
    title: str = "",
    kind: str = "",
    errors: Sequence[Mapping[str, Any]] = (),
    **extra: Any,
) -> dict[str, Any]:
    """One problem document. `errors`: one entry per thing wrong; `extra`: members of this kind of problem alone."""
    default_kind, default_title = KINDS.get(status, ("error", "The request was refused"))
    document: dict[str, Any] = {
        "type": BASE + (kind or default_kind),
        "title": title or default_title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "request_id": request_id,
    }
    if errors:
        document["errors"] = [dict(one) for one in errors]
    return document | extra
