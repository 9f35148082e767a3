"""Pages of the monthly statements."""

from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics.chargeback import reading
from analytics.chargeback.files import csv_lines, filename
from metricsportal.lib import csv_stream
from teams.access import Scope
from teams.pages import Organization, organization_page


@require_safe
@organization_page()
def statements(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Every month with its statements, or with what happens to it next."""
    months = reading.list_months(organization, scope, datetime.now(UTC))
    return render(request, "analytics/statements/list.html", {"organization": organization, "months": months})


@require_safe
@organization_page()
def statement(request: HttpRequest, organization: Organization, scope: Scope, number: str) -> HttpResponse:
    """One statement."""
    opened = _opened(organization, scope, number)
    context = {"organization": organization, "statement": opened.view, "mails": opened.mails}
    return render(request, "analytics/statements/detail.html", context)


@require_safe
@organization_page()
def statement_csv(request: HttpRequest, organization: Organization, scope: Scope, number: str) -> HttpResponse:
    """The file that was attached to the e-mail."""
    opened = _opened(organization, scope, number)
    response = HttpResponse("\ufeff" + "".join(csv_lines(opened.document)), content_type=csv_stream.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{filename(opened.document.number)}"'
    return response


def _opened(organization: Organization, scope: Scope, number: str) -> reading.Opened:
    found = reading.open_statement(organization, scope, number)
    if found is None:
        raise Http404
    return found
