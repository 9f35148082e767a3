"""The counters and the breakdown table."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from analytics import currency
from analytics.catalog.measures import Unit, select
from analytics.currency import Rate
from analytics.dashboards.changes import change_of, spark, whole_buckets
from analytics.dashboards.choices import INTERVAL_WORDS
from analytics.dashboards.listing import CHANGE, LISTED, SUMS, Sort, page_number, pages, past
from analytics.dashboards.panels import at_least, drawn, headline, text
from analytics.dashboards.questions import Answers
from analytics.dashboards.state import State
from analytics.query.labels import Labels
from analytics.query.parsing import filter_of
from analytics.query.values import Result, Series, Value
from metricsportal.lib import formats
from metricsportal.lib.money import usd_text

_COUNTERS: Final = ("input_tokens", "output_tokens", "requests", "cost_usd")
_COLUMNS: Final = (
    ("requests", "Requests", Unit.COUNT),
    ("share", "Share", Unit.SHARE),
    ("failure_rate", "Failure rate", Unit.SHARE),
    ("requests_per_second", "RPS", Unit.PER_SECOND),
    ("latency_p50_ms", "Latency P50", Unit.MS),
    ("latency_p99_ms", "Latency P99", Unit.MS),
    ("ttft_p50_ms", "TTFT P50", Unit.MS),
    ("tpot_p50_ms", "TPOT P50", Unit.MS),
    ("input_tokens", "Input tokens", Unit.TOKENS),
    ("output_tokens", "Output tokens", Unit.TOKENS),
    ("cost_usd", "Cost", Unit.USD),
    ("cost_per_1000_usd", "Cost / 1,000", Unit.USD),
)
_LISTED_POSITION: Final = {selection.name: number for number, selection in enumerate(LISTED)}
_SUM_POSITION: Final = {selection.name: number for number, selection in enumerate(SUMS)}


def counters(answers: Answers) -> list[dict[str, Any]]:
    """The four counters with their change and sparkline; equal to the API's answer to the same question."""
    return [_counter(name, answers) for name in _COUNTERS]


def _counter(name: str, answers: Answers) -> dict[str, Any]:
    position, measure = _SUM_POSITION[name], select(name).measure
    money = measure.unit is Unit.USD
    now, before = answers.counted.summary, answers.counted.previous
    value = now.total[position]
    value = value if money else value or 0
    whole = past(before).get(())
    earlier = whole.total[position] if whole else None
    course = [row[position] for row in answers.charted.summary.values]
    unpriced = answers.counted.meta.unpriced_requests if money else 0
    return {
        "name": "cost" if money else name,
        "label": measure.label,
        "unit": measure.unit.value,
        "value": _exact(value) if money else value,
        "text": f"${_exact(value)}" if money and value is not None else text(value, measure.unit),
        "compact": headline(value, measure.unit),
        "previous": _exact(earlier) if money else earlier,
        "previous_text": _worded(before.summary, position, measure.unit) if before and earlier is not None else None,
        **change_of(value, earlier),
        "spark": _spark(course, answers),
        "notes": _notes(name, answers.counted),
        "severity": "neutral",
        "at_least": bool(unpriced) and value is not None,
        "unpriced_requests": unpriced,
        "converted": converted_words(value, unpriced, answers.rate, answers.counted.meta.zone) if money else None,
    }


def converted_words(picodollars: Value, unpriced: int, rate: Rate | None, zone: str) -> str | None:
    """An amount in the second currency; None where there is no rate or no amount."""
    if rate is None or picodollars is None:
        return None
    words = currency.words(Decimal(int(picodollars)).scaleb(-12), rate, zone)
    return f"at least {words}" if unpriced else words


def _worded(one: Series, position: int, unit: Unit) -> str:
    """A value of the whole range for people."""
    value = one.total[position]
    return at_least(text(value, unit), value, unit, one.total[_SUM_POSITION["unpriced_requests"]])


def _exact(picodollars: Value) -> str | None:
    return usd_text(None if picodollars is None else int(picodollars))


