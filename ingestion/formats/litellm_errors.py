"""Status, class and message of LiteLLM's failures. Pure."""

from typing import Final, NamedTuple

from ingestion.formats.errors import STATUS_OF_CLASS, status_of
from ingestion.formats.values import mapping_of, text_of

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
        status_of(about.get("error_code"))
        or status_of(about.get("normalized_error"), head=True)
        or status_of(message, head=True)
        or STATUS_OF_CLASS.get(name)
    )
    return Failure(status, name[:_TYPE_LENGTH], message)
