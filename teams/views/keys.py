"""Settings: API keys. The text of a key is in the answer to the request that made it, and nowhere else."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from teams import directory, services
from teams.access import Scope
from teams.forms import KeyForm, RotateForm, refuse
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.services import IssuedKey
from teams.views.acting import Tried, actor, attempt, done, found, page

_administrators = organization_page(Capability.MANAGE_PEOPLE)


@require_http_methods(["GET", "HEAD", "POST"])
@_administrators
def keys(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """The keys of the organization; POST makes one more and shows it."""
    if request.method != "POST":
        return _keys(request, organization, scope)
    form = _form(organization, request.POST)
    tried: Tried[IssuedKey] = Tried(status=400)
    if form.is_valid():
        chosen = form.cleaned_data
        tried = attempt(
            lambda: services.issue_key(
                actor=actor(request),
                organization=organization,
                owner=actor(request),
                name=chosen["name"],
                scopes=chosen["scopes"],
                team=directory.find_team(organization, chosen["team"]) if chosen["team"] else None,
                expires_at=_end_of(chosen["expires_on"], organization),
                now=timezone.now(),
            )
        )
        if tried.value is not None:
            return _shown_once(request, organization, scope, tried.value)
        if tried.error is not None:
            refuse(form, tried.error)
    return _keys(request, organization, scope, form=form, tried=Tried(status=tried.status))


@require_POST
@_administrators
def rotate(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """Replace a key, and show the new one."""
    key = found(directory.find_key(organization, number))
    form = RotateForm(request.POST)
    if not form.is_valid():
        return _keys(
            request,
            organization,
            scope,
            tried=Tried(status=400, error=ValidationError("Choose when the old key ends.")),
        )
    overlap = timedelta(hours=form.cleaned_data["overlap"])
    tried = attempt(lambda: services.rotate_key(actor=actor(request), key=key, overlap=overlap, now=timezone.now()))
    if tried.value is None:
        return _keys(request, organization, scope, tried=tried)
    return _shown_once(request, organization, scope, tried.value, replaced=key)


@require_POST
@_administrators
def revoke(request: HttpRequest, organization: Organization, scope: Scope, number: int) -> HttpResponse:
    """End a key at once."""
    key = found(directory.find_key(organization, number))
    tried = attempt(lambda: services.revoke_key(actor=actor(request), key=key, now=timezone.now()))
    if tried.refused:
        return _keys(request, organization, scope, tried=tried)
    return done(request, f"The key {key} opens nothing any more.", "settings-keys", organization.slug)


def _end_of(day: date | None, organization: Organization) -> datetime | None:
    """The first instant after a day of the organization."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(organization.zone))


def _form(organization: Organization, data: QueryDict | None = None) -> KeyForm:
    return KeyForm(data, teams=[(team.pk, team.name) for team in directory.teams_of(organization)])


def _shown_once(
    request: HttpRequest, organization: Organization, scope: Scope, issued: IssuedKey, **context: Any
) -> HttpResponse:
    response = page(request, "key.html", organization, scope, key=issued.key, secret=issued.text, **context)
    response["Cache-Control"] = "no-store"
    return response


def _keys(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    *,
    form: KeyForm | None = None,
    tried: Tried[Any] | None = None,
) -> HttpResponse:
    return page(
        request,
        "keys.html",
        organization,
        scope,
        tried=tried,
        form=form or _form(organization),
        rotate=RotateForm(auto_id=False),
        keys=directory.keys(organization, timezone.now()),
    )
