"""Settings: callers and virtual accounts, which team they belong to, and what two names have in common."""

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.dashboards.names import recent
from analytics.views.names_form import NO_TEAM, AccountForm, number
from ingestion.provisioning import lists, merging
from ingestion.provisioning.kinds import ACCOUNT, KINDS, Kind
from ingestion.provisioning.preview import preview
from metricsportal.lib.formats import exact, usd
from teams import directory, services
from teams.access import Scope
from teams.forms import TeamForm, refuse
from teams.pages import Organization, organization_page
from teams.roles import Capability
from teams.views.acting import Tried, actor, attempt, done, found, page, searched

if TYPE_CHECKING:
    from teams.models import Named, Team

_administrators = organization_page(Capability.MANAGE_PEOPLE)
_PAGES: Final = {
    "caller": ("settings-callers", "settings-caller"),
    "virtual_account": ("settings-accounts", "settings-account"),
    "team": ("settings-teams", "settings-team"),
}
"""URL names of the list of a kind and of the page of one."""


@require_http_methods(["GET", "HEAD", "POST"])
@_administrators
def names(request: HttpRequest, organization: Organization, scope: Scope, kind: str) -> HttpResponse:
    """Everything of a kind; POST registers a virtual account."""
    if request.method != "POST":
        return _list(request, organization, scope, KINDS[kind])
    form = _form(organization, KINDS[kind], request)
    tried: Tried[Any] = Tried(status=400)
    if form is not None and form.is_valid():
        name, team = form.cleaned_data["name"], form.cleaned_data["team"]
        tried = attempt(
            lambda: services.register_account(
                actor=actor(request), organization=organization, name=name, team=_team(organization, team)
            )
        )
        if tried.error is None:
            return done(request, f"{name.strip()} is registered.", _PAGES[kind][0], organization.slug)
        refuse(form, tried.error)
    return _list(request, organization, scope, KINDS[kind], form=form, tried=Tried(status=tried.status))


@require_POST
@_administrators
def move(request: HttpRequest, organization: Organization, scope: Scope, kind: str) -> HttpResponse:
    """Give those that were chosen another team."""
    ids = [number(text) for text in request.POST.getlist("id")]
    tried = attempt(lambda: _move(request, organization, KINDS[kind], ids))
    if tried.refused:
        return _list(request, organization, scope, KINDS[kind], tried=tried)
    count, where = found(tried.value)
    sentence = f"{count} moved to {where}. Requests up to now stay where they are."
    if not count:
        sentence = f"Nothing moved: all of them belong to {where} already."
    return done(request, sentence, _PAGES[kind][0], organization.slug)


@require_safe
@_administrators
def name(request: HttpRequest, organization: Organization, scope: Scope, kind: str, number: int) -> HttpResponse:
    """One caller or account, and what can be done with it."""
    return _one(request, organization, scope, KINDS[kind], number)


@require_POST
@_administrators
def rename(request: HttpRequest, organization: Organization, scope: Scope, kind: str, number: int) -> HttpResponse:
    """Another name, or the same one, which claims it."""
    row, form = found(lists.find(KINDS[kind], organization, number)), TeamForm(request.POST)
    before = row.name
    tried: Tried[None] = Tried(status=400)
    if form.is_valid():
        wanted = form.cleaned_data["name"]
        tried = attempt(
            lambda: services.rename_name(actor=actor(request), organization=organization, row=row, name=wanted)
        )
        if tried.error is None:
            sentence = f"{before} is {row.name} now." if before != row.name else f"{before} is claimed."
            return done(request, sentence, _PAGES[kind][1], organization.slug, row.pk)
        refuse(form, tried.error)
    return _one(request, organization, scope, KINDS[kind], number, form=form, tried=Tried(status=tried.status))


@require_http_methods(["GET", "HEAD", "POST"])
@_administrators
def merge(request: HttpRequest, organization: Organization, scope: Scope, kind: str, number: int) -> HttpResponse:
    """What merging would change; POST carries it out."""
    of, now = KINDS[kind], timezone.now()
    row = found(lists.find(of, organization, number))
    if request.method == "POST":
        into = found(_by_id(of, organization, request.POST.get("into", "")))
        tried = attempt(
            lambda: merging.merge(actor=actor(request), organization=organization, kind=of, row=row, into=into, now=now)
        )
        if not tried.refused:
            sentence = f"{row.name} counts as {into.name} from now on. Its requests of open months follow in a moment."
            return done(request, sentence, _PAGES[kind][1], organization.slug, into.pk)
        return _merge(request, organization, scope, of, row, None, tried=tried)
    asked = attempt(lambda: _into(of, organization, row, request.GET.get("into", "")))
    return _merge(request, organization, scope, of, row, asked.value, tried=asked)


