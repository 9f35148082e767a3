"""All charts of an answer, in their order."""

from typing import Any, Final

from analytics.dashboards import failures
from analytics.dashboards.panels import PANELS, Panel, chart
from analytics.dashboards.questions import Answers
from analytics.dashboards.state import State

_WITH_OWN_SERIES: Final = {
    "failures_by_error_type": failures.failed_requests,
    "failure_rate_by_status_code": failures.failure_rate,
}


def charts(state: State, answers: Answers) -> list[dict[str, Any]]:
    """What the browser draws and the page's tables show."""
    return [_chart(one, state, answers) for one in PANELS]


def _chart(panel: Panel, state: State, answers: Answers) -> dict[str, Any]:
    if panel.name in _WITH_OWN_SERIES:
        return _WITH_OWN_SERIES[panel.name](panel, state, answers)
    found = chart(panel, answers)
    return found | {"percentile": state.percentile_of(panel.name)} if "percentiles" in found else found
