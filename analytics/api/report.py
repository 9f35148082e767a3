"""`report`: flat rows for spreadsheets, scripts and warehouses."""

from datetime import datetime

from django.http import QueryDict, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema

from analytics.api import schema
from analytics.api.base import PortalView
from analytics.api.report_question import parse_report
from analytics.api.streams import stream
from analytics.exports import formats
from analytics.exports.names import file_name
from analytics.exports.report import ReportSource
from analytics.exports.source import opened
from teams.access import Scope
from teams.authentication import ScopedRequest


class ReportView(PortalView):
    """One row per group, streamed."""

    @extend_schema(**schema.REPORT)
    def get(self, request: ScopedRequest) -> StreamingHttpResponse:
        """The report as JSON, CSV or NDJSON."""
        return report_response(request.query_params, request.scope, timezone.now())


def report_response(sent: QueryDict, scope: Scope, now: datetime) -> StreamingHttpResponse:
    """The answer to the parameters of a report. Raises what `parse_report` and `opened` raise."""
    report, written = parse_report(sent, scope, now)
    name = None if written == formats.JSON else file_name("metrics", scope, report.days, written)
    return stream(scope, opened(ReportSource(report, now)), written, name)
