"""The models of an organization: those of its traffic with what they cost, and those it has prices for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import Coalesce

from ingestion.models import OVERFLOW, LLMModel, LLMRequest, PriceEntry
from ingestion.models.prices import MANUAL, MatchKind
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.records import CostState
from teams.models import Organization

RECENT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests and their cost in picodollars, as far as it is known."""

    requests: int = 0
    cost: int = 0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Requests without a cost, whenever they were: how many, with how many tokens, and when."""

    requests: int = 0
    tokens: int = 0
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `pk` None = no request ever named it; `match_kind` is that of the price that does."""

    provider: str
    name: str
    pk: int | None = None
    match_kind: str = MatchKind.EXACT.value
    last_seen: datetime | None = None
    usage: Usage = field(default=Usage())
    unpriced: Unpriced = field(default=Unpriced())

    @property
    def can_be_priced(self) -> bool:
        """Not what has no name, or shares one with others."""
        return self.name not in ("", OVERFLOW)


def models(organization: Organization, now: datetime, search: str = "") -> list[Model]:
    """Every model whose name or provider holds the text, by requests of the last 30 days."""
    recent, unpriced = _recent(organization, now), _unpriced(organization)
    rows = LLMModel.objects.filter(organization=organization).order_by()
    seen = [
        Model(
            provider,
            name,
            pk,
            last_seen=last,
            usage=recent.get(pk, Usage()),
            unpriced=unpriced.get(pk, Unpriced()),
        )
        for pk, provider, name, last in rows.values_list("pk", "provider", "name", Coalesce("last_seen", "first_seen"))
    ]
    if None in recent or None in unpriced:
        seen.append(Model("", "", usage=recent.get(None, Usage()), unpriced=unpriced.get(None, Unpriced())))
    found = [*seen, *_only_priced(organization, seen)]
    wanted = search.lower()
    found = [one for one in found if wanted in one.name.lower() or wanted in one.provider.lower()]
    return sorted(found, key=lambda one: (-one.usage.requests, one.name, one.provider))


def model(organization: Organization, provider: str, name: str, now: datetime) -> Model:
    """One of them with its figures; one without requests when there is none of that name."""
    pk = LLMModel.objects.filter(organization=organization, provider=provider, name=name).values_list("pk", flat=True)
    known = pk.first()
    if known is None:
        return Model(provider, name)
    recent, unpriced = _recent(organization, now, known), _unpriced(organization, known)
    return Model(provider, name, known, usage=recent.get(known, Usage()), unpriced=unpriced.get(known, Unpriced()))


def first_unpriced(organization: Organization, provider: str, name: str) -> datetime | None:
    """When the first request of the model started that has no cost."""
    facts = LLMRequest.objects.filter(organization=organization, cost_state=CostState.UNPRICED.value)
    ids = LLMModel.objects.filter(organization=organization, provider=provider, name=name).values("pk")
    first: datetime | None = facts.filter(model__in=ids).aggregate(first=Min("started_at"))["first"]
    return first


def _recent(organization: Organization, now: datetime, only: int | None = None) -> dict[int | None, Usage]:
    """By model: one pass over the requests of the last 30 days, which the index of time finds."""
    facts = LLMRequest.objects.filter(organization=organization, started_at__gte=now - RECENT)
    facts = facts.filter(model=only) if only is not None else facts
    without = Count("pk", filter=Q(cost_state=CostState.UNPRICED.value))
    rows = facts.order_by().values("model_id").annotate(requests=Count("pk"), sum=Sum("cost"), without=without)
    return {row["model_id"]: Usage(row["requests"], int(row["sum"] or 0), row["without"]) for row in rows}


def _unpriced(organization: Organization, only: int | None = None) -> dict[int | None, Unpriced]:
    """By model, over all times: the partial index holds these requests alone."""
    facts = LLMRequest.objects.filter(organization=organization, cost_state=CostState.UNPRICED.value)
    facts = facts.filter(model=only) if only is not None else facts
    tokens = Sum(Coalesce(F("input_tokens"), 0) + Coalesce(F("output_tokens"), 0))
    times = {"first": Min("started_at"), "last": Max("started_at")}
    rows: Any = facts.order_by().values("model_id").annotate(requests=Count("pk"), tokens=tokens, **times)
    return {
        row["model_id"]: Unpriced(row["requests"], int(row["tokens"] or 0), row["first"], row["last"]) for row in rows
    }


def _only_priced(organization: Organization, seen: list[Model]) -> Iterator[Model]:
    """What the organization has entered prices for and no request has named."""
    names = {(one.provider, one.name.lower()) for one in seen} | {(ANY_PROVIDER, one.name.lower()) for one in seen}
    own = PriceEntry.objects.filter(organization=organization, source=MANUAL).order_by()
    for provider, name, kind in own.values_list("provider", "model_match", "match_kind").distinct():
        if kind != MatchKind.EXACT or (provider, name) not in names:
            yield Model(provider, name, match_kind=kind)
