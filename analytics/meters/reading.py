"""The meters of a part of a UTC day, from the requests as they are stored now."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from analytics.meters import itemising
from analytics.meters.grouping import Facts, Group, Owner, equal_groups, groups
from analytics.meters.itemising import Item, Prices, Rounded
from analytics.meters.names import Names
from analytics.meters.values import Amounts, Grain, Key, Meter, merged
from ingestion.pricing import history
from ingestion.pricing.arithmetic import REQUEST, STANDARD, TOKEN_CLASSES, Entry, Rates, resolve
from ingestion.pricing.history import History
from ingestion.records import UNIT, CostState
from metricsportal.lib.timerange import TimeRange

_MOST_KNOWN: Final = 50_000


class Reader:
    """Reads the requests of one organization, day after day. `mine`: the requests of whom, and of which models."""

    def __init__(self, organization_id: int, grain: Grain, mine: Facts) -> None:
        self._grain, self._mine = grain, mine
        self._history = History(organization_id)
        self._instants = history.instants(organization_id)
        self._contexts = history.contexts(organization_id)
        self._names = Names()
        self._known: dict[int, tuple[Rates, Prices]] = {}

    def meters(self, period: TimeRange) -> list[Meter]:
        """The rows of a period within one UTC day."""
        facts = self._between(period)
        rows: list[Meter] = []
        if not facts.exists():
            return rows
        inside = self._instants[bisect_right(self._instants, period.start) : bisect_left(self._instants, period.end)]
        borders, failures = [period.start, *inside, period.end], Counter[Owner]()
        for start, end in pairwise(borders):
            rows = merged([*rows, *self._part(TimeRange(start, end), failures)])
        return self._with_failures(rows, failures, period.start)

    def _between(self, period: TimeRange) -> Facts:
        return self._mine.filter(started_at__gte=period.start, started_at__lt=period.end)

    def _part(self, period: TimeRange, failures: Counter[Owner]) -> Iterator[Meter]:
        """Between two changes of prices; failures that cost nothing are added to those counted before."""
        facts, rounded = self._between(period), set[tuple[Any, ...]]()
        for group in groups(facts, self._grain, self._contexts):
            if group.state == CostState.NONE.value:
                failures[group.owner] += group.requests
                continue
            try:
                yield from self._rows(group, period.start)
            except Rounded:
                rounded.add(group.priced_by)
        models = sorted({key[2] for key in rounded if key[2] is not None})
        for group in equal_groups(facts, self._grain, self._contexts, models) if models else ():
            if group.priced_by in rounded:
                yield from self._rows(group, period.start)

    def _rows(self, group: Group, at: datetime) -> Iterable[Meter]:
        prices = self._prices(group, at)
        owned = self._owned(group.owner, at)
        rows = []
        for item in itemising.of(group, prices):
            terms = itemising.taken(itemising.terms_of(group, item, prices))
            rows.append(Meter(_key(owned, group, item, terms), item.amounts))
        rows[0].amounts.requests, rows[0].amounts.failed = group.requests, group.failed
        return rows

    def _owned(self, owner: Owner, at: datetime) -> Key:
        """What rows of the same requests and failures have in common."""
        provider, name = self._names.model(owner.model_id)
        account = owner.account_id if self._grain.account else None
        pairs = zip(self._grain.tags, owner.tags, strict=True)
        return Key(
            day=at.astimezone(UTC).date().isoformat(),
            team_id=owner.team_id,
            team=self._names.team(owner.team_id),
            account_id=account,
            account=self._names.account(account),
            virtual_model=self._names.virtual_model(owner.virtual_model_id),
            tags=tuple((key, value) for key, value in pairs if value is not None),
            provider=provider,
            model=name,
        )

    def _prices(self, group: Group, at: datetime) -> Prices:
        """Looked for once where the book has the same rates: most teams, accounts and days share them."""
        book, tier = self._history.at(group.version), group.tier
        provider, model = (name or None for name in self._names.model(group.model_id))
        context = self._contexts[group.context - 1] + 1 if group.context else 0
        owners = {"team_id": group.team_id, "virtual_account_id": group.account_id}
        rates = book.rates(provider, model, tier, context, at, **owners)
        known = self._known.get(id(rates))
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            entries = book.entries_for(provider, model, tier, **owners)
            # The rates are kept with what was found: their id must not become that of others.
            known = self._known[id(rates)] = rates, _resolved(entries, rates, tier or STANDARD, context, at)
        return known[1]

    def _with_failures(self, rows: list[Meter], failures: Counter[Owner], at: datetime) -> list[Meter]:
        """Failures that cost nothing have no row: they are counted on the first one of the same owner and model."""
        first: dict[tuple[Any, ...], Amounts] = {}
        for key, amounts, _ in rows:
            if amounts.requests:
                first.setdefault(key.traffic, amounts)
        for owner, number in failures.items():
            holder = first.get(self._owned(owner, at).traffic)
            if holder is not None:
                holder.failed += number
        return rows


def _key(owned: Key, group: Group, item: Item, terms: tuple[int, int]) -> Key:
    entry, (discount, markup) = item.entry, terms
    return owned._replace(
        state=group.state,
        tier=group.tier or STANDARD,
        meter=item.meter,
        context=entry.context_above if entry else 0,
        entry=entry.order if entry else None,
        price=f"{entry.price.normalize():f}" if entry and entry.price is not None else None,
        version=group.version if entry else 0,
        discount=discount,
        markup=markup,
        unit=item.unit,
    )


def _resolved(entries: Sequence[Entry], rates: Rates, tier: str, context: int, at: datetime) -> Prices:
    """The entries behind the rates."""
    units = {entry.token_class for entry in entries if entry.token_class.startswith(UNIT)}

    def entry_of(name: str) -> Entry | None:
        found = (resolve(entries, one, tier, context, at) for one in itemising.classes_of(name))
        return next(filter(None, found), None)

    return Prices({name: entry_of(name) for name in (*TOKEN_CLASSES, REQUEST, *units)}, rates.agreed)
