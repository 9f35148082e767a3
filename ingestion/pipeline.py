"""From canonical records to drafts of facts, and from drafts to rows: everything except the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from ingestion import durations, evidence
from ingestion.attribution import attribute
from ingestion.evidence import Keep
from ingestion.normalisation import GATEWAY_CACHE, STEPS, counts_cache_apart, error_type, failed, failure_class
from ingestion.pricing.arithmetic import Quantities
from ingestion.pricing.book import PriceBook
from ingestion.pricing.settling import Settled, gateway_cache_hit, settle
from ingestion.pricing.tokens import split
from ingestion.records import Attribution, Code, RejectedError, Rejection, RequestRecord
from ingestion.validation import CHECKS, Window
from metricsportal.lib.localtime import hour_start
from metricsportal.lib.money import to_picodollars

Item = tuple[int, RequestRecord | RejectedError]
"""What a format yields: the position in the body, and a record or why there is none."""

# Version of the hash: raise it when the canonical form changes, or old facts would seem to conflict with repeats.
_HASH_VERSION: Final = b"1"
_canonical: Final = msgspec.json.Encoder(order="deterministic", decimal_format="string")
_json: Final = msgspec.json.Encoder()


class Draft(msgspec.Struct, gc=False):
    """A valid record with what tells whether it is known. `counts_apart`: its cached tokens came beside its input."""

    index: int
    record: RequestRecord
    payload_hash: bytes
    counts_apart: bool = False


def draft(items: Iterable[Item], window: Window) -> tuple[list[Draft], list[Rejection]]:
    """Check and normalise each record; one bad record never stops the others."""
    drafts, rejected = [], []
    for index, item in items:
        try:
            if isinstance(item, RejectedError):
                raise item
            drafts.append(_draft(index, item, window))
        except RejectedError as error:
            rejected.append(Rejection(index, error.code, error.field, error.message))
    return drafts, rejected


def _draft(index: int, record: RequestRecord, window: Window) -> Draft:
    window.check(record)
    for check in CHECKS:
        check(record)
    apart = counts_cache_apart(record)
    for step in STEPS:
        step(record)
    return Draft(index, record, payload_hash(record), apart)


def payload_hash(record: RequestRecord) -> bytes:
    """16 bytes over the normalised record: equal for repeats however they are written, different for collisions.

    The usage object is left out: its counts are fields of the record.
    """
    usage, record.usage = record.usage, None
    digest = blake2b(_canonical.encode(record), digest_size=16, key=_HASH_VERSION).digest()
    record.usage = usage
    return digest


class Names(Protocol):
    """Ids of the names of a batch."""

    def model(self, provider: str | None, name: str | None) -> int | None:
        """Id of a model."""

    def virtual_model(self, name: str | None) -> int | None:
        """Id of a virtual model."""

    def user(self, name: str | None) -> tuple[int | None, int | None]:
        """Id of a caller and of its team."""

    def virtual_account(self, name: str | None) -> tuple[int | None, int | None]:
        """Id of an account and of its team."""

    def team(self, name: str | None) -> int | None:
        """Id of a team."""

    def error_type(self, name: str | None) -> int | None:
        """Id of an error type."""

    def metadata(self, values: dict[str, str]) -> dict[str, str]:
        """The metadata to store: values beyond the cap are replaced."""


COLUMNS: Final = (
    *("organization_id", "request_id", "payload_hash", "started_at", "hour_start", "received_at"),
    *("model_id", "virtual_model_id", "user_id", "virtual_account_id", "team_id", "attribution", "metadata"),
    *("operation", "streaming", "service_tier", "attempt", "trace_id", "span_id"),
    *("failed", "failure_class", "status_code", "error_type_id", "error_message"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("reasoning_tokens", "audio_input_tokens", "audio_output_tokens"),
    *("image_input_tokens", "image_output_tokens", "units", "usage", "token_anomaly"),
    *("latency_us", "ttft_us", "itl_us", "tpot_us"),
    *("latency_bucket", "ttft_bucket", "itl_bucket", "tpot_bucket"),
    *("cost_state", "cost", "list_cost", "contracted_cost", "reported_cost", "price_book_version"),
)
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What the rows of a batch share."""

    organization_id: int
    zone: ZoneInfo
    received_at: datetime
    names: Names
    book: PriceBook
    keep_usage: Keep = Keep.FLAGGED


