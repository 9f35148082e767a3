"""What the page offers: views, ranges, intervals, fields and operators, export columns."""

from datetime import datetime
from typing import Any, Final

from analytics.catalog import dimensions
from analytics.catalog.dimensions import METADATA_PREFIX, Dimension, ValueType
from analytics.catalog.measures import NATIVE, PERCENTILES, Population
from analytics.dashboards.state import EVERYONE, TOPS, State, compares, possible_intervals
from analytics.dashboards.state import PERCENTILES as SHOWN_PERCENTILES
from analytics.query.coverage import coverage
from analytics.query.keys import visible_keys
from analytics.query.parsing import OPERATOR_WORDS, OPERATORS
from analytics.query.values import Compare
from metricsportal.lib import formats
from metricsportal.lib.localtime import zone
from teams.access import Scope

PRESETS: Final = (
    ("now-15m", "now", "Last 15 minutes"),
    ("now-1h", "now", "Last hour"),
    ("now-3h", "now", "Last 3 hours"),
    ("now-6h", "now", "Last 6 hours"),
    ("now-24h", "now", "Last 24 hours"),
    ("now-2d", "now", "Last 2 days"),
    ("now-7d", "now", "Last 7 days"),
    ("now-30d", "now", "Last 30 days"),
    ("now-90d", "now", "Last 90 days"),
    ("today", "now", "Today"),
    ("yesterday", "today", "Yesterday"),
    ("week", "now", "This week"),
    ("last-week", "week", "Last week"),
    ("month", "now", "Month to date"),
    ("last-month", "month", "Last month"),
)
INTERVAL_WORDS: Final = {
    "1 minute": "1 minute",
    "5 minute": "5 minutes",
    "15 minute": "15 minutes",
    "1 hour": "1 hour",
    "1 day": "1 day",
    "1 week": "1 week",
    "1 month": "1 month",
}
COMPARE_WORDS: Final = {
    Compare.NONE.value: "Nothing",
    Compare.PREVIOUS_PERIOD.value: "Period before",
    Compare.PREVIOUS_CALENDAR.value: "A month earlier",
    EVERYONE: "Everyone",
}
_EXPORT_GROUPS: Final = (*dimensions.VIEWS, "provider", "status_code", "error_type", "cost_state")


def range_label(state: State, zone_name: str) -> str:
    """The range in words: the preset's, else its borders in the reporting zone."""
    for start, end, label in PRESETS:
        if (start, end) == (state.start_text, state.end_text):
            return label
    first, last = (instant.astimezone(zone(zone_name)) for instant in (state.period.start, state.period.end))
    return f"{first:%-d %b %Y %H:%M} – {last:%-d %b %Y %H:%M}"  # noqa: RUF001 - a range


def choices(state: State, scope: Scope, now: datetime) -> dict[str, Any]:
    """Everything the page offers to this viewer."""
    keys = [dimensions.metadata_dimension(key) for key in visible_keys(scope)]
    shares = coverage(scope, tuple(keys), now) if state.view == "metadata" else {}
    views = [{"by": name, "label": dimensions.BY_NAME[name].plural} for name in dimensions.VIEWS]
    return {
        "views": [*views, *([{"by": "metadata", "label": "Metadata"}] if keys else [])],
        "metadata_keys": [
            {
                "name": key.label,
                "coverage": shares.get(key.name),
                "coverage_text": formats.share(shares[key.name]) if shares.get(key.name) is not None else "",
            }
            for key in keys
        ],
        "presets": [{"from": start, "to": end, "label": label} for start, end, label in PRESETS],
        "intervals": [
            {"name": "auto", "label": "Auto"},
            *({"name": name, "label": INTERVAL_WORDS[name]} for name in possible_intervals(state.period)),
        ],
        "fields": [_field(one) for one in (*dimensions.DIMENSIONS, *keys)],
        "export_groups": [
            *({"name": name, "label": dimensions.BY_NAME[name].label} for name in _EXPORT_GROUPS),
            *({"name": key.name, "label": f"{key.label} (metadata)"} for key in keys),
        ],
        "export_measures": [{"name": name, "label": export_label(name)} for name in NATIVE],
        "percentiles": list(SHOWN_PERCENTILES),
        "populations": [{"name": one.value, "label": one.value.capitalize()} for one in Population],
        "tops": list(TOPS),
        "compares": [{"name": one, "label": COMPARE_WORDS[one]} for one in compares(scope)],
    }


def export_label(name: str) -> str:
    """Name of a report column for people: Request latency P90."""
    selection = NATIVE[name]
    return selection.measure.label + (f" P{selection.percentile}" if selection.percentile in PERCENTILES else "")


def _field(dimension: Dimension) -> dict[str, Any]:
    return {
        "name": dimension.name,
        "label": dimension.label,
        "type": dimension.value_type.value,
        "suggest": dimension.table is not None,
        "values": list(dimension.codes),
        "group": "Metadata" if dimension.name.startswith(METADATA_PREFIX) else "Request",
        "operators": [
            {"op": one.value, "label": OPERATOR_WORDS[one]} for one in OPERATORS[ValueType(dimension.value_type)]
        ],
    }
