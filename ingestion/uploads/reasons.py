"""Why a file cannot be read to its end, in a sentence for its owner that names no path."""

import gzip
import zlib
from typing import Final

from ingestion.formats import MalformedError, UnsupportedError
from ingestion.normalisation import error_text

UNREADABLE: Final = (OSError, EOFError, zlib.error, MalformedError, UnsupportedError)
_LENGTH: Final = 500


def reason(error: BaseException) -> str:
    """The sentence; what a format says holds line, column and names of columns, which may be anything."""
    return (error_text(_sentence(error)) or "")[:_LENGTH]


def _sentence(error: BaseException) -> str:
    match error:
        case gzip.BadGzipFile() | EOFError() | zlib.error():
            return "The gzip data is damaged or cut short. Compress the file again."
        case FileNotFoundError():
            return "The file is not here: PORTAL_UPLOAD_DIR must be one folder that web servers and workers share."
        case OSError():
            return f"The file cannot be read from the portal's disk ({error.strerror})."
        case _:
            return str(error)
