"""A statement as PDF: the figures of page, CSV and e-mail on A4, from frozen documents alone."""

from typing import Final

from django.template.loader import render_to_string

from analytics.chargeback.document import from_json
from analytics.chargeback.insight import bars
from analytics.chargeback.presentation import shown
from analytics.models import Statement
from metricsportal.lib import formats, paper
from metricsportal.lib.paper import BusyPaperError, MissingPaperError, PaperError

CONTENT_TYPE: Final = "application/pdf"
MOST_LINES: Final = 300
"""Of a statement that is written as PDF: some seconds of one processor."""


def statement_pdf(statement: Statement) -> bytes:
    """The file: the same bytes for the same statement. Raises PaperError with a sentence where there is none."""
    document = from_json(statement.document)
    view = shown(document, statement.digest)
    lines = len(view.all_rows)
    if lines > MOST_LINES:
        raise PaperError(
            f"This statement has {formats.exact(lines)} lines; a PDF is made of up to {formats.exact(MOST_LINES)}. "
            "The CSV file holds all of them."
        )
    context = {"statement": view, "bars": bars(statement), "at": document.issued_at}
    return paper.pdf(render_to_string("analytics/statements/paper.html", context))


def status_of(refusal: PaperError) -> int:
    """How HTTP says it: this installation makes none, other PDFs are being made, or the statement is too long."""
    return {MissingPaperError: 415, BusyPaperError: 503}.get(type(refusal), 422)


def pdf_name(number: str) -> str:
    """Name of the file; numbers of statements hold nothing but letters, digits and hyphens."""
    return f"statement-{number}.pdf"
