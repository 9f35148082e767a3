"""Pages of the monthly statements."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from analytics.chargeback import classes, paper, reading
from analytics.chargeback.approving import approve
from analytics.chargeback.files import csv_lines, filename
from analytics.chargeback.insight import insight
from analytics.chargeback.months import ClosingRefusedError, name_of, parse_month
from analytics.chargeback.recipients import teams_of
from analytics.chargeback.review import review
from analytics.exports.focus.statement import has_rows, statement_table
from analytics.exports.formats import pieces
from metricsportal.lib import csv_stream
from metricsportal.lib.paper import PaperError, available
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.roles import Capability

if TYPE_CHECKING:
    from teams.models import User


@require_safe
@organization_page()
def statements(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Every month with its statements, or with what happens to it next."""
    months = reading.list_months(organization, scope, datetime.now(UTC))
    manages = scope.allows(Capability.MANAGE_CHARGEBACK)
    context = {"organization": organization, "months": months, "manages": manages}
    context["has_recipients"] = bool(teams_of(scope))
    return render(request, "analytics/statements/list.html", context)


@require_safe
@organization_page()
def statement(request: HttpRequest, organization: Organization, scope: Scope, number: str) -> HttpResponse:
    """One statement."""
    opened = _opened(organization, scope, number)
    beside = insight(opened.row, scope, datetime.now(UTC))
    context = {
        "organization": organization,
        "statement": opened.view,
        "mails": opened.mails,
        "beside": beside,
        "has_focus": has_rows(organization.pk, number),
        "has_pdf": available(),
        "classes": classes.shown(opened.row, opened.document),
    }
    return render(request, "analytics/statements/detail.html", context)


@require_safe
@organization_page()
def statement_csv(request: HttpRequest, organization: Organization, scope: Scope, number: str) -> HttpResponse:
    """The file that was attached to the e-mail; with `detail=classes` what stands behind its lines."""
    opened = _opened(organization, scope, number)
    lines, name = csv_lines(opened.document), filename(opened.document.number)
    if request.GET.get("detail") == "classes":
        rows = classes.class_rows(opened.row, opened.document)
        if rows is None:
            raise Http404
        lines, name = classes.class_csv(opened.document, rows), f"classes-{opened.document.number}.csv"
    response = HttpResponse("\ufeff" + "".join(lines), content_type=csv_stream.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@organization_page()
def statement_pdf(request: HttpRequest, organization: Organization, scope: Scope, number: str) -> HttpResponse:
    """The same as PDF, where it can be made; else a page that says why there is none."""
    opened = _opened(organization, scope, number)
    try:
        content = paper.statement_pdf(opened.row)
    except PaperError as refusal:
        context = {"organization": organization, "statement": opened.view, "refusal": refusal}
        return render(request, "analytics/statements/no_paper.html", context, status=paper.status_of(refusal))
    response = HttpResponse(content, content_type=paper.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{paper.pdf_name(opened.document.number)}"'
    return response


@require_safe
@organization_page(Capability.MANAGE_CHARGEBACK)
def month(request: HttpRequest, organization: Organization, scope: Scope, month: str) -> HttpResponse:
    """A month for those who close it: every team, what is missing, whether it adds up."""
    return _month_page(request, organization, _month(month))


@require_POST
@organization_page(Capability.MANAGE_CHARGEBACK)
def close(request: HttpRequest, organization: Organization, scope: Scope, month: str) -> HttpResponse:
    """Close a month that is over, before its grace ends; a refusal is told on the month's page."""
    which = _month(month)
    try:
        approve(
            actor=cast("User", request.user),
            organization=organization,
            month=which,
            now=datetime.now(UTC),
            unpriced_too="unpriced_too" in request.POST,
        )
    except ClosingRefusedError as refusal:
        return _month_page(request, organization, which, refusal=str(refusal))
    messages.success(request, f"{name_of(which)} is closed. Its statements are issued and on their way.")
    return redirect("statement-month", organization.slug, month)


def _month(text: str) -> date:
    try:
        return parse_month(text)
    except ValueError:
        raise Http404 from None


def _month_page(request: HttpRequest, organization: Organization, which: date, *, refusal: str = "") -> HttpResponse:
    found = review(organization, which, datetime.now(UTC))
    if found is None and not refusal:
        raise Http404
    context = {"organization": organization, "month": found, "name": name_of(which), "refusal": refusal}
    return render(request, "analytics/statements/month.html", context, status=400 if refusal else 200)


@require_safe
@organization_page()
def statement_focus(
    request: HttpRequest, organization: Organization, scope: Scope, number: str
) -> StreamingHttpResponse:
    """What stands behind it, by UTC day and token class."""
    opened = _opened(organization, scope, number)
    found = statement_table(organization.pk, opened.document.number)
    if found is None:
        raise Http404
    response = StreamingHttpResponse(pieces(found, "csv"), content_type=csv_stream.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="focus-{opened.document.number}.csv"'
    return response


def _opened(organization: Organization, scope: Scope, number: str) -> reading.Opened:
    found = reading.open_statement(organization, scope, number)
    if found is None:
        raise Http404
    return found
