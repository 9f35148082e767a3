"""What a saved view holds, read by the parser of the question itself: when it is saved and when it is run."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from analytics.api.checks import Checks, Loc, refuse
from analytics.api.limits import check_cells
from analytics.api.question import parse_question
from analytics.api.report_question import PARAMETERS as REPORT_PARAMETERS
from analytics.api.report_question import parse_report
from analytics.dashboards import state
from analytics.query.values import InvalidQueryError, Problem
from analytics.saved import KINDS
from teams.access import Scope

MAX_BYTES: Final = 16 * 1024
MAX_NAME: Final = 120
FIELDS: Final = ("name", "kind", "content")


@dataclass(frozen=True, slots=True)
class Sent:
    """A checked body: what to keep under which name, and for which team if for one."""

    name: str
    kind: str
    content: dict[str, Any]
    team: str | None


def parse_saved(body: object, scope: Scope, now: datetime, *, team: bool) -> Sent:
    """The view of a body; `team`: whether it may name one. Raises InvalidQueryError with every problem."""
    fields = (*FIELDS, "team") if team else FIELDS
    if not isinstance(body, Mapping):
        raise refuse((), "invalid_type", "A view is a JSON object.", fields)
    checks = Checks()
    checks.known(body, fields)
    name = _name(checks, body.get("name"))
    owner = body.get("team")
    if owner is not None and not isinstance(owner, str):
        checks.add(("team",), "invalid_type", "team is the name of a team, or null for a private view.")
    kind = checks.choice(body.get("kind"), KINDS, ("kind",))
    content = checks.attempt(lambda: _content(kind, body.get("content"), scope, now)) if kind else None
    checks.finish()
    return Sent(name, str(kind), content or {}, owner)


def _name(checks: Checks, value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        message = f"A name has 1 to {MAX_NAME} characters that can be seen."
        checks.add(("name",), "invalid_value" if value is not None else "required", message)
    return name


def _content(kind: str, content: object, scope: Scope, now: datetime) -> dict[str, Any]:
    """The content as plain JSON, checked. Numbers with a point are texts: filters take both."""
    loc: Loc = ("content",)
    if not isinstance(content, Mapping):
        raise refuse(loc, "required" if content is None else "invalid_type", "content is a JSON object.")
    with inside_content():
        check(kind, content, scope, now)
    text = json.dumps(content, default=str)
    if len(text) > MAX_BYTES:
        raise refuse(loc, "out_of_range", f"content has at most {MAX_BYTES} bytes.")
    plain: dict[str, Any] = json.loads(text)
    return plain


@contextmanager
def inside_content() -> Iterator[None]:
    """Problems of a question are problems of the content that it stands in."""
    try:
        yield
    except InvalidQueryError as error:
        inside = [Problem(("content", *one.loc), one.code, one.message, one.allowed) for one in error.problems]
        raise InvalidQueryError(inside) from None


def check(kind: str, content: Mapping[str, Any], scope: Scope, now: datetime) -> None:
    """Raise InvalidQueryError, or RefusedQueryError, when the content is not a question of its kind."""
    checkers: dict[str, Callable[[Mapping[str, Any], Scope, datetime], object]] = {
        "metrics_query": lambda body, *of: check_cells(parse_question(body, *of).query),
        "report": lambda parameters, *of: parse_report(as_parameters(parameters, REPORT_PARAMETERS, ("filter",)), *of),
        "dashboard": _check_state,
    }
    checkers[kind](content, scope, now)


def as_parameters(content: Mapping[str, Any], allowed: tuple[str, ...], repeatable: tuple[str, ...]) -> QueryDict:
    """Saved parameters as a query string has them; the form of a file is chosen when it is asked for.

    Raises InvalidQueryError for other names, and for values that are not texts.
    """
    checks, given = Checks(), QueryDict(mutable=True)
    checks.known(content, (*(name for name in allowed if name != "format"), *repeatable))
    for name, value in content.items():
        values = value if name in repeatable and isinstance(value, list) else [value]
        if all(isinstance(one, str) for one in values):
            given.setlist(name, values)
        else:
            checks.add((name[:80],), "invalid_type", f"{name[:80]} is a text.")
    checks.finish()
    return given


def _check_state(content: Mapping[str, Any], scope: Scope, now: datetime) -> None:
    found = state.parse(as_parameters(content, state.PARAMETERS, state.REPEATABLE), scope, now)
    if found.messages:
        raise InvalidQueryError([Problem((), "invalid_value", message) for message in found.messages])
