"""The receipt of a stored request: what it was billed for, line by line, and the entry of the price book for each."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from ingestion.models import LLMRequest
from ingestion.normalisation import GATEWAY_CACHE
from ingestion.pricing.arithmetic import FALLBACK, REQUEST, STANDARD, TOKEN_CLASSES, Entry, per_token, per_unit, resolve
from ingestion.pricing.loading import price_book
from ingestion.pricing.tokens import split
from ingestion.records import TOKEN_FIELDS, UNIT, RequestRecord


class Line(NamedTuple):
    """A billed class: tokens or pieces, and the entry that prices it; None = the book has no price for it."""

    token_class: str
    quantity: int
    entry: Entry | None

    @property
    def price(self) -> Decimal | None:
        """US dollars per million tokens, or per piece."""
        return self.entry.price if self.entry else None

    @property
    def per_piece(self) -> bool:
        """Whether the price is one per piece."""
        return self.token_class not in TOKEN_CLASSES

    @property
    def amount(self) -> int | None:
        """List cost in picodollars."""
        if self.price is None:
            return None
        return self.quantity * (per_unit(self.price) if self.per_piece else per_token(self.price))


class Receipt(NamedTuple):
    """Lines of what is billed, as the price book now tells the prices of the time at which the request started.

    `total`: list cost in picodollars, None when a line has no price.
    """

    lines: Sequence[Line]
    total: int | None


NOTHING: Final = Receipt((), None)


def receipt(request: LLMRequest) -> Receipt:
    """The receipt of a request of which the model and the tokens are known; otherwise one without lines."""
    record = _record(request)
    quantities, _ = split(record)
    if quantities is None or record.model is None or request.metadata.get(GATEWAY_CACHE) == "hit":
        return NOTHING
    entries = price_book(request.organization_id).entries_for(
        record.provider,
        record.model,
        record.service_tier,
        team_id=request.team_id,
        virtual_account_id=request.virtual_account_id,
    )
    tier, tokens, at = record.service_tier or STANDARD, record.input_tokens or 0, record.started_at
    billed = [*zip(TOKEN_CLASSES, quantities, strict=True), *((UNIT + name, n) for name, n in record.units.items())]
    lines = [Line(name, count, _entry(entries, name, tier, tokens, at)) for name, count in billed if count]
    fee = None if request.failed else resolve(entries, REQUEST, tier, tokens, at)
    lines += [Line(REQUEST, 1, fee)] if fee else []
    amounts = [line.amount for line in lines]
    known = [amount for amount in amounts if amount is not None]
    return Receipt(lines, sum(known) if len(known) == len(amounts) else None)


def _record(request: LLMRequest) -> RequestRecord:
    """What of the request its price depends on."""
    return RequestRecord(
        request_id=request.request_id,
        started_at=request.started_at,
        provider=(request.model.provider or None) if request.model else None,
        model=request.model.name if request.model else None,
        service_tier=request.service_tier,
        operation=request.operation,
        units=request.units or {},
        **{name: getattr(request, name) for name in TOKEN_FIELDS},
    )


def _entry(entries: Sequence[Entry], token_class: str, tier: str, input_tokens: int, at: datetime) -> Entry | None:
    """The entry of the class, or of the class that prices it too."""
    found = (resolve(entries, name, tier, input_tokens, at) for name in _classes(token_class))
    return next(filter(None, found), None)


def _classes(token_class: str) -> Iterator[str]:
    name: str | None = token_class
    while name:
        yield name
        name = FALLBACK.get(name)
