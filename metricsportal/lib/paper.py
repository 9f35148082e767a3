"""HTML on paper: PDF by WeasyPrint, where it is installed. No file and no address is read, whatever the text says."""

import re
from functools import cache
from importlib.util import find_spec
from threading import Lock
from typing import Final

MISSING: Final = (
    "PDF is not made here: it needs the package WeasyPrint (pip install -r requirements-pdf.txt) and the library Pango."
)
BUSY: Final = "Several PDFs are being made right now. Try again in a minute."
WAIT_SECONDS: Final = 20.0
# No font has them, and what has no letter makes the text beside it unreadable for programs.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# One at a time in a process: what a rendering takes is taken once, however many people ask.
_TURN: Final = Lock()


class PaperError(Exception):
    """There is no PDF; the text is a sentence for people."""


class MissingPaperError(PaperError):
    """None is made by this installation."""


class BusyPaperError(PaperError):
    """Too many are being made at this moment."""


@cache
def available() -> bool:
    """Whether PDF can be made here. The first call of a process loads the libraries."""
    if find_spec("weasyprint") is None:
        return False
    try:
        import weasyprint  # noqa: F401, PLC0415 - may be absent, and is large
    except (ImportError, OSError):  # the package is there, a library below it is not
        return False
    return True


def pdf(html: str) -> bytes:
    """The pages of a document: the same bytes for the same text and fonts. Raises PaperError."""
    if not available():
        raise MissingPaperError(MISSING)
    from weasyprint import HTML  # noqa: PLC0415 - may be absent, and is large
    from weasyprint.urls import URLFetcher  # noqa: PLC0415

    # Pictures, style sheets, fonts and attachments that a text names: none, of whatever protocol (`data:` too).
    nothing = URLFetcher(allowed_protocols=())
    if not _TURN.acquire(timeout=WAIT_SECONDS):
        raise BusyPaperError(BUSY)
    try:
        return bytes(HTML(string=_CONTROLS.sub("\ufffd", html), url_fetcher=nothing).write_pdf(pdf_tags=True))
    finally:
        _TURN.release()
