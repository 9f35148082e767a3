"""The dashboard page and its data."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from analytics import defaults
from analytics.dashboards import annotations
from analytics.dashboards.page import build
from analytics.exports import formats
from analytics.exports.focus.days import sees_teams
from teams.access import Scope, managed_teams
from teams.pages import Organization, organization_page


@require_GET
@gzip_page
@organization_page()
def dashboard(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The page with its numbers in tables, before any script runs."""
    opened = defaults.opened(request.GET, scope)
    if opened.by_view:
        return redirect(f"{request.path}?{opened.params.urlencode(safe=':,')}")
    return page(request, organization, scope, opened)


def page(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    opened: defaults.Opened,
    wrong: Sequence[str] = (),
) -> HttpResponse:
    """The page; `wrong`: what was wrong with the annotation that was sent."""
    now = datetime.now(UTC)
    data = build(opened.params, scope, now)
    data["messages"] += opened.messages
    sent = request.POST.dict() if wrong else None
    context = {
        "organization": organization,
        "data": data,
        "state": data["state"],
        "formats": formats.offered(),
        "costs_by_team": sees_teams(scope),
        "opens_with_view": defaults.may_open_with_view(scope),
        "sets_common_view": defaults.may_set(scope, defaults.For.ORGANIZATION),
        "managed_teams": [team.name for team in managed_teams(scope).order_by("name")],
        "annotate": annotations.form(scope, now, sent),
        "wrong": wrong,
    }
    return render(request, "analytics/dashboard.html", context, status=400 if wrong else 200)


@require_GET
@gzip_page
@organization_page()
def dashboard_data(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The same data for the page's script."""
    opened = defaults.Opened(request.GET)
    if defaults.VIEW in request.GET:  # without parameters the script asks for the plain page
        opened = defaults.opened(request.GET, scope)
    data = build(opened.params, scope, datetime.now(UTC))
    data["messages"] += opened.messages
    return HttpResponse(msgspec.json.encode(data), content_type="application/json")
