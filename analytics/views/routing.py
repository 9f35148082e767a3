"""The page of a change of routing."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analytics.dashboards.routing import build
from teams.access import Scope
from teams.pages import Organization, organization_page


@require_safe
@gzip_page
@organization_page()
def routing(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """A virtual model before and after an instant, by the models that answered."""
    data = build(request.GET, scope, datetime.now(UTC))
    return render(request, "analytics/routing.html", {"organization": organization, "data": data})
