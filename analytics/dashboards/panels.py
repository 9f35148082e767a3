"""The eleven charts, one entry each, and the series of those by group."""

from dataclasses import dataclass
from typing import Any, Final

from analytics.catalog.columns import DURATIONS
from analytics.catalog.measures import BY_NAME, Kind, Selection, Unit, select
from analytics.dashboards.questions import CHARTED, Answers
from analytics.dashboards.state import PERCENTILES
from analytics.query.values import Result, Series, Value
from metricsportal.lib import formats
from metricsportal.lib.money import PICO_PER_USD

_POSITION: Final = {selection: number for number, selection in enumerate(CHARTED)}
_UNPRICED: Final = _POSITION[select("unpriced_requests")]
_BESIDE: Final = {
    "failed": _POSITION[select("failed_requests")],
    "unpriced": _UNPRICED,
    "cached": _POSITION[select("cache_read_tokens")],
    "reasoning": _POSITION[select("reasoning_tokens")],
    "reported": _POSITION[select("itl_reported")],
    "streamed": _POSITION[select("tpot_streaming")],
    "whole": _POSITION[select("tpot_whole")],
    "least": _POSITION[select("latency", "min")],
    "most": _POSITION[select("latency", "max")],
}
_SAMPLES: Final = {f"{name}_samples": _POSITION[select(name, f"p{PERCENTILES[0]}")] for name in DURATIONS}


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart of the group series. `gap`: what a bucket without requests shows."""

    name: str
    measure: str
    section: str
    form: str
    gap: str
    title: str = ""


PANELS: Final = (
    Panel("requests_per_second", "requests_per_second", "performance", "line", "zero"),
    Panel("failure_rate", "failure_rate", "performance", "line", "gap", "Request failure rate"),
    Panel("failures_by_error_type", "", "performance", "stacked_bars", "none"),
    Panel("failure_rate_by_status_code", "", "performance", "line", "gap"),
    Panel("latency", "latency", "latency", "line", "gap"),
    Panel("ttft", "ttft", "latency", "line", "gap"),
    Panel("itl", "itl", "latency", "line", "gap"),
    Panel("tpot", "tpot", "latency", "line", "gap"),
    Panel("cost", "cost_usd", "cost", "stacked_bars", "zero", "Cost of inference"),
    Panel("input_tokens", "input_tokens", "cost", "stacked_bars", "zero"),
    Panel("output_tokens", "output_tokens", "cost", "stacked_bars", "zero"),
)


def text(value: Value, unit: Unit) -> str:
    """A value for people; money is picodollars."""
    if unit is Unit.USD:
        return formats.usd(None if value is None else int(value))
    if unit in (Unit.TOKENS, Unit.COUNT):
        return formats.exact(None if value is None else int(value))
    writers = {Unit.SHARE: formats.share, Unit.PER_SECOND: formats.rate, Unit.MS: formats.milliseconds}
    return writers[unit](value)


def at_least(words: str, value: Value, unit: Unit, unpriced: Value) -> str:
    """The words of a value; an amount to which unpriced requests add nothing is "at least" that."""
    return f"at least {words}" if unit is Unit.USD and unpriced and value is not None else words


def headline(value: Value, unit: Unit) -> str:
    """A value in a chart's header: short."""
    if unit is Unit.USD:
        return formats.usd(None if value is None else int(value), brief=True)
    return formats.compact(value) if unit in (Unit.TOKENS, Unit.COUNT) else text(value, unit)


def drawn(value: Value, unit: Unit) -> float | int | None:
    """A value for the canvas; the only place where money becomes a float, for its height in pixels."""
    return value / PICO_PER_USD if unit is Unit.USD and value is not None else value


def chart(panel: Panel, answers: Answers) -> dict[str, Any]:
    """A chart of a measure by the groups of the page; of a duration, one for each percentile."""
    measure = BY_NAME[panel.measure]
    head = {
        "name": panel.name,
        "title": panel.title or measure.label,
        "section": panel.section,
        "form": panel.form,
        "unit": measure.unit.value,
        "gap": panel.gap,
        "definition": measure.definition,
    }
    if measure.kind is not Kind.DURATION:
        return head | _of_groups(select(panel.measure), panel, answers)
    population = answers.charted.query.population.value if panel.name in ("latency", "ttft") else "successful"
    chosen = {str(one): _of_groups(select(panel.measure, f"p{one}"), panel, answers) for one in PERCENTILES}
    return head | {"population": population, "percentiles": chosen}


def _of_groups(selection: Selection, panel: Panel, answers: Answers) -> dict[str, Any]:
    return lines(answers.charted, selection, panel) | _everyone(selection, panel, answers.everyone)


def lines(result: Result, selection: Selection, panel: Panel) -> dict[str, Any]:
    """The series of a measure by group, and its value of the whole range."""
    position, unit = _POSITION[selection], selection.measure.unit
    total, unpriced = result.summary.total[position], result.summary.total[_UNPRICED]
    series = [
        _line({"group": number, "label": one.labels[0].text}, one, position, unit, panel)
        for number, one in enumerate(result.series)
    ]
    if result.previous is not None:
        earlier = {one.labels: one for one in result.previous.series}
        for line, one in zip(series, result.series, strict=True):
            line["previous"] = _earlier(earlier.get(one.labels), len(line["values"]), position, unit)
    words = at_least(headline(total, unit), total, unit, unpriced)
    return {"headline": words, "range": drawn(total, unit), "series": series}


def _everyone(selection: Selection, panel: Panel, everyone: Series | None) -> dict[str, Any]:
    """The line of the whole organization, in charts whose lines one can compare with it: not in those of amounts."""
    if everyone is None or panel.gap != "gap":
        return {}
    named = {"group": None, "label": "Everyone", "kind": "everyone"}
    return {"everyone": _line(named, everyone, _POSITION[selection], selection.measure.unit, panel)}


def beside(one: Series) -> dict[str, list[Value]]:
    """What tooltips say of a group besides the values of their chart, per bucket; what is 0 everywhere is left out."""
    columns = {name: [row[position] for row in one.values] for name, position in _BESIDE.items()}
    columns |= {name: [row[position] for row in one.samples] for name, position in _SAMPLES.items()}
    requests: list[Value] = [*one.requests]
    return {"requests": requests} | {name: column for name, column in columns.items() if any(column)}


def _line(named: dict[str, Any], one: Series, position: int, unit: Unit, panel: Panel) -> dict[str, Any]:
    values = [row[position] for row in one.values]
    if unit is Unit.USD:
        values = [drawn(value, unit) for value in values]
    if panel.gap == "zero" and unit is not Unit.USD:  # an amount without a value is unknown, not 0
        values = [0 if value is None else value for value in values]
    known = [value for value in values if value is not None]
    total = one.total[position]
    line: dict[str, Any] = named | {
        "values": values,
        "range": drawn(total, unit),
        "range_text": at_least(text(total, unit), total, unit, one.total[_UNPRICED]),
        "max": max(known, default=None),
    }
    if unit is Unit.USD and one.total[_UNPRICED]:
        line["at_least"] = [bool(row[_UNPRICED]) for row in one.values]
    return line


def _earlier(one: Series | None, length: int, position: int, unit: Unit) -> list[float | int | None]:
    """The values of a series in the earlier period, bucket by bucket; a month may have had fewer."""
    values = [] if one is None else [drawn(row[position], unit) for row in one.values]
    return [*values, *[None] * length][:length]