def _merge(  # noqa: PLR0917 - what every page of the settings gets, and two names
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    kind: Kind,
    row: "Named",
    into: "Named | None",
    *,
    tried: Tried[Any],
) -> HttpResponse:
    foreseen = preview(organization, kind, row) if into is not None else None
    months = [(one.month, exact(one.requests), usd(one.cost)) for one in foreseen.months] if foreseen else []
    return page(
        request,
        "merge.html",
        organization,
        scope,
        tried=tried,
        kind=kind,
        row=row,
        into=into,
        months=months,
        total=(exact(foreseen.total.requests), usd(foreseen.total.cost)) if foreseen else None,
        closed=foreseen.closed if foreseen else (),
        others=lists.others(kind, organization, row) if into is None else (),
        pages=_PAGES[kind.name.value],
    )


def _into(kind: Kind, organization: Organization, row: "Named", name: str) -> "Named":
    """The one of that name, if the row may become it. Raises ValidationError."""
    into = lists.named(kind, organization, name.replace("\0", "").strip())
    if into is None:
        raise ValidationError(f"There is no {kind.noun} of that name. Choose one that is there.")
    merging.check(organization, row, into)
    return into


def _by_id(kind: Kind, organization: Organization, text: str) -> "Named | None":
    pk = number(text)
    return lists.find(kind, organization, pk) if pk is not None else None


def _move(request: HttpRequest, organization: Organization, kind: Kind, ids: list[int | None]) -> tuple[int, str]:
    chosen = request.POST.get("team", "")
    team = None if chosen == NO_TEAM else _team(organization, number(chosen))
    if team is None and chosen != NO_TEAM:
        raise ValidationError("Choose a team.")
    wanted = [pk if pk is not None else 0 for pk in ids]  # what is no number is nobody's
    count = services.move(actor=actor(request), organization=organization, model=kind.model, ids=wanted, team=team)
    return count, team.name if team else "no team"


def _team(organization: Organization, pk: int | None) -> "Team | None":
    return directory.find_team(organization, pk) if pk is not None else None


def _teams(organization: Organization) -> list[tuple[int, str]]:
    return [(team.pk, team.name) for team in directory.teams_of(organization)]


def _form(organization: Organization, kind: Kind, request: HttpRequest | None = None) -> AccountForm | None:
    """The form that registers one. Callers register themselves, by their first request."""
    if kind is not ACCOUNT:
        if request is not None:
            raise Http404
        return None
    return AccountForm(request.POST if request else None, teams=_teams(organization))


def _list(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    kind: Kind,
    *,
    form: AccountForm | None = None,
    tried: Tried[Any] | None = None,
) -> HttpResponse:
    show, team = request.GET.get("show", ""), request.GET.get("team", "")
    rows = lists.names(
        kind,
        organization,
        search=searched(request),
        team=number(team),
        unclaimed=show == "unclaimed",
        page=request.GET.get("page", ""),
    )
    used = recent(scope, (kind.dimension,), [row.name for row in rows], timezone.now())
    return page(
        request,
        "names.html",
        organization,
        scope,
        tried=tried,
        kind=kind,
        rows=rows,
        lines=[(row, exact(used.get((row.name,), 0))) for row in rows],
        unclaimed=lists.unclaimed(kind, organization),
        show=show,
        team=team,
        search=searched(request),
        teams=_teams(organization),
        form=form or _form(organization, kind),
        pages=_PAGES[kind.name.value],
    )


def _one(
    request: HttpRequest,
    organization: Organization,
    scope: Scope,
    kind: Kind,
    pk: int,
    *,
    form: TeamForm | None = None,
    tried: Tried[Any] | None = None,
) -> HttpResponse:
    row: Any = found(lists.find(kind, organization, pk))
    used = recent(scope, (kind.dimension,), [row.name], timezone.now())
    return page(
        request,
        "name.html",
        organization,
        scope,
        tried=tried,
        kind=kind,
        row=row,
        used=exact(used.get((row.name,), 0)),
        earlier=lists.earlier(kind, row),
        others=lists.others(kind, organization, row),
        teams=_teams(organization),
        form=form or TeamForm(initial={"name": row.name}),
        pages=_PAGES[kind.name.value],
    )
