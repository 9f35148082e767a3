"""`saved-views`: questions kept under a name, and their answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBase, QueryDict
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics import defaults, saved
from analytics.api import cursors, schema
from analytics.api.base import PortalView
from analytics.api.checks import Checks, parameters, refuse
from analytics.api.metrics import answer
from analytics.api.problems import ConflictError, FormatError
from analytics.api.report import report_response
from analytics.api.report_question import PARAMETERS as REPORT_PARAMETERS
from analytics.api.saved_content import as_parameters, inside_content, parse_saved
from analytics.exports.cells import instant
from analytics.exports.formats import JSON
from analytics.saved import KINDS
from teams import access
from teams.access import Scope
from teams.authentication import ScopedRequest

if TYPE_CHECKING:  # a view knows rows by name only
    from django.db.models import QuerySet

    from analytics.models import SavedView
    from teams.models import User

MAX_LIMIT = 1000


class SavedViews(PortalView):
    """The views that the caller sees; saving one."""

    @extend_schema(**schema.SAVED_LIST)
    def get(self, request: ScopedRequest) -> Response:
        """Views by name, without their content."""
        given = parameters(request.query_params, ("kind", "limit", "cursor"))
        checks = Checks()
        views = _seen(request)
        if "kind" in given:
            views = views.filter(kind=checks.choice(given["kind"], KINDS, ("kind",)))
        limit = checks.whole(given.get("limit", 100), ("limit",), 1, MAX_LIMIT) or 1
        asked = {"saved-views": given.get("kind", "")}
        after = checks.attempt(lambda: _place(given, request.scope, asked))
        checks.finish()
        found, more = saved.page(views, limit, after)
        chosen = defaults.chosen(request.scope, found)
        following = cursors.seal([found[-1].name, found[-1].pk], request.scope, asked) if more else None
        return Response({"results": [_summary(one, chosen) for one in found], "next_cursor": following})

    @extend_schema(**schema.SAVED_ADD)
    def post(self, request: ScopedRequest) -> Response:
        """Keep a question. The same name with the same content again is the same view: 200 instead of 201."""
        parameters(request.query_params, ())
        person = person_of(request)
        sent = parse_saved(request.data, request.scope, timezone.now(), team=True)
        team = None
        if sent.team is not None:
            team = access.visible_teams(request.scope).filter(name=sent.team, merged_into=None).first()
            if team is None:
                raise refuse(("team",), "unknown_value", "There is no team of that name that you may see.")
            if not access.manages(request.scope, team.pk):
                raise PermissionDenied
        try:
            view, new = saved.save(
                scope=request.scope,
                actor=person,
                team=team,
                name=sent.name,
                kind=sent.kind,
                content=sent.content,
            )
        except saved.ConflictError as error:
            raise ConflictError(str(error)) from None
        place = f"/api/v1/saved-views/{view.pk}"
        return Response(_document(view, request.scope), status=201 if new else 200, headers={"Location": place})


class SavedViewDetail(PortalView):
    """One view."""

    @extend_schema(**schema.SAVED_READ)
    def get(self, request: ScopedRequest, view_id: str) -> Response:
        """The view with its content."""
        parameters(request.query_params, ())
        return Response(_document(found_view(request, view_id), request.scope))

    @extend_schema(**schema.SAVED_REPLACE)
    def put(self, request: ScopedRequest, view_id: str) -> Response:
        """Another name and content; whose it is stays."""
        view, person = _changeable(request, view_id)
        sent = parse_saved(request.data, request.scope, timezone.now(), team=False)
        try:
            saved.replace(
                scope=request.scope, actor=person, view=view, name=sent.name, kind=sent.kind, content=sent.content
            )
        except saved.ConflictError as error:
            raise ConflictError(str(error)) from None
        return Response(_document(view, request.scope))

    @extend_schema(**schema.SAVED_DELETE)
    def delete(self, request: ScopedRequest, view_id: str) -> Response:
        """Remove the view."""
        view, person = _changeable(request, view_id)
        saved.delete(actor=person, view=view)
        return Response(status=204)


class SavedViewResult(PortalView):
    """The answer to a saved question, as the caller sees it now."""

    @extend_schema(**schema.SAVED_RESULT)
    def get(self, request: ScopedRequest, view_id: str) -> HttpResponseBase:
        """What the question's own endpoint answers."""
        given = parameters(request.query_params, ("format",))
        view, now = found_view(request, view_id), timezone.now()
        if view.kind == "dashboard":
            raise ConflictError("A view of the dashboard is a page; it has no result of its own.")
        with inside_content():
            if view.kind == "report":
                return report_response(_report(view, given.get("format", JSON)), request.scope, now)
            if given.get("format", JSON) != JSON:
                raise FormatError("The answer of a metrics query is json.")
            return Response(answer(view.content, request.scope, now))


def _place(given: Mapping[str, str], scope: Scope, asked: Mapping[str, str]) -> tuple[str, int] | None:
    """Behind which name and id the page begins; raises InvalidQueryError."""
    if "cursor" not in given:
        return None
    match cursors.unseal(given["cursor"], scope, asked):
        case [str(name), int(pk)]:
            return name, pk
    raise refuse(("cursor",), "invalid_cursor", "This cursor belongs to another list.")


def _report(view: "SavedView", written: str) -> QueryDict:
    found = as_parameters(view.content, REPORT_PARAMETERS, ("filter",))
    found["format"] = written
    return found


def _seen(request: ScopedRequest) -> "QuerySet[SavedView]":
    """The views that the caller sees. A key of one team is for that team: private views stay with the person."""
    return saved.visible(request.scope, private=getattr(request.auth, "team_id", None) is None)


def found_view(request: ScopedRequest, view_id: str) -> "SavedView":
    """The view of that id; raises Http404 when there is none that the caller sees."""
    known = view_id.isascii() and view_id.isdigit() and len(view_id) < 19
    view = _seen(request).filter(pk=int(view_id)).first() if known else None
    if view is None:
        raise Http404
    return view


def _changeable(request: ScopedRequest, view_id: str) -> "tuple[SavedView, User]":
    """A view and the person who may change it; raises PermissionDenied where the caller only reads."""
    parameters(request.query_params, ())
    view, person = found_view(request, view_id), person_of(request)
    if not saved.may_change(request.scope, view):
        raise PermissionDenied
    return view, person


def person_of(request: ScopedRequest) -> "User":
    """Who is signed in. Raises PermissionDenied for keys: they read, what stays is written by people."""
    if request.auth is not None or not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def _summary(view: "SavedView", chosen: Mapping[int, list[str]]) -> dict[str, object]:
    return {
        "id": view.pk,
        "name": view.name,
        "kind": view.kind,
        "team": view.team.name if view.team else None,
        "default_for": chosen.get(view.pk, []),
        "created_at": instant(view.created_at),
        "updated_at": instant(view.updated_at),
    }


def _document(view: "SavedView", scope: Scope) -> dict[str, object]:
    return _summary(view, defaults.chosen(scope, [view])) | {"content": view.content}
