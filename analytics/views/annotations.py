"""Annotations without a script: one more, and one less, each leading back to the dashboard as it was."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from analytics import defaults
from analytics.annotations import reading, writing
from analytics.dashboards.annotations import parse_form
from analytics.query.values import InvalidQueryError
from analytics.views.dashboard import page
from teams.access import Scope
from teams.pages import Organization, organization_page

if TYPE_CHECKING:
    from teams.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page()
def add(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Note an event; what is wrong is told on the same page, with what was typed."""
    if request.method != "POST":  # somebody opens the address of a refused form again
        return _back(request, organization)
    now = datetime.now(UTC)
    try:
        note = parse_form(request.POST.dict(), scope, now)
        team = writing.team_for_person(scope, note.team)
        writing.add(organization_id=organization.pk, actor=_actor(request), key=None, team=team, note=note)
    except InvalidQueryError as error:
        return page(request, organization, scope, defaults.Opened(request.GET), [one.message for one in error.problems])
    except writing.ConflictError as error:
        return page(request, organization, scope, defaults.Opened(request.GET), [str(error)])
    messages.success(request, f"“{note.text}” is noted.")
    return _back(request, organization)


@require_POST
@organization_page()
def delete(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """Remove an annotation."""
    note = reading.visible(scope).filter(pk=number).first()
    if note is None:
        raise Http404
    if not reading.may_write(scope, note.team_id):
        raise PermissionDenied
    writing.delete(actor=_actor(request), key=None, note=note)
    messages.success(request, f"“{note.text}” is deleted.")
    return _back(request, organization)


def _back(request: HttpRequest, organization: Organization) -> HttpResponse:
    """To the dashboard in the state that the form was on."""
    state = request.GET.urlencode(safe=":,")
    return redirect(reverse("dashboard", args=[organization.slug]) + (f"?{state}" if state else ""))


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
