"""Pages of who receives mails about a team, with a preview and a test."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.budgets.reading import may_write
from analytics.chargeback import recipients
from analytics.views import previews
from metricsportal.lib.wording import one_line
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.services.recipients import add_recipient, change_recipient, offered, remove_recipient

if TYPE_CHECKING:
    from teams.models import ReportRecipient, Team, User

_P = ParamSpec("_P")
_TeamView = Callable[Concatenate[HttpRequest, "Team", _P], HttpResponse]


def _team_page(view: _TeamView[_P]) -> Callable[..., Any]:
    """A page about a team. Who manages no recipients at all: 403; no such team here: 404; a team of others: 403."""

    def shown(
        request: HttpRequest,
        organization: Organization,
        scope: Scope,
        /,
        number: int,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> HttpResponse:
        if not recipients.teams_of(scope):
            raise PermissionDenied
        found = recipients.find_team(scope, number)
        if found is None:
            raise Http404
        team, allowed = found
        if not allowed:
            raise PermissionDenied
        return view(request, team, *args, **kwargs)

    return wraps(view)(organization_page()(shown))


@require_safe
@organization_page()
def teams(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The teams whose recipients the person manages."""
    found = recipients.teams_of(scope)
    if not found and not may_write(scope, None):
        raise PermissionDenied
    return render(request, "analytics/statements/recipients.html", {"organization": organization, "teams": found})


@require_http_methods(["GET", "HEAD", "POST"])
@_team_page
def team(request: HttpRequest, team: "Team") -> HttpResponse:
    """Who receives which mails about a team; POST adds an address."""
    if request.method != "POST":
        return _page(request, team)
    email = request.POST.get("email", "")
    return _act(
        request,
        team,
        f"{one_line(email)[:254]} receives mails about {team.name} now.",
        lambda: add_recipient(actor=_actor(request), team=team, email=email, **_chosen(request)),
    )


@require_POST
@_team_page
def change(request: HttpRequest, team: "Team", recipient: int) -> HttpResponse:
    """Other mails for an address."""
    row = _found(team, recipient)
    return _act(
        request,
        team,
        f"Saved for {row.email}.",
        lambda: change_recipient(actor=_actor(request), recipient=row, **_chosen(request)),
    )


@require_POST
@_team_page
def remove(request: HttpRequest, team: "Team", recipient: int) -> HttpResponse:
    """No more mails for an address."""
    row = _found(team, recipient)
    sentence = f"{row.email} receives no more mails about {team.name}."
    return _act(request, team, sentence, lambda: remove_recipient(actor=_actor(request), recipient=row))


@require_safe
@_team_page
def preview(request: HttpRequest, team: "Team") -> HttpResponse:
    """A mail as it would be made now."""
    kind, attachment = request.GET.get("kind", "statement"), request.GET.get("attachment", "csv")
    context: dict[str, Any] = {"organization": team.organization, "team": team, "kind": kind, "kinds": recipients.KINDS}
    query = urlencode({"kind": kind, "attachment": attachment})
    context |= {"html": f"{reverse('mail-html', args=[team.organization.slug, team.pk])}?{query}"}
    context |= {"attachment": attachment, "attachments": offered()}
    return previews.shown(request, context, lambda: _made(request, team, kind))


@require_safe
@xframe_options_sameorigin
@_team_page
def html(request: HttpRequest, team: "Team") -> HttpResponse:
    """The HTML of that mail, for the frame of the preview."""
    return previews.framed(lambda: _made(request, team, request.GET.get("kind", "statement")))


@require_POST
@_team_page
def test(request: HttpRequest, team: "Team") -> HttpResponse:
    """Send a mail to the person who is signed in, as a test."""
    kind, person = request.POST.get("kind", "statement"), _actor(request)
    attachment, now = request.POST.get("attachment", "csv"), datetime.now(UTC)
    previews.tried(
        request,
        person.email,
        lambda: recipients.send_test(actor=person, team=team, kind=kind, now=now, attachment=attachment),
    )
    return redirect("team-recipients", team.organization.slug, team.pk)


def _act(request: HttpRequest, team: "Team", sentence: str, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except ValidationError as refusal:
        return _page(request, team, wrong=refusal.messages)
    messages.success(request, sentence)
    return redirect("team-recipients", team.organization.slug, team.pk)


def _page(request: HttpRequest, team: "Team", *, wrong: list[str] | None = None) -> HttpResponse:
    context = recipients.context(team) | {"organization": team.organization, "wrong": wrong}
    if wrong:
        context["typed"] = request.POST.get("email", "")
    return render(request, "analytics/statements/team_recipients.html", context, status=400 if wrong else 200)


def _chosen(request: HttpRequest) -> dict[str, Any]:
    """What a form says about the mails of an address."""
    return {
        "kinds": request.POST.getlist("kind"),
        "attachment": request.POST.get("attachment", ""),
        "now": datetime.now(UTC),
    }


def _made(request: HttpRequest, team: "Team", kind: str) -> EmailMultiAlternatives:
    attachment = request.GET.get("attachment", "csv")
    return recipients.preview(team, kind, _actor(request).email, datetime.now(UTC), attachment=attachment)


def _found(team: "Team", number: int) -> "ReportRecipient":
    row = recipients.find(team, number)
    if row is None:
        raise Http404
    return row


def _actor(request: HttpRequest) -> "User":
    return cast("User", request.user)  # organization_page lets nobody else in
