"""Settings: who belongs to the organization, and who is invited."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from teams import directory, letters, services
from teams.access import Scope
from teams.forms import InviteForm, refuse
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.services.invitations import Issued
from teams.views.acting import Tried, actor, attempt, done, found, page, searched

_administrators = organization_page(Capability.MANAGE_PEOPLE)


@require_safe
@_administrators
def people(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Members with their roles, open invitations, a form for one more."""
    return _people(request, organization, scope)


@require_POST
@_administrators
def invite(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Invite an address by e-mail."""
    form = _form(request, organization, request.POST)
    if not form.is_valid():
        return _people(request, organization, scope, form=form, tried=Tried(status=400))
    chosen = form.cleaned_data
    team = directory.find_team(organization, chosen["team"]) if chosen["team"] else None
    tried = attempt(
        lambda: services.invite(
            actor=actor(request),
            organization=organization,
            email=chosen["email"],
            role=chosen["role"],
            team=team,
            team_role=chosen["team_role"] or "viewer",
            now=timezone.now(),
        )
    )
    if tried.error is not None:
        refuse(form, tried.error)
        return _people(request, organization, scope, form=form, tried=Tried(status=tried.status))
    return _sent(request, organization, tried)


@require_POST
@_administrators
def resend(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """Send an invitation again, with another link."""
    invitation = found(directory.find_invitation(organization, number))
    tried = attempt(lambda: services.resend(actor=actor(request), invitation=invitation, now=timezone.now()))
    if tried.refused:
        return _people(request, organization, scope, tried=tried)
    return _sent(request, organization, tried)


@require_POST
@_administrators
def revoke(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """End an invitation."""
    invitation = found(directory.find_invitation(organization, number))
    services.revoke_invitation(actor=actor(request), invitation=invitation, now=timezone.now())
    return done(
        request, f"The invitation of {invitation.email} opens nothing any more.", "settings-people", organization.slug
    )


@require_POST
@_administrators
def role(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """Give a member another role."""
    member = found(directory.find_member(organization, number))
    wanted = request.POST.get("role", "")
    tried = attempt(lambda: services.change_role(actor=actor(request), membership=member, role=wanted))
    if tried.refused:
        return _people(request, organization, scope, tried=tried)
    return done(request, f"{member.user.email} is {member.role} now.", "settings-people", organization.slug)


@require_POST
@_administrators
def remove(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """End a membership."""
    member = found(directory.find_member(organization, number))
    tried = attempt(lambda: services.remove_member(actor=actor(request), membership=member))
    if tried.refused:
        return _people(request, organization, scope, tried=tried)
    sentence = f"{member.user.email} does not belong to {organization.name} any more."
    if member.user == request.user:
        return done(request, sentence, "home")
    return done(request, sentence, "settings-people", organization.slug)


def _form(request: HttpRequest, organization: Organization, data: QueryDict | None = None) -> InviteForm:
    roles = services.assignable_roles(actor(request), organization)
    # From the least: nobody becomes an owner because a form was sent as it was.
    teams = [(team.pk, team.name) for team in directory.teams_of(organization)]
    return InviteForm(data, roles=reversed(roles), teams=teams)


def _sent(request: HttpRequest, organization: Organization, tried: Tried[Issued]) -> HttpResponse:
    issued = found(tried.value)
    email = issued.invitation.email
    if letters.send_invitation(issued):
        return done(request, f"An invitation is on its way to {email}.", "settings-people", organization.slug)
    messages.error(request, f"The mail server did not take the invitation of {email}. It is kept: send it again later.")
    return redirect("settings-people", organization.slug)


def _people(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    *,
    form: InviteForm | None = None,
    tried: Tried[Any] | None = None,
) -> HttpResponse:
    search = searched(request)
    return page(
        request,
        "people.html",
        organization,
        scope,
        tried=tried,
        form=form or _form(request, organization),
        members=directory.members(organization, search, request.GET.get("page", "")),
        search=search,
        invitations=directory.open_invitations(organization),
        roles=services.assignable_roles(actor(request), organization),
        may_touch_owners=services.is_owner(actor(request), organization),
        now=timezone.now(),
    )
