"""The dashboard page and its data."""

from datetime import UTC, datetime

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from analytics.dashboards.page import build
from analytics.exports import formats
from teams.access import Scope, manages, visible_teams
from teams.pages import Organization, organization_page


@require_GET
@gzip_page
@organization_page()
def dashboard(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The page with its numbers in tables, before any script runs."""
    data = build(request.GET, scope, datetime.now(UTC))
    context = {
        "organization": organization,
        "data": data,
        "state": data["state"],
        "formats": formats.offered(),
        "managed_teams": [team.name for team in visible_teams(scope) if manages(scope, team.pk)],
    }
    return render(request, "analytics/dashboard.html", context)


@require_GET
@gzip_page
@organization_page()
def dashboard_data(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The same data for the page's script."""
    data = build(request.GET, scope, datetime.now(UTC))
    return HttpResponse(msgspec.json.encode(data), content_type="application/json")
