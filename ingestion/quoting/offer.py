"""Prices that somebody is about to enter for a model, and the requests that they would be for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from django.db.models import Q, QuerySet

from ingestion.models import LLMModel, LLMRequest, PriceEntry
from ingestion.models.prices import MANUAL
from ingestion.pricing.arithmetic import Entry
from ingestion.pricing.book import Agreement
from ingestion.pricing.loading import agreement, entry_of
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.pricing.terms import stands_for
from ingestion.quoting.speaking import Known, Speaking, book
from teams.models import Organization, Team, VirtualAccount

_LAST: Final = 2**62  # of several entries at one instant the last one counts

_LINE: Final = (
    *("organization", "team", "virtual_account", "provider", "model_match", "match_kind", "service_tier"),
    *("context_above", "effective_from", "note"),
)


@dataclass(frozen=True)
class Offer:
    """One sheet: whom and what it prices, from when on, and US dollars per class. No organization = everybody's."""

    organization: Organization | None
    team: Team | None
    virtual_account: VirtualAccount | None
    provider: str
    model_match: str
    match_kind: str
    service_tier: str
    context_above: int
    effective_from: datetime
    prices: Mapping[str, Decimal]
    note: str = ""

    @cached_property
    def entries(self) -> list[PriceEntry]:
        """The entries that it would append; not stored."""
        line = {name: getattr(self, name) for name in _LINE}
        return [PriceEntry(source=MANUAL, token_class=name, price=price, **line) for name, price in self.prices.items()]

    @cached_property
    def models(self) -> list[LLMModel]:
        """The models in the traffic of whom it is for."""
        rows = LLMModel.objects.order_by()
        rows = rows.filter(organization=self.organization) if self.organization else rows
        return [
            row
            for row in rows
            if self._any.matches(*stands_for(self.agreement.aliases, row.provider, row.name.lower()))
        ]

    @property
    def facts(self) -> "QuerySet[LLMRequest]":
        """The requests of those models, as far as the prices are for them."""
        ids = {row.pk for row in self.models}
        facts = LLMRequest.objects.filter(model__in=ids, organization__in={row.organization_id for row in self.models})
        owner = Q(team=self.team) if self.team else Q()
        return facts.filter(owner, Q(virtual_account=self.virtual_account) if self.virtual_account else Q()).order_by()

    @cached_property
    def example(self) -> tuple[str, str]:
        """Provider and name of a model that it prices: the first one of the traffic, else what was entered."""
        first = next(iter(self.models), None)
        if first is not None:
            return first.provider, first.name
        return "" if self.provider == ANY_PROVIDER else self.provider, self.model_match

    @cached_property
    def known(self) -> list[Known]:
        """The entries that speak of that model already."""
        return self._speaking.of(*self.example)

    @cached_property
    def agreement(self) -> Agreement:
        """Discounts, markups, aliases and policies of the organization; everybody's prices have none."""
        return agreement(self.organization.pk) if self.organization else Agreement()

    def with_known(self, provider: str, model: str) -> list[Entry]:
        """What would price a model: its entries and those of the sheet as the newest ones."""
        return [*(one.entry for one in self._speaking.of(provider, model)), *self._own]

    @cached_property
    def _own(self) -> list[Entry]:
        for number, entry in enumerate(self.entries):
            entry.pk = _LAST + number
        own = [entry_of(entry) for entry in self.entries]
        for entry in self.entries:
            entry.pk = None
        return own

    @cached_property
    def _any(self) -> Entry:
        return entry_of(
            PriceEntry(
                pk=_LAST,
                organization=self.organization,
                provider=self.provider,
                model_match=self.model_match,
                match_kind=self.match_kind,
                token_class="",
                effective_from=self.effective_from,
            )
        )

    @cached_property
    def _speaking(self) -> Speaking:
        names = {self.model_match, *(row.name for row in self.models)}
        return Speaking(book(self.organization), names, self.organization)
