"""`metrics/query` and `metrics/meta`."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.answer import render
from analytics.api.base import PortalView
from analytics.api.checks import decode, parameters, refuse
from analytics.api.form import describe
from analytics.api.limits import check_cells
from analytics.api.question import parse_question
from analytics.query import engine
from analytics.query.explaining import noted
from teams.access import Scope
from teams.authentication import ScopedRequest


class MetricsQuery(PortalView):
    """Answers questions in the shape of TrueFoundry's `llm-gateway/metrics/query`."""

    @extend_schema(**schema.QUERY_POST)
    def post(self, request: ScopedRequest) -> Response:
        """Aggregates per group or per bucket and group."""
        parameters(request.query_params, ())
        return Response(answer(request.data, request.scope, timezone.now()))

    @extend_schema(**schema.QUERY_GET)
    def get(self, request: ScopedRequest) -> Response:
        """The same question as URL-encoded JSON in `query`, for links and curl."""
        given = parameters(request.query_params, ("query",))
        if "query" not in given:
            raise refuse(("query",), "required", "query holds the question as URL-encoded JSON.")
        return Response(answer(decode(given["query"].encode()), request.scope, timezone.now()))


class MetricsMeta(PortalView):
    """What can be asked, for forms."""

    @extend_schema(**schema.META)
    def get(self, request: ScopedRequest) -> Response:
        """Columns, dimensions, intervals and limits, within what the caller may see."""
        parameters(request.query_params, ())
        return Response(describe(request.scope, timezone.now()))


def answer(body: object, scope: Scope, now: datetime) -> dict[str, Any]:
    """The document that answers a body. Raises InvalidQueryError and QueryTooLargeError."""
    question = parse_question(body, scope, now)
    check_cells(question.query)
    with noted() as parts:
        result = engine.run(question.query, now)
    return render(question, result, parts)
