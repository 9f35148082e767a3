"""Settings: teams and who is in them, for who manages people and for each team's managers."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from teams import access, directory, services
from teams.access import Scope
from teams.forms import TeamForm, TeamMemberForm, refuse
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.views.acting import Tried, actor, attempt, done, found, page, searched

if TYPE_CHECKING:
    from teams.models import Team

_P = ParamSpec("_P")
_TeamView = Callable[Concatenate[HttpRequest, Organization, Scope, "Team", _P], HttpResponse]


def _team_page(capability: Capability | None = None) -> Callable[[_TeamView[_P]], Callable[..., Any]]:
    """A page of one team. Who manages none: 403; no such team here: 404; a team that others manage: 403.

    `capability` is what managers of a team lack, for pages that are not theirs.
    """

    def decorate(view: _TeamView[_P]) -> Callable[..., Any]:
        def shown(
            request: HttpRequest,
            organization: Organization,
            scope: Scope,
            /,
            number: int,
            *args: _P.args,
            **kwargs: _P.kwargs,
        ) -> HttpResponse:
            if "settings-teams" not in directory.sections(scope):
                raise PermissionDenied
            team = found(directory.find_team(organization, number))
            if not access.manages(scope, team.pk):
                raise PermissionDenied
            return view(request, organization, scope, team, *args, **kwargs)

        return wraps(view)(organization_page(capability)(shown))

    return decorate


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page()
def teams(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The teams that the person manages; POST makes one more."""
    if "settings-teams" not in directory.sections(scope):
        raise PermissionDenied
    form = TeamForm(request.POST or None)
    tried: Tried[Any] = Tried(status=400 if form.is_bound else 200)
    unclaimed = request.GET.get("show") == "unclaimed"
    if request.method == "POST":
        if not scope.allows(Capability.MANAGE_PEOPLE):
            raise PermissionDenied
        if form.is_valid():
            name = form.cleaned_data["name"]
            tried = attempt(lambda: services.create_team(actor=actor(request), organization=organization, name=name))
            if tried.error is None:
                team = found(tried.value)
                return done(request, f"The team {team.name} is there.", "settings-team", organization.slug, team.pk)
            refuse(form, tried.error)
    return page(
        request,
        "teams.html",
        organization,
        scope,
        tried=Tried(status=tried.status),
        form=form,
        teams=directory.managed(scope, searched(request), request.GET.get("page", ""), unclaimed=unclaimed),
        search=searched(request),
        unclaimed=unclaimed,
        may_create=scope.allows(Capability.MANAGE_PEOPLE),
    )


@require_safe
@_team_page()
def team(request: HttpRequest, organization: Organization, scope: Scope, team: "Team") -> HttpResponse:
    """One team with its people."""
    return _team(request, organization, scope, team)


@require_POST
@_team_page(Capability.MANAGE_PEOPLE)
def rename(request: HttpRequest, organization: Organization, scope: Scope, team: "Team") -> HttpResponse:
    """Another name."""
    form, before = TeamForm(request.POST), team.name
    tried: Tried[None] = Tried(status=400)
    if form.is_valid():
        name = form.cleaned_data["name"]
        tried = attempt(lambda: services.rename_team(actor=actor(request), team=team, name=name))
        if tried.error is None:
            return done(request, f"{before} is {team.name} now.", "settings-team", organization.slug, team.pk)
        refuse(form, tried.error)
    return _team(request, organization, scope, team, rename=form, tried=Tried(status=tried.status))


@require_POST
@_team_page()
def add(request: HttpRequest, organization: Organization, scope: Scope, team: "Team") -> HttpResponse:
    """Let a member of the organization into the team."""
    form = TeamMemberForm(request.POST)
    tried: Tried[Any] = Tried(status=400)
    if form.is_valid():
        chosen = form.cleaned_data
        tried = attempt(
            lambda: services.add_to_team(actor=actor(request), team=team, email=chosen["email"], role=chosen["role"])
        )
        if tried.error is None:
            sentence = f"{chosen['email']} is {chosen['role']} of {team.name} now."
            return done(request, sentence, "settings-team", organization.slug, team.pk)
        refuse(form, tried.error)
    return _team(request, organization, scope, team, form=form, tried=Tried(status=tried.status))


@require_POST
@_team_page()
def role(request: HttpRequest, organization: Organization, scope: Scope, team: "Team", person: int) -> HttpResponse:
    """Give somebody in the team another role."""
    member = found(directory.find_team_member(team, person))
    wanted = request.POST.get("role", "")
    tried = attempt(lambda: services.change_team_role(actor=actor(request), membership=member, role=wanted))
    if tried.refused:
        return _team(request, organization, scope, team, tried=tried)
    sentence = f"{member.user.email} is {member.role} of {team.name} now."
    return done(request, sentence, "settings-team", organization.slug, team.pk)


@require_POST
@_team_page()
def remove(request: HttpRequest, organization: Organization, scope: Scope, team: "Team", person: int) -> HttpResponse:
    """End somebody's role in the team."""
    member = found(directory.find_team_member(team, person))
    tried = attempt(lambda: services.remove_from_team(actor=actor(request), membership=member))
    if tried.refused:
        return _team(request, organization, scope, team, tried=tried)
    sentence = f"{member.user.email} does not belong to {team.name} any more."
    if member.user == request.user and not scope.allows(Capability.MANAGE_PEOPLE):
        return done(request, sentence, "home")
    return done(request, sentence, "settings-team", organization.slug, team.pk)


def _team(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    team: "Team",
    *,
    form: TeamMemberForm | None = None,
    rename: TeamForm | None = None,
    tried: Tried[Any] | None = None,
) -> HttpResponse:
    shown = found(directory.find_team(organization, team.pk))  # as it is stored, not as it was typed
    return page(
        request,
        "team.html",
        organization,
        scope,
        tried=tried,
        team=shown,
        members=directory.team_members(team),
        others=directory.team_names(organization, without=team),
        form=form or TeamMemberForm(),
        rename=rename or TeamForm(initial={"name": shown.name}),
        may_rename=scope.allows(Capability.MANAGE_PEOPLE),
        roles=["manager", "viewer"],
    )
