"""The list of single requests behind the numbers: newest first, a page at a time, with the dashboard's filters."""

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict

from analytics.catalog.measures import select
from analytics.dashboards.page import emptiness, head_of
from analytics.dashboards.state import State, parse
from analytics.query import engine, facts_list
from analytics.query.facts import scoped_facts
from analytics.query.facts_list import Page, Place
from analytics.query.keeping import kept
from analytics.query.parsing import filter_text
from analytics.query.values import Query, RefusedQueryError
from ingestion.models import LLMRequest
from ingestion.records import CostState
from ingestion.watermarks import ALWAYS
from metricsportal.lib import formats
from metricsportal.lib.localtime import zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope

ROWS: Final = 50
FAILED: Final = "failed:eq:true"
"""The filter that leaves what went wrong."""
_PLACE: Final = re.compile(r"([0-9]{1,17})-([0-9]{1,18})-(older|newer)", re.ASCII)
_MICROSECONDS: Final = 10**6


def build(params: QueryDict, scope: Scope, now: datetime) -> dict[str, Any]:
    """Everything the page shows for a URL's parameters, to this viewer."""
    state = parse(params, scope, now)
    head = head_of(state, scope, now) | {"empty": None, "empty_hint": {}, "problem": None, "csv": _csv(state)}
    head |= {"failed_filter": FAILED, "only_failed": FAILED in {filter_text(one) for one in state.filters}}
    if scope.reach is Reach.NOTHING:
        return head | {"empty": "no_permission"}
    floor = kept(scope.organization_id).requests
    period = TimeRange(max(state.period.start, floor), max(state.period.end, floor))
    facts = scoped_facts(scope, period, state.filters)
    page = facts_list.page(facts, ROWS, _place(params.get("place", "")))
    if not page.rows and "place" not in params:
        empty, hint = emptiness(state, scope)
        return head | {"empty": empty, "empty_hint": hint}
    tz = zone(scope.zone)
    return head | {
        "rows": [_row(one, tz) for one in page.rows],
        "older": _text(page.following),
        "newer": _text(page.preceding),
        "counts": _counts(scope, period, state, now),
        "kept_from": moment(floor, tz) if ALWAYS < state.period.start < floor else None,
        "borders": _borders(page, tz),
    }


def moment(instant: datetime, tz: ZoneInfo) -> str:
    """An instant for people, to the second, in the reporting zone."""
    return instant.astimezone(tz).strftime("%d %b %Y %H:%M:%S")


def _row(one: LLMRequest, tz: ZoneInfo) -> dict[str, Any]:
    return {
        "request_id": one.request_id,
        "started": moment(one.started_at, tz),
        "instant": one.started_at.astimezone(UTC).isoformat(),
        "model": one.model.name if one.model else None,
        "provider": one.model.provider if one.model else "",
        "virtual_model": one.virtual_model.name if one.virtual_model else None,
        "user": one.user.name if one.user else None,
        "virtual_account": one.virtual_account.name if one.virtual_account else None,
        "team": one.team.name if one.team else None,
        "failed": one.failed,
        "status": status_words(one),
        "tokens": (formats.exact(one.input_tokens), formats.exact(one.output_tokens)),
        "latency": duration(one.latency_us),
        "ttft": duration(one.ttft_us),
        "cost": cost_words(one),
        "unpriced": one.cost_state == CostState.UNPRICED,
    }


def status_words(one: LLMRequest) -> str:
    """How a request ended: 200, 429 RateLimitError, cancelled."""
    code = "" if one.status_code is None else str(one.status_code)
    if not one.failed:
        return code or "ok"
    reason = one.error_type.name if one.error_type else (one.failure_class or "failed").replace("_", " ")
    return f"{code} {reason}".strip()


def duration(microseconds: int | None) -> str:
    """A duration for people."""
    return formats.milliseconds(None if microseconds is None else microseconds / 1000)


def cost_words(one: LLMRequest) -> str:
    """What was billed for it."""
    return "unpriced" if one.cost_state == CostState.UNPRICED else formats.usd(one.cost)


def _counts(scope: Scope, period: TimeRange, state: State, now: datetime) -> dict[str, str] | None:
    """Requests and failed ones, from the aggregates; None where these do not tell."""
    names = ("requests", "failed_requests", "failure_rate")
    query = Query(scope=scope, period=period, selections=tuple(map(select, names)), filters=state.filters)
    try:
        requests, failed, rate = engine.run(query, now).summary.total
    except RefusedQueryError:
        return None
    counts = {"requests": formats.exact(int(requests or 0)), "failed": formats.exact(int(failed or 0))}
    return counts | {"rate": formats.share(rate)}


def _borders(page: Page, tz: ZoneInfo) -> dict[str, str] | None:
    if not page.rows:
        return None
    return {"newest": moment(page.rows[0].started_at, tz), "oldest": moment(page.rows[-1].started_at, tz)}


def _csv(state: State) -> str:
    """The same requests as a file, without the organization."""
    borders = (("start", state.period.start.isoformat()), ("end", state.period.end.isoformat()))
    filters = (("filter", filter_text(one)) for one in state.filters)
    return urlencode((*borders, ("format", "csv"), *filters))


def _text(place: Place | None) -> str | None:
    """A place in the URL: microseconds since 1970, id, and which way the page lies."""
    if place is None:
        return None
    whole = int(place.started_at.replace(microsecond=0).timestamp()) * _MICROSECONDS + place.started_at.microsecond
    return f"{whole}-{place.pk}-{'newer' if place.newer else 'older'}"


def _place(text: str) -> Place | None:
    """None for the newest page, also where somebody changed the address."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    seconds, micro = divmod(int(found[1]), _MICROSECONDS)
    instant = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)  # of 17 digits at most: before 5139
    return Place(instant, int(found[2]), found[3] == "newer")
