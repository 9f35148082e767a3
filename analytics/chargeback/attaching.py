"""The file that comes with a statement by e-mail, as its recipient chose it. A mail never waits for its file."""

import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from django.core.mail import EmailMessage

from analytics.chargeback.document import from_json
from analytics.chargeback.files import csv_lines, filename
from analytics.chargeback.paper import CONTENT_TYPE, pdf_name, statement_pdf
from analytics.exports.focus.statement import statement_table
from analytics.exports.formats import pieces
from analytics.models import Statement

logger = logging.getLogger(__name__)
MOST_BYTES: Final = 8 << 20
"""Of a file that is attached: many mail servers refuse messages of more than 10 MB, and encoding adds a third."""

ELSEWHERE: Final = "The page of the statement in the portal has every file of it."


class Attached(NamedTuple):
    """A file, and what the mail says of it; without a file why there is none."""

    words: str
    name: str = ""
    content: bytes = b""
    content_type: str = ""

    def put_into(self, message: EmailMessage) -> None:
        """Attach it where there is one."""
        if self.name:
            message.attach(self.name, self.content, self.content_type)


def attached(statement: Statement, choice: str) -> Attached:
    """What comes with the mail; whatever goes wrong, a sentence that says where the file is."""
    make = _MAKERS.get(choice)
    if make is None:
        return Attached("")
    try:
        found = make(statement)
    except Exception:  # also a library's trouble: with one file, and it must not keep the mail
        logger.exception("the file %s of statement %s cannot be made", choice, statement.number)
        return Attached(f"The {choice.upper()} file could not be attached. {ELSEWHERE}")
    if len(found.content) > MOST_BYTES:
        return Attached(f"The {choice.upper()} file is too large for an e-mail. {ELSEWHERE}")
    return found


def _csv(statement: Statement) -> Attached:
    # With a byte order mark: spreadsheets read CSV without one in a legacy encoding.
    file = "\ufeff" + "".join(csv_lines(from_json(statement.document)))
    words = "The attached CSV file holds every line, rounded and exact."
    return Attached(words, filename(statement.number), file.encode(), "text/csv")


def _pdf(statement: Statement) -> Attached:
    content = statement_pdf(statement)
    return Attached("The attached PDF file says the same.", pdf_name(statement.number), content, CONTENT_TYPE)


def _focus(statement: Statement) -> Attached:
    table = statement_table(statement.period.organization_id, statement.number)
    if table is None:
        return Attached("There is no FOCUS file: this month was closed without rows by token class.")
    content = bytearray()
    for piece in pieces(table, "csv"):
        content += piece
        if len(content) > MOST_BYTES:
            break
    words = "The attached FOCUS file holds the same by UTC day and token class."
    return Attached(words, f"focus-{statement.number}.csv", bytes(content), "text/csv")


_MAKERS: Final[dict[str, Callable[[Statement], Attached]]] = {"csv": _csv, "pdf": _pdf, "focus": _focus}
