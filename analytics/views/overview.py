"""The page of a month."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analytics.dashboards.overview import build
from teams.access import Scope
from teams.pages import Organization, organization_page


@require_safe
@gzip_page
@organization_page()
def overview(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """What the month cost so far, and who used it; of one team, user, account or model with a filter."""
    data = build(request.GET, scope, datetime.now(UTC))
    return render(request, "analytics/overview.html", {"organization": organization, "data": data})
