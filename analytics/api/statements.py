"""`statements`: what each team is charged, as it was frozen."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404, HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics.api import cursors, schema
from analytics.api.base import PortalView
from analytics.api.checks import Checks, parameters, refuse
from analytics.api.problems import NoFileError
from analytics.chargeback import classes, paper, reading
from analytics.chargeback.document import from_json, is_unknown
from analytics.chargeback.files import csv_lines, filename
from analytics.chargeback.months import parse_month
from analytics.chargeback.reading import Place
from analytics.exports.cells import instant
from analytics.exports.formats import JSON
from metricsportal.lib import csv_stream
from metricsportal.lib.money import usd_text
from metricsportal.lib.paper import PaperError
from teams.access import Scope
from teams.authentication import ScopedRequest

if TYPE_CHECKING:  # a view knows rows by name only
    from analytics.models import Statement

MAX_LIMIT: Final = 1000
_CSV: Final = "csv"
_PDF: Final = "pdf"
_CLASSES: Final = "classes"


class Statements(PortalView):
    """The statements that the caller sees."""

    @extend_schema(**schema.STATEMENTS)
    def get(self, request: ScopedRequest) -> Response:
        """Totals of each, newest month first."""
        given = parameters(request.query_params, ("month", "limit", "cursor"))
        checks = Checks()
        month = checks.attempt(lambda: _month(given))
        limit = checks.whole(given.get("limit", 100), ("limit",), 1, MAX_LIMIT) or 1
        asked = {"statements": "", "month": given.get("month", "")}
        after = checks.attempt(lambda: _place(given, request.scope, asked))
        checks.finish()
        found, more = reading.page(reading.issued(request.scope, month).defer("document"), limit, after)
        place = [f"{found[-1].period.month:%Y-%m-%d}", found[-1].number] if more else None
        following = cursors.seal(place, request.scope, asked) if place else None
        return Response({"results": [_summary(one) for one in found], "next_cursor": following})


class StatementDetail(PortalView):
    """One statement."""

    @extend_schema(**schema.STATEMENT)
    def get(self, request: ScopedRequest, number: str) -> HttpResponseBase:
        """The frozen document with its hash, or the file that was attached to its e-mails."""
        given = parameters(request.query_params, ("format", "detail"))
        checks = Checks()
        written = checks.choice(given.get("format", JSON), (JSON, _CSV, _PDF), ("format",))
        detailed = "detail" in given and checks.choice(given["detail"], (_CLASSES,), ("detail",)) == _CLASSES
        if detailed and written == _PDF:
            checks.add(("format",), "invalid_value", "The detail comes as json or csv.")
        checks.finish()
        found = reading.find(request.scope, number)
        if found is None:
            raise Http404
        if detailed:
            return _detail(found, written)
        if written == JSON:
            return Response({"sha256": found.digest, "document": found.document})
        if written == _PDF:
            return _file(_pdf(found), paper.CONTENT_TYPE, paper.pdf_name(found.number))
        text = "\ufeff" + "".join(csv_lines(from_json(found.document)))
        return _file(text, csv_stream.CONTENT_TYPE, filename(found.number))


def _detail(statement: "Statement", written: str | None) -> HttpResponseBase:
    """What stands behind its lines, by virtual account and token class."""
    document = from_json(statement.document)
    rows = classes.class_rows(statement, document)
    if rows is None:
        raise Http404
    if written == JSON:
        return Response({"sha256": statement.digest, "rows": [classes.as_json(one) for one in rows]})
    text = "\ufeff" + "".join(classes.class_csv(document, rows))
    return _file(text, csv_stream.CONTENT_TYPE, f"classes-{statement.number}.csv")


def _file(content: str | bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _pdf(statement: "Statement") -> bytes:
    try:
        return paper.statement_pdf(statement)
    except PaperError as refusal:
        raise NoFileError(str(refusal), paper.status_of(refusal)) from None


def _month(given: Mapping[str, str]) -> date | None:
    if "month" not in given:
        return None
    try:
        return parse_month(given["month"])
    except ValueError as error:
        raise refuse(("month",), "invalid_value", str(error)) from None


def _place(given: Mapping[str, str], scope: Scope, asked: Mapping[str, str]) -> Place | None:
    """Behind which statement the page begins; raises InvalidQueryError."""
    if "cursor" not in given:
        return None
    match cursors.unseal(given["cursor"], scope, asked):
        case [str(month), str(number)]:
            return date.fromisoformat(month), number
    raise refuse(("cursor",), "invalid_cursor", "This cursor belongs to another list.")


def _summary(one: "Statement") -> dict[str, Any]:
    unknown = is_unknown(one.cost, one.unpriced_requests, one.shared)
    return {
        "number": one.number,
        "month": f"{one.period.month:%Y-%m}",
        "team": None if one.team_id is None else one.team_name,
        "issued_at": instant(one.issued_at),
        "requests": one.requests,
        "failed_requests": one.failed,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "cost_usd": None if unknown else usd_text(one.cost),
        "shared_usd": usd_text(one.shared),
        "charged_usd": None if unknown else f"{reading.charged(one):f}",
        "unpriced_requests": one.unpriced_requests,
        "price_book_version": one.price_book_version,
        "sha256": one.digest,
    }