def _notes(name: str, counted: Result) -> list[str]:
    sums = dict(zip((one.name for one in SUMS), counted.summary.total, strict=True))
    if name == "input_tokens" and sums["input_tokens"]:
        return [f"{formats.share((sums['cache_read_tokens'] or 0) / sums['input_tokens'])} read from cache"]
    if name == "requests" and counted.summary.total_requests:
        failed = formats.exact(int(sums["failed_requests"] or 0))
        return [f"{failed} failed ({formats.share(sums['failure_rate'])})"]
    if name == "cost_usd" and counted.meta.priced_share is not None:
        return [coverage_words(counted.meta.priced_share, counted.meta.unpriced_requests)]
    return []


def coverage_words(priced_share: float, unpriced: int) -> str:
    """97.0 % priced, 12 requests unpriced."""
    requests = f"{formats.exact(unpriced)} request{'' if unpriced == 1 else 's'}"
    return f"{formats.share(priced_share)} priced, {requests} unpriced" if unpriced else "all requests priced"


def _spark(values: Sequence[Value], answers: Answers, label: str = "") -> dict[str, str] | None:
    """The course over the buckets of the charts; with a label also its counts in words."""
    interval = answers.charted.query.interval
    what = f"{label} per {INTERVAL_WORDS[interval.value].removeprefix('1 ')}" if label and interval else label
    return spark(whole_buckets(answers.charted.buckets, values), what, lambda value: headline(value, Unit.COUNT))


def breakdown(state: State, answers: Answers) -> dict[str, Any]:
    """One page of the table, sorted by any column; the total spans all pages."""
    table, were = answers.table, past(answers.table.before)
    whole = table.every.summary.total_requests
    count = len([one for one in table.every.series if one.total_requests])
    return {
        "columns": [
            *({"name": name, "label": label, "unit": unit.value, "sort": name} for name, label, unit in _COLUMNS),
            {
                "name": "change",
                "label": _change_label(table.sort),
                "unit": None,
                "sort": f"{CHANGE}{table.sort.column}",
            },
            {"name": "spark", "label": "Requests over time", "unit": None, "sort": None},
        ],
        "rows": [_row(one, state, answers, were) for one in table.rows.series],
        "total": _cells(table.rows.summary, whole) | _movement(table.rows.summary, answers, were),
        "page": page_number(state.page, count),
        "pages": pages(count),
        "count": count,
        "sort": table.sort.text,
    }


def _change_label(sort: Sort) -> str:
    """Change of cost: the change is that of the column by which the table is sorted; shares change with requests."""
    labels = {name: label for name, label, _ in _COLUMNS} | {"share": "Requests"}
    label = labels.get(sort.column, LISTED[sort.position].measure.label)
    return f"Change of {label if label[1:2].isupper() else label[:1].lower() + label[1:]}"


def _row(one: Series, state: State, answers: Answers, were: Mapping[Labels, Series]) -> dict[str, Any]:
    label = one.labels[0]
    head = {"label": label.text, "kind": label.kind.value, "filter": filter_of(state.dimension.name, label)}
    return head | _cells(one, answers.table.every.summary.total_requests) | _movement(one, answers, were)


def _movement(one: Series, answers: Answers, were: Mapping[Labels, Series]) -> dict[str, Any]:
    """Change against the period before, and course: of a group, or of all of them."""
    sort = answers.table.sort
    unit = LISTED[sort.position].measure.unit
    before = were.get(one.labels)
    earlier = before.total[-1] if before else None
    change = change_of(one.total[sort.position], earlier)
    is_more = change["arrow"] == "arrow-up" or change["change_text"] == "new"
    requests = answers.courses[one.labels] if one.labels else answers.charted.summary.requests
    return {
        **change,
        "bad": is_more and sort.column in ("failure_rate", "failed_requests"),
        "previous_text": _worded(before, -1, unit) if before and earlier is not None else None,
        "spark": _spark(requests, answers, "Requests"),
    }


def _cells(one: Series, whole: int) -> dict[str, Any]:
    found: dict[str, Value] = {
        name: one.total[_LISTED_POSITION[name]] for name, _, _ in _COLUMNS if name in _LISTED_POSITION
    }
    found["share"] = one.total_requests / whole if whole else None
    values = {name: drawn(found[name], unit) for name, _, unit in _COLUMNS}
    unpriced = one.total[_SUM_POSITION["unpriced_requests"]]
    texts = {name: at_least(text(found[name], unit), found[name], unit, unpriced) for name, _, unit in _COLUMNS}
    return {"values": values, "texts": texts}
