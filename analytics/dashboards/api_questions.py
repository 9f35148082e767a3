"""The question of each chart as a body of `metrics/query`, so that a script gets the numbers that the page shows."""

from typing import Any, Final

from analytics.catalog.dimensions import BY_NAME as DIMENSIONS
from analytics.catalog.measures import BY_NAME, Kind, Measure
from analytics.dashboards.panels import PANELS, Panel
from analytics.dashboards.questions import CLASSES, MOST_ERRORS, Answers
from analytics.dashboards.state import State
from analytics.query.parsing import LONG_OPERATORS
from analytics.query.values import Filter, Operator
from metricsportal.lib.localtime import zone

_LONG: Final = {short: name for name, short in LONG_OPERATORS.items()}
_LISTS: Final = (Operator.IN, Operator.NIN, Operator.BETWEEN)
_ERRORS: Final = {"failures_by_error_type": "error_type", "failure_rate_by_status_code": "status_code"}
_REQUESTS: Final = {"type": "count", "column": "requests"}


def api_questions(state: State, answers: Answers) -> dict[str, Any]:
    """`base`: what all charts have in common; `panels`: by name, what is added to it."""
    query = answers.charted.query
    tz = zone(query.scope.zone)
    base: dict[str, Any] = {
        "startTs": query.period.start.astimezone(tz).isoformat(),
        "endTs": query.period.end.astimezone(tz).isoformat(),
        "type": "timeseries",
        "interval": (query.interval or state.interval).value,
        "filters": [_filter(one) for one in query.filters],
        "population": query.population.value,
    }
    return {"base": base, "panels": {one.name: _own(one, state) | _narrowing(one, state, answers) for one in PANELS}}


def _narrowing(panel: Panel, state: State, answers: Answers) -> dict[str, Any]:
    """Charts of failures show isolated groups alone; where groups are the series, the browser hides the others."""
    shows_groups = panel.name not in _ERRORS or (panel.name == "failures_by_error_type" and state.failures == "view")
    if answers.narrowed is None or shows_groups:
        return {}
    return {"filters": [_filter(one) for one in (*answers.charted.query.filters, answers.narrowed)]}


def _filter(one: Filter) -> dict[str, Any]:
    sent: dict[str, Any] = {"fieldName": one.dimension.api_name, "operator": _LONG[one.operator]}
    if not one.values:
        return sent
    return sent | {"value": list(one.values) if one.operator in _LISTS else one.values[0]}


def _own(panel: Panel, state: State) -> dict[str, Any]:
    """Groups are those of the page: the largest by requests, or by failures in the charts of failures."""
    if panel.name == "failure_rate_by_status_code" and state.codes == "class":
        return {"aggregations": [{"type": "count", "column": one.measure.api_name} for one in CLASSES]}
    if panel.name in _ERRORS and not (panel.name == "failures_by_error_type" and state.failures == "view"):
        failures = _aggregation(BY_NAME["failed_requests"], state)
        groups = [DIMENSIONS[_ERRORS[panel.name]].api_name]
        return {"groupBy": groups, "aggregations": [failures], "limit": MOST_ERRORS}
    return {
        "groupBy": [state.dimension.api_name],
        "aggregations": [_aggregation(BY_NAME[panel.measure or "failed_requests"], state), _REQUESTS],
        "orderBy": [_REQUESTS | {"direction": "desc"}],
        "limit": state.top,
    }


def _aggregation(measure: Measure, state: State) -> dict[str, str]:
    kind = f"p{state.percentile_of(measure.name)}" if measure.kind is Kind.DURATION else measure.aggregations[0]
    return {"type": kind, "column": measure.api_name}
