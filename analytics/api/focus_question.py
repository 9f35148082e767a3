"""The parameters of `focus` to a question: every problem told at once."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import QueryDict

from analytics.api.checks import Checks, parameters
from analytics.api.limits import BACKGROUND
from analytics.api.report_question import available
from analytics.catalog.dimensions import METADATA_PREFIX
from analytics.catalog.measures import select
from analytics.exports.focus.columns import VERSIONS
from analytics.exports.focus.question import ACCOUNT, EXCLUDE, FORMATS, INCLUDE, VIRTUAL_MODEL, FocusQuestion
from analytics.query import engine
from analytics.query.parsing import groupable_dimension, parse_day, split_values
from analytics.query.values import Query, QueryTooLargeError
from teams.access import Scope

PARAMETERS: Final = ("start_date", "end_date", "focus_version", "dimensions", "unpriced", "format")
MOST_DAYS: Final = 3_700
"""Of one file: ten years."""
MOST_TAGS: Final = 5
DIMENSIONS: Final = (ACCOUNT, VIRTUAL_MODEL)


def parse_focus(sent: QueryDict, scope: Scope) -> tuple[FocusQuestion, str]:
    """The question and its format. Raises InvalidQueryError, FormatError."""
    given, checks = parameters(sent, PARAMETERS), Checks()
    first, last = (_day(given, name, checks) for name in ("start_date", "end_date"))
    if first and last and not timedelta() <= last - first < timedelta(days=MOST_DAYS):
        checks.add(("end_date",), "invalid_range", f"The last day is the first one or later, {MOST_DAYS} days at most.")
    question = FocusQuestion(
        first or date.min,
        last or date.min,
        checks.choice(given.get("focus_version", VERSIONS[0]), VERSIONS, ("focus_version",)) or VERSIONS[0],
        _dimensions(given.get("dimensions", ""), scope, checks),
        checks.choice(given.get("unpriced", INCLUDE), (INCLUDE, EXCLUDE), ("unpriced",)) or INCLUDE,
    )
    written = checks.choice(given.get("format", FORMATS[0]), FORMATS, ("format",)) or FORMATS[0]
    checks.finish()
    return question, available(written)


def check_size(question: FocusQuestion, scope: Scope, now: datetime) -> None:
    """Raise QueryTooLargeError for more requests than are read while somebody waits."""
    asked = Query(scope=scope, period=question.period, selections=(select("requests"),))
    found, most = engine.run(asked, now).summary.total_requests, settings.QUERY_REQUEST_BUDGET
    if found > most:
        raise QueryTooLargeError(found, most, (BACKGROUND, "narrow the range"))


def _day(given: dict[str, str], name: str, checks: Checks) -> date | None:
    if name not in given:
        checks.add((name,), "required", "A FOCUS file needs start_date and end_date, days of UTC.")
        return None
    found = checks.attempt(lambda: parse_day(given[name], "UTC", (name,)))
    return found.astimezone(UTC).date() if found else None


def _dimensions(text: str, scope: Scope, checks: Checks) -> tuple[str, ...]:
    names = split_values(text) if text else ()
    for number, name in enumerate(names):
        loc = ("dimensions", number)
        if name.startswith(METADATA_PREFIX):
            _metadata(name, scope, loc, checks)
        else:
            checks.choice(name, DIMENSIONS, loc)
    if len(names) > len(set(names)) or len(names) > MOST_TAGS:
        checks.add(("dimensions",), "out_of_range", f"At most {MOST_TAGS} dimensions, each once.")
    return names


def _metadata(name: str, scope: Scope, loc: tuple[str | int, ...], checks: Checks) -> None:
    checks.attempt(lambda: groupable_dimension(name, scope, loc))
