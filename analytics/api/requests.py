"""`requests`: single requests for drill-down."""

from datetime import datetime

from django.http import Http404, HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.base import PortalView
from analytics.api.request_question import RequestQuestion, parse_requests
from analytics.api.streams import stream
from analytics.exports import formats, names, requests
from analytics.exports.cells import instant
from analytics.exports.source import opened
from analytics.query import facts_list
from ingestion.quoting.receipt import receipt
from teams.access import Scope
from teams.authentication import ScopedRequest


class RequestList(PortalView):
    """Requests inside the scope, newest first."""

    @extend_schema(**schema.REQUESTS)
    def get(self, request: ScopedRequest) -> HttpResponseBase:
        """A page of requests, or all of them as a file."""
        now = timezone.now()
        question = parse_requests(request.query_params, request.scope, now)
        if question.format != formats.JSON:
            return _file(request.scope, question, now)
        page = facts_list.page(question.facts(), question.limit, question.place)
        return Response(
            {
                "results": [requests.row(one) for one in page.rows],
                "next_cursor": question.cursor(page.following),
                "previous_cursor": question.cursor(page.preceding),
                "meta": {
                    "timezone": request.scope.zone,
                    "fresh_until": instant(now),
                    "kept_from": instant(question.kept_from) if question.kept_from else None,
                    "row_count": len(page.rows),
                    **({"total_count": question.count(now)} if question.counted else {}),
                },
            }
        )


class RequestDetail(PortalView):
    """One request."""

    @extend_schema(**schema.REQUEST)
    def get(self, request: ScopedRequest, request_id: str) -> Response:
        """Timing, tokens, cost and attribution of a request, and the requests of its trace."""
        found = facts_list.one_request(request.scope, request_id) if "\0" not in request_id else None
        if found is None:
            raise Http404
        return Response(requests.detail(found, facts_list.same_trace(request.scope, found), receipt(found)))


def _file(scope: Scope, question: RequestQuestion, now: datetime) -> HttpResponseBase:
    name = names.file_name("requests", scope, question.days, question.format)
    source = requests.RequestSource(scope, question.period, question.filters, now)
    response = stream(scope, opened(source), question.format, name)
    if question.kept_from:
        response["X-Portal-Kept-From"] = instant(question.kept_from)
    return response
