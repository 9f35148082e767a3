"""`annotations`: what happened when, told by people and by programs that deploy."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from analytics.annotations import reading, writing
from analytics.annotations.content import FIELDS, Note, parse
from analytics.annotations.reading import Place
from analytics.api import cursors, schema
from analytics.api.base import PortalView
from analytics.api.checks import Checks, parameters, refuse
from analytics.api.problems import ConflictError
from analytics.exports.cells import instant
from analytics.query.parsing import parse_instant
from teams.access import Scope
from teams.authentication import ScopedRequest
from teams.roles import KeyScope

if TYPE_CHECKING:  # a view knows rows by name only
    from analytics.models import Annotation
    from teams.models import ApiKey, Team, User

MAX_LIMIT: Final = 1000


class _View(PortalView):
    """Keys that send requests tell of events too; keys that read, read."""

    @property
    def key_scope(self) -> KeyScope:
        """What a key must be made for."""
        return KeyScope.READ if self.request.method in SAFE_METHODS else KeyScope.INGEST


class Annotations(_View):
    """The annotations that the caller sees; one more."""

    @extend_schema(**schema.ANNOTATIONS)
    def get(self, request: ScopedRequest) -> Response:
        """Those of a range, newest first."""
        given = parameters(request.query_params, ("from", "to", "limit", "cursor"))
        checks, now = Checks(), timezone.now()
        start, end = (checks.attempt(lambda name=name: _border(given, name, now)) for name in ("from", "to"))  # type: ignore[misc] # one lambda per turn
        limit = checks.whole(given.get("limit", 100), ("limit",), 1, MAX_LIMIT) or 1
        asked = {"annotations": "", "from": given.get("from", ""), "to": given.get("to", "")}
        after = checks.attempt(lambda: _place(given, request.scope, asked))
        if start is not None and end is not None and start >= end:
            checks.add(("to",), "invalid_range", "to is later than from.")
        checks.finish()
        notes = reading.between(reading.visible(request.scope), start, end)
        found, more = reading.page(notes, limit, after)
        place = [instant(found[-1].at), found[-1].pk] if more else None
        following = cursors.seal(place, request.scope, asked) if place else None
        return Response({"results": [_document(one) for one in found], "next_cursor": following})

    @extend_schema(**schema.ANNOTATION_ADD)
    def post(self, request: ScopedRequest) -> Response:
        """Note an event. The same `external_id` with the same content again is the same one: 200 instead of 201."""
        parameters(request.query_params, ())
        note = _sent(request.data, timezone.now())
        actor, key = _caller(request)
        team = _team(request.scope, key, note)
        try:
            made, new = writing.add(
                organization_id=request.scope.organization_id, actor=actor, key=key, team=team, note=note
            )
        except writing.ConflictError as error:
            raise ConflictError(str(error)) from None
        place = f"/api/v1/annotations/{made.pk}"
        return Response(_document(made), status=201 if new else 200, headers={"Location": place})


class AnnotationDetail(_View):
    """One annotation."""

    @extend_schema(**schema.ANNOTATION)
    def get(self, request: ScopedRequest, annotation_id: str) -> Response:
        """The annotation."""
        parameters(request.query_params, ())
        return Response(_document(_found(request, annotation_id)))

    @extend_schema(**schema.ANNOTATION_DELETE)
    def delete(self, request: ScopedRequest, annotation_id: str) -> Response:
        """Remove it: people where they may write, a key what it sent."""
        parameters(request.query_params, ())
        note, (actor, key) = _found(request, annotation_id), _caller(request)
        if key is None and not reading.may_write(request.scope, note.team_id):
            raise PermissionDenied
        writing.delete(actor=actor, key=key, note=note)
        return Response(status=204)


def _border(given: Mapping[str, str], name: str, now: datetime) -> datetime | None:
    return parse_instant(given[name], now, (name,)) if name in given else None


def _place(given: Mapping[str, str], scope: Scope, asked: Mapping[str, str]) -> Place | None:
    """Behind which instant and id the page begins; raises InvalidQueryError."""
    if "cursor" not in given:
        return None
    match cursors.unseal(given["cursor"], scope, asked):
        case [str(at), int(pk)]:
            return datetime.fromisoformat(at), pk
    raise refuse(("cursor",), "invalid_cursor", "This cursor belongs to another list.")


def _sent(body: object, now: datetime) -> Note:
    """The event of a body. Raises InvalidQueryError with every problem."""
    if not isinstance(body, Mapping):
        raise refuse((), "invalid_type", "An annotation is a JSON object.", FIELDS)
    checks = Checks()
    checks.known(body, FIELDS)
    note = checks.attempt(lambda: parse(body, now))
    checks.finish()
    if note is None:
        raise AssertionError("what could not be read was told of")
    return note


def _caller(request: ScopedRequest) -> "tuple[User, ApiKey | None]":
    """Who asks, with the key of theirs that does; None for a browser."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    key: Any = request.auth  # of the authentication classes of this API: an ApiKey, or None
    return request.user, key


def _team(scope: Scope, key: "ApiKey | None", note: Note) -> "Team | None":
    return writing.team_for_person(scope, note.team) if key is None else writing.team_for_key(key, note.team)


def _found(request: ScopedRequest, annotation_id: str) -> "Annotation":
    """The annotation of that id; raises Http404 when there is none that the caller sees, or sent."""
    known = annotation_id.isascii() and annotation_id.isdigit() and len(annotation_id) < 19
    _, key = _caller(request)
    sending = key is not None and request.method not in SAFE_METHODS
    notes = reading.sent_by(key) if key is not None and sending else reading.visible(request.scope)
    note = notes.filter(pk=int(annotation_id)).first() if known else None
    if note is None:
        raise Http404
    return note


def _document(note: "Annotation") -> dict[str, object]:
    return {
        "id": note.pk,
        "kind": note.kind,
        "at": instant(note.at),
        "end": instant(note.end) if note.end else None,
        "text": note.text,
        "link": note.link or None,
        "team": note.team.name if note.team else None,
        "external_id": note.external_id,
        "author": reading.author_of(note),
        "created_at": instant(note.created_at),
    }