def rows(drafts: Sequence[Draft], context: Context) -> tuple[list[tuple[int, Row]], list[Rejection]]:
    """Rows in the order of COLUMNS with the index of their record; refuses costs beyond 64 bits."""
    measured = durations.measure([draft.record for draft in drafts])
    ready, rejected = [], []
    for draft_, times in zip(drafts, measured, strict=True):
        record = draft_.record
        reported = None if record.reported_cost_usd is None else to_picodollars(record.reported_cost_usd)
        quantities, contradictory = split(record)
        owners = _owners(record, context.names)
        priced = price(record, quantities, context.book, reported, owners, is_failed=failed(record))
        if not priced.fits:
            message = "The price book makes this request cost more than 9,223,372 USD."
            rejected.append(Rejection(draft_.index, Code.INVALID, "cost", message))
            continue
        known = _Known(times, owners, priced, reported, token_anomaly=draft_.counts_apart or contradictory)
        ready.append((draft_.index, _row(draft_, context, known)))
    return ready, rejected


class Owners(msgspec.Struct, frozen=True, gc=False):
    """Ids of whose request it is, and why it is that team's."""

    user_id: int | None
    virtual_account_id: int | None
    team_id: int | None
    attribution: Attribution


def _owners(record: RequestRecord, names: Names) -> Owners:
    user_id, user_team = names.user(record.user)
    account_id, account_team = names.virtual_account(record.virtual_account)
    return Owners(user_id, account_id, *attribute(names.team(record.team), account_team, user_team))


def price(
    record: RequestRecord,
    quantities: Quantities | None,
    book: PriceBook,
    reported: int | None,
    owners: Owners,
    *,
    is_failed: bool,
) -> Settled:
    """What a request costs, by the entries and terms valid when it started."""
    if record.metadata and record.metadata.get(GATEWAY_CACHE) == "hit":
        return gateway_cache_hit()
    rates = book.rates(
        record.provider,
        record.model,
        record.service_tier,
        record.input_tokens or 0,
        record.started_at,
        team_id=owners.team_id,
        virtual_account_id=owners.virtual_account_id,
    )
    return settle(
        quantities,
        rates,
        failed=is_failed,
        tokens_absent=quantities is None and record.input_tokens is None and record.output_tokens is None,
        reported=reported,
        units=record.units,
    )


class _Known(msgspec.Struct, gc=False):
    """What was worked out of a record for its row."""

    times: tuple[int | None, ...]
    owners: Owners
    priced: Settled
    reported_cost: int | None
    token_anomaly: bool


def _row(draft: Draft, context: Context, known: _Known) -> Row:
    record, names, priced, owners = draft.record, context.names, known.priced, known.owners
    kind = failure_class(record.status_code, record.error_type) if failed(record) else None
    return (
        context.organization_id,
        record.request_id,
        draft.payload_hash,
        record.started_at,
        hour_start(record.started_at, context.zone),
        context.received_at,
        names.model(record.provider, record.model),
        names.virtual_model(record.virtual_model),
        owners.user_id,
        owners.virtual_account_id,
        owners.team_id,
        owners.attribution.value,
        _json.encode(names.metadata(record.metadata)).decode() if record.metadata else "{}",
        record.operation,
        record.streaming,
        record.service_tier,
        record.attempt,
        record.trace_id,
        record.span_id,
        kind is not None,
        kind and kind.value,
        record.status_code,
        names.error_type(error_type(record)),
        record.error_message,
        record.input_tokens,
        record.output_tokens,
        record.cache_read_tokens,
        record.cache_write_tokens,
        record.cache_write_1h_tokens,
        record.reasoning_tokens,
        record.audio_input_tokens,
        record.audio_output_tokens,
        record.image_input_tokens,
        record.image_output_tokens,
        _json.encode(record.units).decode() if record.units else None,
        evidence.of(record, context.keep_usage, flagged=known.token_anomaly),
        known.token_anomaly,
        *known.times,
        priced.state.value,
        priced.cost,
        priced.list_cost,
        priced.contracted_cost,
        known.reported_cost,
        context.book.version,
    )
