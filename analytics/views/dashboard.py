"""The dashboard page and its data."""

from datetime import UTC, datetime

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from analytics import defaults
from analytics.dashboards.page import build
from analytics.exports import formats
from teams.access import Scope, manages, visible_teams
from teams.pages import Organization, organization_page


@require_GET
@organization_page()
def dashboard(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The page with its numbers in tables, before any script runs."""
    opened = defaults.opened(request.GET, scope)
    if opened.by_view:
        return redirect(f"{request.path}?{opened.params.urlencode(safe=':,')}")
    data = build(opened.params, scope, datetime.now(UTC))
    data["messages"] += opened.messages
    context = {
        "organization": organization,
        "data": data,
        "state": data["state"],
        "formats": formats.offered(),
        "opens_with_view": defaults.may_open_with_view(scope),
        "sets_common_view": defaults.may_set(scope, defaults.For.ORGANIZATION),
        "managed_teams": [team.name for team in visible_teams(scope) if manages(scope, team.pk)],
    }
    return render(request, "analytics/dashboard.html", context)


@require_GET
@organization_page()
def dashboard_data(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The same data for the page's script."""
    opened = defaults.Opened(request.GET)
    if defaults.VIEW in request.GET:  # without parameters the script asks for the plain page
        opened = defaults.opened(request.GET, scope)
    data = build(opened.params, scope, datetime.now(UTC))
    data["messages"] += opened.messages
    return HttpResponse(msgspec.json.encode(data), content_type="application/json")
