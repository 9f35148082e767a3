"""One request: how it went, where its time went, what it is billed for, to whom it counts and why."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from analytics.catalog.dimensions import registered_keys
from analytics.dashboards.requests import cost_words, duration, moment, status_words
from analytics.query import facts_list
from analytics.query.parsing import join_values
from ingestion.models import LLMRequest
from ingestion.quoting.comparing import label
from ingestion.quoting.receipt import Line, Receipt, receipt
from ingestion.records import TOKEN_FIELDS, Attribution, CostState
from metricsportal.lib import formats
from metricsportal.lib.localtime import zone
from teams.access import Scope

_STATES: Final = {
    CostState.COMPUTED: "by the price book",
    CostState.REPORTED: "the gateway's figure",
    CostState.UNPRICED: "the price book has no price for it, and the gateway sent none",
    CostState.NONE: "nothing billable",
}
_ATTRIBUTIONS: Final = {
    Attribution.RECORD: "the record names it",
    Attribution.VIRTUAL_ACCOUNT: "the virtual account belongs to it",
    Attribution.USER: "the user belongs to it",
    Attribution.UNASSIGNED: "neither the record, nor the account, nor the user names a team",
}
_WIDTH: Final = 1000  # of the bar, in its own units


def build(request_id: str, scope: Scope) -> dict[str, Any] | None:
    """Everything the page shows of a request; None when there is none inside the scope."""
    one = facts_list.one_request(scope, request_id) if "\0" not in request_id else None
    if one is None:
        return None
    tz = zone(scope.zone)
    return {
        "request_id": one.request_id,
        "started": moment(one.started_at, tz),
        "zone": scope.zone,
        "failed": one.failed,
        "status": status_words(one),
        "error_message": one.error_message,
        "cost": cost_words(one),
        "durations": _durations(one),
        "bar": _bar(one),
        "facts": _facts(one, tz),
        "tokens": _tokens(one),
        "anomaly": one.token_anomaly,
        "bill": _bill(one, receipt(one)),
        "people": _people(one),
        "team_reason": _ATTRIBUTIONS[Attribution(one.attribution)],
        "metadata": _metadata(one),
        "trace": [_sibling(other, tz) for other in facts_list.same_trace(scope, one)],
        "trace_id": one.trace_id,
    }


def _durations(one: LLMRequest) -> list[tuple[str, str]]:
    pairs = (
        ("Latency", one.latency_us),
        ("Time to first token", one.ttft_us),
        ("Inter-token latency", one.itl_us),
        ("Time per output token", one.tpot_us),
    )
    return [(name, duration(value)) for name, value in pairs if value is not None]


def _bar(one: LLMRequest) -> dict[str, Any] | None:
    """Waiting for the first token and generating the rest, in proportion; None where one of them is not known."""
    if not one.latency_us or one.ttft_us is None or one.ttft_us > one.latency_us:
        return None
    first = round(_WIDTH * one.ttft_us / one.latency_us)
    rest = duration(one.latency_us - one.ttft_us)
    return {
        "first": first,
        "rest": _WIDTH - first,
        "width": _WIDTH,
        "words": f"{duration(one.ttft_us)} to the first token, {rest} from there to the last",
    }


def _facts(one: LLMRequest, tz: ZoneInfo) -> list[tuple[str, str]]:
    streaming = {True: "yes", False: "no", None: "not said"}[one.streaming]
    pairs = (
        ("Operation", one.operation),
        ("Streaming", streaming),
        ("Attempt", None if one.attempt is None else str(one.attempt)),
        ("Service tier", one.service_tier),
        ("Failure class", one.failure_class.replace("_", " ") if one.failure_class else None),
        ("Received", moment(one.received_at, tz)),
        ("Span", one.span_id),
    )
    return [(name, value) for name, value in pairs if value]


def _tokens(one: LLMRequest) -> list[tuple[str, str]]:
    """What the gateway counted: parts are inside their wholes."""
    counts = ((name, getattr(one, name)) for name in TOKEN_FIELDS)
    found = [(name.removesuffix("_tokens").replace("_", " ").capitalize(), formats.exact(n)) for name, n in counts if n]
    units = sorted((one.units or {}).items())
    return [*found, *((name.replace("_", " ").capitalize(), formats.exact(count)) for name, count in units)]


def _bill(one: LLMRequest, found: Receipt) -> dict[str, Any]:
    """The lines of the price book, and the figures that are stored with the request."""
    amounts = (
        ("Price book", one.list_cost),
        ("Contracted", one.contracted_cost),
        ("Billed", one.cost),
        ("Gateway", one.reported_cost),
    )
    return {
        "lines": [_line(line) for line in found.lines],
        "total": exact_usd(found.total),
        "state": _STATES[CostState(one.cost_state)],
        "amounts": [(name, exact_usd(amount)) for name, amount in amounts if amount is not None],
        "changed": bool(found.lines) and found.total != one.list_cost,
        "version": one.price_book_version,
    }


def _line(line: Line) -> dict[str, Any]:
    price = None if line.price is None else formats.decimal(line.price)
    entry = line.entry
    return {
        "label": label(line.token_class).capitalize(),
        "quantity": formats.exact(line.quantity),
        "price": formats.NO_VALUE if price is None else f"${price} {'each' if line.per_piece else 'per 1M'}",
        "amount": exact_usd(line.amount),
        "source": "no price" if entry is None else f"{entry.catalogue or 'by hand'}, {entry.model_match}",
        "since": None if entry is None else f"{entry.effective_from:%Y-%m-%d}",
    }


def exact_usd(picodollars: int | None) -> str:
    """All decimals of an amount: a receipt adds up to the last one."""
    return formats.NO_VALUE if picodollars is None else f"${formats.decimal(Decimal(picodollars).scaleb(-12))}"


def _linked(name: str, field: str, value: str) -> dict[str, str | None]:
    return {"name": name, "value": value, "filter": f"{field}:eq:{join_values((value,))}"}


def _metadata(one: LLMRequest) -> list[dict[str, str | None]]:
    """Every key; only registered ones can be filtered by."""
    registered = {key.name for key in registered_keys(one.organization_id)}
    return [
        _linked(key, f"metadata.{key}", value) if key in registered else {"name": key, "value": value, "filter": None}
        for key, value in sorted(one.metadata.items())
    ]


def _people(one: LLMRequest) -> list[dict[str, str | None]]:
    """What a request can be looked at by, each with the filter that leaves its like."""
    named: Sequence[tuple[str, str, Any]] = (
        ("Model", "model", one.model),
        ("Virtual model", "virtual_model", one.virtual_model),
        ("User", "user", one.user),
        ("Virtual account", "virtual_account", one.virtual_account),
        ("Team", "team", one.team),
    )
    found = [_linked(name, field, row.name) for name, field, row in named if row]
    if one.model and one.model.provider:
        found.insert(1, _linked("Provider", "provider", one.model.provider))
    return found


def _sibling(other: dict[str, Any], tz: ZoneInfo) -> dict[str, Any]:
    return other | {"started": moment(other["started_at"], tz)}
