"""The body that asks for an export in the background: the parameters of `report`, `requests` or `focus`, as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from analytics.api.checks import Checks, refuse
from analytics.api.focus_question import PARAMETERS as FOCUS_PARAMETERS
from analytics.api.focus_question import parse_focus
from analytics.api.limits import MAX_JOB_BUCKETS
from analytics.api.report_question import PARAMETERS as REPORT_PARAMETERS
from analytics.api.report_question import parse_report
from analytics.api.request_question import parse_requests
from analytics.exports.focus.days import require_teams
from analytics.exports.jobs.question import Asked, of_focus, of_report, of_requests
from analytics.query.parsing import join_values
from teams.access import Scope

SUBJECTS: Final = {
    "report": (*REPORT_PARAMETERS, "filter"),
    "focus": FOCUS_PARAMETERS,
    "requests": ("start", "end", "filter", "format"),
}
"""What can be exported, with the fields beside `of`."""
LISTS: Final = ("group_by", "measures", "filter", "dimensions")
"""Fields that may be lists."""


def parse_export(body: object, scope: Scope, now: datetime) -> tuple[Asked, str]:
    """The question and its format. Raises InvalidQueryError, FormatError, TooManyPointsError."""
    if not isinstance(body, Mapping):
        raise refuse((), "invalid_type", "The body is an object.")
    checks = Checks()
    subject = checks.choice(body.get("of"), SUBJECTS, ("of",))
    fields = {name: value for name, value in body.items() if name != "of"}
    if subject:
        checks.known(fields, SUBJECTS[subject])
    sent = _parameters(fields, checks)
    checks.finish()
    if subject == "report":
        report, written = parse_report(sent, scope, now, most_buckets=MAX_JOB_BUCKETS)
        return of_report(report), written
    if subject == "focus":
        require_teams(scope)
        focus, written = parse_focus(sent, scope)
        return of_focus(focus), written
    question = parse_requests(sent, scope, now)
    return of_requests(scope, question.period, question.filters, now), question.format


def _parameters(fields: Mapping[str, Any], checks: Checks) -> QueryDict:
    """The same as a query string would say it."""
    sent = QueryDict(mutable=True)
    for name, value in fields.items():
        if isinstance(value, str):
            sent[name] = value
        elif isinstance(value, bool):
            sent[name] = "true" if value else "false"
        elif name in LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
            sent.setlist(name, value if name == "filter" else [join_values(tuple(value))])
        else:
            expected = "text or a list of texts" if name in LISTS else "text"
            checks.add((name[:80],), "invalid_type", f"{name[:80]} is {expected}.")
    return sent
