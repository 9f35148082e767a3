"""The pages of single requests."""

from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analytics.dashboards import request as one_request
from analytics.dashboards import requests as many
from teams.access import Scope
from teams.pages import Organization, organization_page


@require_safe
@gzip_page
@organization_page()
def requests(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Single requests, newest first, with the dashboard's range and filters."""
    data = many.build(request.GET, scope, datetime.now(UTC))
    script = {name: data[name] for name in ("state", "choices", "range", "view")}
    context = {"organization": organization, "data": data, "script": script}
    return render(request, "analytics/requests.html", context)


@require_safe
@gzip_page
@organization_page()
def detail(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """One request, by the id that the gateway sent: ids hold any character, so it is a parameter."""
    data = one_request.build(request.GET.get("id", ""), scope)
    if data is None:
        raise Http404
    return render(request, "analytics/request.html", {"organization": organization, "data": data})
