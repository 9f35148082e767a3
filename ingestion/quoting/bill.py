"""An example bill: what prices that are not stored yet would charge, by the arithmetic of ingest."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import Avg, QuerySet

from ingestion.models import LLMRequest
from ingestion.pipeline import Owners, price
from ingestion.pricing.arithmetic import REQUEST, TOKEN_CLASSES, Quantities, cost, rates
from ingestion.pricing.book import PriceBook
from ingestion.pricing.plausibility import is_per_piece
from ingestion.pricing.tokens import disjoint, split
from ingestion.quoting.comparing import Comparison, comparisons, label
from ingestion.quoting.offer import Offer
from ingestion.quoting.traffic import RECENT
from ingestion.records import TOKEN_FIELDS, Attribution, CostState, RequestRecord
from metricsportal.lib.formats import NO_VALUE, decimal, exact, usd

TYPICAL_OF: Final = 1_000
"""The newest requests whose average is the typical one."""
MOST: Final = 5_000
"""Unpriced requests that are priced one by one; of more, the rest in proportion."""


class Line(NamedTuple):
    """A row of the bill, as text."""

    label: str
    quantity: str
    price: str
    amount: str


class Example(NamedTuple):
    """One bill: its lines, their sum, and what is to be said about it."""

    name: str
    title: str
    lines: list[Line]
    total: str
    note: str = ""


class Bill(NamedTuple):
    """All examples, and the prices beside those of the catalogue."""

    examples: list[Example]
    comparisons: list[Comparison]


def bill(offer: Offer, now: datetime) -> Bill:
    """What the sheet would charge, from the instant on at which it holds."""
    at = max(offer.effective_from, now)
    examples = [_fixed(offer, at), _million(offer, at), _typical(offer, now, at), _unpriced(offer)]
    return Bill([one for one in examples if one is not None], comparisons(offer, at))


def _fixed(offer: Offer, at: datetime) -> Example:
    tokens = offer.context_above + 1_000
    record = _record(offer, at, {"input_tokens": tokens, "output_tokens": 500})
    return _of_record(offer, record, "fixed", f"One request: {exact(tokens)} tokens in, 500 out")


def _million(offer: Offer, at: datetime) -> Example:
    """Each class by itself: who typed a price per token sees it here."""
    lines = []
    for name, usd_ in offer.prices.items():
        single = is_per_piece(name)
        price_ = f"{decimal(usd_)} each" if single else decimal(usd_)
        lines.append(Line(label(name), "1" if single else exact(10**6), price_, usd(int(usd_.scaleb(12)))))
    return Example("million", "A million tokens of each class", lines, "")


def _typical(offer: Offer, now: datetime, at: datetime) -> Example | None:
    """The average of the newest requests that carry tokens: of unpriced ones, which an index finds, if any."""
    whole = offer.facts.filter(failed=False, output_tokens__isnull=False, input_tokens__isnull=False)
    for facts in (whole.filter(cost_state=CostState.UNPRICED.value), whole.filter(started_at__gte=now - RECENT)):
        ids = list(facts.order_by("-started_at").values_list("pk", flat=True)[:TYPICAL_OF])
        if ids:
            means = LLMRequest.objects.filter(pk__in=ids).aggregate(**{name: Avg(name) for name in TOKEN_FIELDS})
            tokens = {name: None if mean is None else round(mean) for name, mean in means.items()}
            title = f"A typical request: the average of the newest {exact(len(ids))}"
            return _of_record(offer, _record(offer, at, tokens), "typical", title)
    return None


def _of_record(offer: Offer, record: RequestRecord, name: str, title: str) -> Example:
    quantities, _ = disjoint(record, record.input_tokens or 0, record.output_tokens or 0)
    found = rates(offer.with_known(*offer.example), offer.service_tier, record.input_tokens or 0, record.started_at)
    lines = [
        Line(label(class_), exact(quantity), _per_million(rate), usd(None if rate is None else quantity * rate))
        for class_, quantity, rate in zip(TOKEN_CLASSES, quantities, found.tokens, strict=True)
        if quantity
    ]
    if found.request is not None:
        fee = f"{decimal(Decimal(found.request).scaleb(-12))} each"
        lines.append(Line(label(REQUEST), "1", fee, usd(found.request)))
    total = cost(quantities, found, failed=False)
    return Example(name, title, lines, usd(total), _note(offer, record, quantities, total))


def _note(offer: Offer, record: RequestRecord, quantities: Quantities, listed: int | None) -> str:
    """What the terms of the organization make of a list cost."""
    if listed is None:
        return "No cost: a class has no price."
    book = PriceBook(offer.with_known(*offer.example), 0, offer.agreement)
    account, team = (one.pk if one else None for one in (offer.virtual_account, offer.team))
    settled = price(record, quantities, book, None, Owners(None, account, team, Attribution.RECORD), is_failed=False)
    if settled.cost is None or settled.cost == listed:
        return ""
    return f"After discount and markup {usd(settled.cost)} is billed."


def _unpriced(offer: Offer) -> Example | None:
    """All stored requests without a cost: how many the sheet would price, and what they would cost together."""
    facts = offer.facts.filter(cost_state=CostState.UNPRICED.value)
    count = facts.count()
    if not count:
        return None
    sums = _Sums()
    sums.add(offer, facts)
    lines = [
        Line(label(name), exact(quantity), "", "")
        for name, quantity in zip(TOKEN_CLASSES, sums.tokens, strict=True)
        if quantity
    ]
    title = f"All {exact(count)} unpriced requests of this model"
    if count <= MOST:
        return Example("unpriced", title, lines, usd(sums.cost), sums.note(offer))
    whole = sums.cost * count // sums.requests
    note = f"Priced one by one were the newest {exact(MOST)}: {usd(sums.cost)}. {sums.note(offer)}".strip()
    return Example("unpriced", title, lines, f"about {usd(whole)}", note)


_COLUMNS: Final = (
    *("model_id", "started_at", "team_id", "virtual_account_id", "service_tier", "operation", "failed", "units"),
)


class _Sums:
    """What comes together while requests are priced one by one."""

    def __init__(self) -> None:
        self.requests = self.cost = self.early = self.left = 0
        self.tokens = Quantities(*(0 for _ in TOKEN_CLASSES))

    def add(self, offer: Offer, facts: "QuerySet[LLMRequest]") -> None:
        """Price the newest of them as ingest would, each by the entries of its own model and time."""
        names = {row.pk: (row.provider or None, row.name) for row in offer.models}
        books: dict[int, PriceBook] = {}
        rows = facts.order_by("-started_at").values_list(*_COLUMNS, *TOKEN_FIELDS)[:MOST]
        for model_id, started_at, team_id, account_id, tier, operation, failed, units, *tokens in rows:
            provider, name = names[model_id]
            if model_id not in books:  # a pattern may match thousands of models
                books[model_id] = PriceBook(offer.with_known(provider or "", name), 0, offer.agreement)
            record = RequestRecord(
                request_id="",
                started_at=started_at,
                provider=provider,
                model=name,
                service_tier=tier,
                operation=operation,
                units=units or {},
                **dict(zip(TOKEN_FIELDS, tokens, strict=True)),
            )
            owners = Owners(None, account_id, team_id, Attribution.RECORD)
            self._count(record, books[model_id], owners, early=started_at < offer.effective_from, failed=failed)

    def _count(self, record: RequestRecord, book: PriceBook, owners: Owners, *, early: bool, failed: bool) -> None:
        quantities, _ = split(record)
        settled = price(record, quantities, book, None, owners, is_failed=failed)
        self.requests += 1
        self.tokens = Quantities(*map(sum, zip(self.tokens, quantities or (0,) * len(self.tokens), strict=True)))
        if settled.cost is None:
            self.early += early
            self.left += not early
        else:
            self.cost += settled.cost

    def note(self, offer: Offer) -> str:
        """Which requests would stay without a cost, and why."""
        since = f"{offer.effective_from:%Y-%m-%d %H:%M} UTC"
        sentences = [f"{exact(self.early)} started before {since} and stay unpriced."] if self.early else []
        if self.left:
            sentences.append(
                f"{exact(self.left)} stay unpriced: a class has no price, another tier, or unknown tokens."
            )
        return " ".join(sentences)


def _record(offer: Offer, at: datetime, tokens: dict[str, Any]) -> RequestRecord:
    provider, model = offer.example
    return RequestRecord(
        request_id="", started_at=at, provider=provider, model=model, service_tier=offer.service_tier, **tokens
    )


def _per_million(rate: int | None) -> str:
    """Picodollars per token are millionths of US dollars per million."""
    return NO_VALUE if rate is None else decimal(Decimal(rate).scaleb(-6))
