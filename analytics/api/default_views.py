"""`saved-views/{id}/default/{whom}`: with which view the dashboard opens."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics import defaults
from analytics.api import schema
from analytics.api.base import PortalView
from analytics.api.checks import parameters
from analytics.api.problems import ConflictError
from analytics.api.saved import found_view, person_of
from analytics.defaults import For
from teams.authentication import ScopedRequest


class DefaultView(PortalView):
    """A view as the default of the caller, or of the organization."""

    @extend_schema(**schema.SAVED_CHOOSE)
    def put(self, request: ScopedRequest, view_id: str, whom: str) -> Response:
        """Let the dashboard open with the view; another one does so no more."""
        view, chosen, person = found_view(request, view_id), _allowed(request, whom), person_of(request)
        if view.kind != "dashboard":
            raise ConflictError("The dashboard opens with a view of the dashboard.")
        defaults.choose(scope=request.scope, actor=person, view=view, whom=chosen)
        return Response(status=204)

    @extend_schema(**schema.SAVED_FORGET)
    def delete(self, request: ScopedRequest, view_id: str, whom: str) -> Response:
        """Let the dashboard open without the view; nothing changes where it does already."""
        view, chosen = found_view(request, view_id), _allowed(request, whom)
        defaults.forget(scope=request.scope, actor=person_of(request), view=view, whom=chosen)
        return Response(status=204)


def _allowed(request: ScopedRequest, whom: str) -> For:
    """For whom; raises Http404 for nobody known, PermissionDenied where that is not the caller's."""
    parameters(request.query_params, ())
    if whom not in tuple(For):
        raise Http404
    if not defaults.may_set(request.scope, For(whom)):
        raise PermissionDenied
    return For(whom)
