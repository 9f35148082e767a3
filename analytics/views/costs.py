"""The page that checks costs."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analytics.dashboards.costs import build
from teams.access import Scope
from teams.pages import Organization, organization_page


@require_safe
@gzip_page
@organization_page()
def costs(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """What requests cost, what has no price, and how far the gateway's figures are from the price book's."""
    data = build(request.GET, scope, datetime.now(UTC))
    script = {name: data[name] for name in ("state", "choices", "range", "view")}
    return render(request, "analytics/costs.html", {"organization": organization, "data": data, "script": script})
