"""Single requests as they leave the portal. Never in them: prompts, answers, keys."""

from collections.abc import Callable, Iterable, Iterator, Mapping
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


_Read = Callable[[LLMRequest], Any]
_FIELDS: Final[tuple[tuple[str, Kind, _Read], ...]] = (
    ("request_id", Kind.TEXT, lambda one: one.request_id),
    ("started_at", Kind.TEXT, lambda one: instant(one.started_at)),
    ("model", Kind.TEXT, lambda one: _name(one.model)),
    ("virtual_model", Kind.TEXT, lambda one: _name(one.virtual_model)),
    ("provider", Kind.TEXT, lambda one: (one.model.provider or None) if one.model else None),
    ("team", Kind.TEXT, lambda one: one.team.name if one.team else UNASSIGNED),
    ("user", Kind.TEXT, lambda one: _name(one.user)),
    ("virtual_account", Kind.TEXT, lambda one: _name(one.virtual_account)),
    ("status_code", Kind.WHOLE, lambda one: one.status_code),
    ("error_type", Kind.TEXT, lambda one: _name(one.error_type)),
    ("streaming", Kind.FLAG, lambda one: one.streaming),
    ("attempt", Kind.WHOLE, lambda one: one.attempt),
    ("input_tokens", Kind.WHOLE, lambda one: one.input_tokens),
    ("output_tokens", Kind.WHOLE, lambda one: one.output_tokens),
    ("units", Kind.OBJECT, lambda one: one.units),
    ("latency_ms", Kind.REAL, lambda one: _milliseconds(one.latency_us)),
    ("ttft_ms", Kind.REAL, lambda one: _milliseconds(one.ttft_us)),
    ("itl_ms", Kind.REAL, lambda one: _milliseconds(one.itl_us)),
    ("tpot_ms", Kind.REAL, lambda one: _milliseconds(one.tpot_us)),
    ("cost_usd", Kind.MONEY, lambda one: one.cost),
    ("cost_state", Kind.TEXT, lambda one: one.cost_state),
    ("metadata", Kind.OBJECT, lambda one: one.metadata),
)
COLUMNS: Final = tuple(Column(name, kind) for name, kind, _ in _FIELDS)
_SUMMED: Final = ("input_tokens", "output_tokens", "cost_usd")


def row(one: LLMRequest) -> dict[str, Any]:
    """One request of a list. Absent values are null, money is text."""
    return {name: json_values([read(one)], kind)[0] for name, kind, read in _FIELDS}


def _name(named: Any) -> str | None:  # noqa: ANN401 - a row of one of five dimension tables
    return named.name if named else None


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


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
        for page in facts_list.pages(facts, None if mark is None else _place(mark)):
            following = page.following
            columns = [[read(one) for one in page.rows] for _, _, read in _FIELDS]
            yield Batch(columns, f"{following.started_at.isoformat()} {following.pk}" if following else None)

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
