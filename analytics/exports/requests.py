"""Single requests as they leave the portal. Never in them: prompts, answers, keys."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from analytics.catalog.dimensions import UNASSIGNED
from analytics.exports import manifest
from analytics.exports.cells import instant, short_instant
from analytics.exports.formats.values import json_values
from analytics.exports.source import Opening
from analytics.exports.table import Batch, Column, Kind, Table
from analytics.query import facts_list
from analytics.query.facts import scoped_facts
from analytics.query.facts_list import EVER, Place
from analytics.query.values import Filter
from ingestion.models import LLMRequest
from ingestion.pricing import loading
from ingestion.quoting.receipt import Line, Receipt
from ingestion.records import CostState
from metricsportal.lib.money import usd_text
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_input_tokens",
    "image_output_tokens",
)


_Form = Callable[[Any], Any]


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


def _text(value: str | None) -> str | None:
    return value or None


def _team(name: str | None) -> str:
    return UNASSIGNED if name is None else name


# Of each column its name, kind, where the value is found on the request, and the form in which it leaves.
_FIELDS: Final[tuple[tuple[str, Kind, str, _Form | None], ...]] = (
    ("request_id", Kind.TEXT, "request_id", None),
    ("started_at", Kind.TEXT, "started_at", instant),
    ("model", Kind.TEXT, "model__name", None),
    ("virtual_model", Kind.TEXT, "virtual_model__name", None),
    ("provider", Kind.TEXT, "model__provider", _text),
    ("team", Kind.TEXT, "team__name", _team),
    ("user", Kind.TEXT, "user__name", None),
    ("virtual_account", Kind.TEXT, "virtual_account__name", None),
    ("status_code", Kind.WHOLE, "status_code", None),
    ("error_type", Kind.TEXT, "error_type__name", None),
    ("streaming", Kind.FLAG, "streaming", None),
    ("attempt", Kind.WHOLE, "attempt", None),
    ("input_tokens", Kind.WHOLE, "input_tokens", None),
    ("output_tokens", Kind.WHOLE, "output_tokens", None),
    ("units", Kind.OBJECT, "units", None),
    ("latency_ms", Kind.REAL, "latency_us", _milliseconds),
    ("ttft_ms", Kind.REAL, "ttft_us", _milliseconds),
    ("itl_ms", Kind.REAL, "itl_us", _milliseconds),
    ("tpot_ms", Kind.REAL, "tpot_us", _milliseconds),
    ("cost_usd", Kind.MONEY, "cost", None),
    ("cost_state", Kind.TEXT, "cost_state", None),
    ("metadata", Kind.OBJECT, "metadata", None),
)
COLUMNS: Final = tuple(Column(name, kind) for name, kind, _, _ in _FIELDS)
_PATHS: Final = tuple(path for _, _, path, _ in _FIELDS)
_SUMMED: Final = ("input_tokens", "output_tokens", "cost_usd")


def row(one: LLMRequest) -> dict[str, Any]:
    """One request of a list. Absent values are null, money is text."""
    columns = _formed([[_found(one, path)] for path in _PATHS])
    return {name: json_values(values, kind)[0] for (name, kind, _, _), values in zip(_FIELDS, columns, strict=True)}


def _found(one: Any, path: str) -> Any:  # noqa: ANN401 - a request or a row of one of the tables around it
    name, _, rest = path.partition("__")
    value = getattr(one, name)
    return _found(value, rest) if rest and value is not None else value


def _formed(columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    forms = (form for _, _, _, form in _FIELDS)
    return [list(map(form, values)) if form else values for form, values in zip(forms, columns, strict=True)]


def detail(one: LLMRequest, trace: Iterable[dict[str, Any]], billed: Receipt) -> dict[str, Any]:
    """Everything kept of one request, with the requests of its trace and what it is billed for."""
    return row(one) | {
        "received_at": instant(one.received_at),
        "operation": one.operation,
        "service_tier": one.service_tier,
        "trace_id": one.trace_id,
        "span_id": one.span_id,
        "failed": one.failed,
        "failure_class": one.failure_class,
        "error_message": one.error_message,
        "team_attribution": one.attribution,
        "user_email": (one.user.email or None) if one.user else None,
        "tokens": {name: getattr(one, name) for name in TOKENS},
        "token_anomaly": one.token_anomaly,
        "list_cost_usd": usd_text(one.list_cost),
        "contracted_cost_usd": usd_text(one.contracted_cost),
        "reported_cost_usd": usd_text(one.reported_cost),
        "price_book_version": one.price_book_version,
        "price_lines": [_line(line) for line in billed.lines],
        "trace": [{name: _plain(value) for name, value in other.items()} for other in trace],
    }


def _line(line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "class": line.token_class,
        "quantity": line.quantity,
        "price_usd": None if line.price is None else f"{line.price.normalize():f}",
        "per": "piece" if line.per_piece else "million tokens",
        "amount_usd": usd_text(line.amount),
        "entry": None
        if entry is None
        else {
            "source": entry.catalogue or "manual",
            "provider": entry.provider,
            "match": entry.match_kind,
            "model": entry.model_match,
            "class": entry.token_class,
            "service_tier": entry.service_tier,
            "context_above": entry.context_above,
            "effective_from": instant(entry.effective_from),
        },
    }


def _plain(value: object) -> object:
    return instant(value) if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class RequestSource:
    """Requests newest first, asked at one instant."""

    scope: Scope
    period: TimeRange
    filters: tuple[Filter, ...]
    now: datetime

    def opening(self) -> Opening:
        """The question, and between which instants the requests lie."""
        meta = {
            "timezone": self.scope.zone,
            "start": None if self.period.start == EVER.start else short_instant(self.period.start),
            "end": None if self.period.end == EVER.end else short_instant(self.period.end),
            "price_book_version": loading.version(self.scope.organization_id),
        }
        about = meta | {
            "filters": manifest.filter_texts(self.filters),
            "query_sha256": manifest.fingerprint(self.scope, self.period, self.filters, ("requests",)),
        }
        borders = facts_list.borders(scoped_facts(self.scope, self.period, ()))
        return {
            "manifest": about,
            "meta": meta | {"fresh_until": instant(self.now)},
            "between": [moment.isoformat() for moment in borders],
        }

    def batches(self, mark: str | None = None) -> Iterator[Batch]:
        """Page after page; a mark is the place of the last request on one."""
        facts = scoped_facts(self.scope, self.period, self.filters)
        for chunk in facts_list.chunks(facts, _PATHS, None if mark is None else _place(mark)):
            following = chunk.following
            yield Batch(
                _formed(chunk.columns), f"{following.started_at.isoformat()} {following.pk}" if following else None
            )

    def table(self, opening: Opening, batches: Iterator[Batch]) -> Table:
        """The requests as a table, added up on their way."""
        sums = _Sums()

        def ending(rows: int) -> Mapping[str, Any]:
            return {"totals": sums.totals(rows), "meta": opening["meta"] | {"row_count": rows}}

        return Table(COLUMNS, sums.of(batches), ending, opening["manifest"], rows_name="results")

    def fraction(self, opening: Opening, mark: str) -> float:
        """By the time covered, from the newest request back to the oldest."""
        if not opening["between"]:
            return 1.0
        oldest, newest = map(datetime.fromisoformat, opening["between"])
        return (newest - _place(mark).started_at) / max(newest - oldest, timedelta.resolution)


class _Sums:
    """Totals of the rows that went by. Unknown values are no zeros: they are counted, or left out of a sum."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(_SUMMED, 0)
        self._unpriced = 0

    def of(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches, added up on their way."""
        for batch in batches:
            columns = dict(zip((column.name for column in COLUMNS), batch.columns, strict=True))
            for name in _SUMMED:
                self._sums[name] += sum(filter(None, columns[name]))
            self._unpriced += columns["cost_state"].count(CostState.UNPRICED.value)
            yield batch

    def totals(self, rows: int) -> dict[str, Any]:
        """Requests, tokens, cost, and how many requests have no price."""
        cost = usd_text(self._sums["cost_usd"])
        return {"requests": rows, **self._sums, "cost_usd": cost, "unpriced_requests": self._unpriced}


def _place(mark: str) -> Place:
    moment, _, pk = mark.partition(" ")
    return Place(datetime.fromisoformat(moment), int(pk))
