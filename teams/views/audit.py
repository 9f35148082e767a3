"""Settings: the audit log, and the way into the settings."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from teams import directory
from teams.access import Scope
from teams.forms import AuditFilter
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.views.acting import Tried, page


@require_safe
@organization_page()
def settings(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """To the first page of the settings that the person may open."""
    names = directory.sections(scope)
    if not names:
        raise PermissionDenied
    return redirect(names[0], organization.slug)


@require_safe
@organization_page(Capability.MANAGE_PEOPLE)
def audit(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Who did what, newest first."""
    people = [(email, email) for email in directory.audit_people(organization)]
    form = AuditFilter(
        request.GET or None,
        people=[(directory.PORTAL, "The portal itself"), *people],
        acts=directory.audit_acts(organization),
    )
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    refused = form.is_bound and not form.is_valid()
    entries = directory.audit_entries(
        organization, chosen.get("person", ""), chosen.get("act", ""), request.GET.get("page", "")
    )
    tried: Tried[None] = Tried(status=400 if refused else 200)
    return page(
        request, "audit.html", organization, scope, tried=tried, form=form, entries=None if refused else entries
    )
