"""`focus`: costs by token class in the FinOps Open Cost and Usage Specification."""

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema

from analytics.api import schema
from analytics.api.base import PortalView
from analytics.api.focus_question import check_size, parse_focus
from analytics.api.streams import stream
from analytics.exports.focus.days import require_teams
from analytics.exports.focus.source import FocusSource
from analytics.exports.jobs.question import of_focus
from analytics.exports.names import file_name
from analytics.exports.source import opened
from teams.authentication import ScopedRequest
from teams.roles import KeyScope


class FocusView(PortalView):
    """One row per UTC day, team, provider, model and meter, streamed."""

    @property
    def key_scope(self) -> KeyScope:
        """A file, in every format."""
        return KeyScope.EXPORT

    @extend_schema(**schema.FOCUS)
    def get(self, request: ScopedRequest) -> StreamingHttpResponse:
        """The file."""
        now = timezone.now()
        require_teams(request.scope)
        question, written = parse_focus(request.query_params, request.scope)
        check_size(question, request.scope, now)
        name = file_name(of_focus(question).file_subject, request.scope, question.days, written)
        return stream(request.scope, opened(FocusSource(request.scope, question, now)), written, name)
