"""`dimensions/{name}/values`: what can be filtered by."""

from django.http import Http404, QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics.api import cursors, schema
from analytics.api.base import PortalView
from analytics.api.checks import Checks, parameters, refuse
from analytics.exports.cells import short_instant
from analytics.query import keys
from analytics.query.suggestions import suggest
from teams.access import Scope
from teams.authentication import ScopedRequest

MAX_LIMIT = 1000
MAX_TEXT = 256


class DimensionValues(PortalView):
    """Values of one dimension within the scope."""

    throttle_kind = "suggestions"

    @extend_schema(**schema.DIMENSION_VALUES)
    def get(self, request: ScopedRequest, name: str) -> Response:
        """Values that begin with `q`, then those with a word that does, last used first."""
        dimension = keys.find(name, request.scope) if "\0" not in name else None
        if dimension is None:
            raise Http404
        asked = {"name": name}
        text, limit, offset = _parsed(request.query_params, request.scope, asked)
        found, more = suggest(request.scope, dimension, text, offset, limit)
        results = [
            {"value": one.value, "label": one.label, "last_seen": one.last_seen and short_instant(one.last_seen)}
            for one in found
        ]
        following = cursors.seal([offset + limit], request.scope, asked | {"q": text}) if more else None
        return Response({"results": results, "next_cursor": following})


def _parsed(sent: QueryDict, scope: Scope, asked: dict[str, str]) -> tuple[str, int, int]:
    """Text, limit and offset. Raises InvalidQueryError."""
    given = parameters(sent, ("q", "limit", "cursor"))
    checks = Checks()
    text = given.get("q", "")
    if len(text) > MAX_TEXT:
        checks.add(("q",), "out_of_range", f"q has at most {MAX_TEXT} characters.")
    limit = checks.whole(given.get("limit", 20), ("limit",), 1, MAX_LIMIT) or 1
    offset = checks.attempt(lambda: _offset(given, scope, asked | {"q": text}))
    checks.finish()
    return text, limit, offset or 0


def _offset(given: dict[str, str], scope: Scope, asked: dict[str, str]) -> int:
    if "cursor" not in given:
        return 0
    content = cursors.unseal(given["cursor"], scope, asked)
    if len(content) != 1 or not isinstance(content[0], int):
        raise refuse(("cursor",), "invalid_cursor", "This cursor belongs to another list.")
    return content[0]
