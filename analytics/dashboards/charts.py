"""All charts of an answer, in their order."""

from typing import Any, Final

from analytics.dashboards import failures
from analytics.dashboards.panels import PANELS, chart
from analytics.dashboards.questions import Answers
from analytics.dashboards.state import State

_WITH_OWN_SERIES: Final = {
    "failures_by_error_type": failures.failed_requests,
    "failure_rate_by_status_code": failures.failure_rate,
}


def charts(state: State, answers: Answers) -> list[dict[str, Any]]:
    """What the browser draws and the page's tables show."""
    return [
        _WITH_OWN_SERIES[one.name](one, state, answers) if one.name in _WITH_OWN_SERIES else chart(one, answers)
        for one in PANELS
    ]
