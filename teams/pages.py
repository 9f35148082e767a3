"""Pages below `/o/<slug>/`: who may open them, decided before the view runs."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from teams.access import Scope, closed_organization, find_organization
from teams.authentication import SESSION_ORGANIZATION
from teams.models import Organization
from teams.roles import Capability

# Organization is named here for views, which annotate their argument with it but never touch tables.
__all__ = ["Organization", "closed_page", "organization_page"]

_P = ParamSpec("_P")
_View = Callable[Concatenate[HttpRequest, Organization, Scope, _P], HttpResponseBase]
_Page = Callable[..., HttpResponseBase]  # (request, slug, ...), by name or position as the URL hands them over


def organization_page(capability: Capability | None = None) -> Callable[[_View[_P]], _Page]:
    """Turn `view(request, organization, scope, ...)` into the view of a URL `o/<slug:slug>/...`.

    Nobody signed in: to the sign-in page and back. Outsiders and unknown slugs: 404, the same page. Without the
    capability: 403. Members whose session does not open it: how one does. The organization becomes the one that the
    browser's API calls are about.
    """

    def decorate(view: _View[_P]) -> _Page:
        @wraps(view)
        def page(request: HttpRequest, slug: str, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path() if request.method == "GET" else request.path)
            found = find_organization(request.user, slug)
            if found is None:
                closed = closed_organization(request.user, slug)
                if closed is None:
                    raise Http404
                return closed_page(request, closed)
            organization, scope = found
            if capability is not None and not scope.allows(capability):
                raise PermissionDenied
            if request.session.get(SESSION_ORGANIZATION) != organization.slug:
                request.session[SESSION_ORGANIZATION] = organization.slug
            return view(request, organization, scope, *args, **kwargs)

        return page

    return decorate


def closed_page(request: HttpRequest, organization: Organization) -> HttpResponse:
    """How a member whose session does not open the organization gets in: its provider, a second factor, a password."""
    provider = getattr(organization, "identity_provider", None)
    here = request.get_full_path() if request.method == "GET" else request.path
    context = {
        "closed": organization,
        "provider": provider,
        "next": here,
        "entrance": getattr(request.user, "entrance", None),
    }
    return render(request, "teams/closed.html", context, status=403)
