"""The price book of an organization in memory: every price and term of a request in one look-up. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingestion.pricing.arithmetic import STANDARD, Entry, Rates, rates
from ingestion.pricing.terms import Adjustment, Alias, Dated, Policy, stands_for, terms


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an organization agreed beside prices: discounts and markups, names, whose figure counts."""

    adjustments: Sequence[Adjustment] = ()
    aliases: Sequence[Alias] = ()
    policies: Sequence[Policy] = ()


class PriceBook:
    """All entries and terms that can price an organization's requests.

    `version` grows with each of them: facts keep that of the book that priced them.
    """

    def __init__(self, entries: Iterable[Entry], version: int, agreement: Agreement | None = None) -> None:
        self.version = version
        self._agreement = agreement or Agreement()
        self._exact: dict[str, list[Entry]] = {}
        self._patterns: list[Entry] = []
        self._matching: dict[tuple[str, str], tuple[list[Entry], list[Adjustment]]] = {}
        self._sheets: dict[_Key, _Sheet] = {}
        self._accounts = set[int | None]()
        self._teams: set[int | None] = {one.team_id for one in self._agreement.adjustments}
        for entry in entries:
            self._teams.add(entry.team_id)
            self._accounts.add(entry.virtual_account_id)
            if entry.match_kind == "exact":
                self._exact.setdefault(entry.model_match, []).append(entry)
            else:
                self._patterns.append(entry)
        self._has_owners = bool((self._teams | self._accounts) - {None})

    def rates(
        self,
        provider: str | None,
        model: str | None,
        tier: str | None,
        input_tokens: int,
        at: datetime,
        *,
        team_id: int | None = None,
        virtual_account_id: int | None = None,
    ) -> Rates:
        """Prices and terms of a request; without a model there are no prices."""
        key: _Key = (provider, model, tier)
        if self._has_owners:  # those without prices or terms of their own share the sheet of everybody
            team = team_id if team_id in self._teams else None
            key = (*key, team, virtual_account_id if virtual_account_id in self._accounts else None)
        sheet = self._sheets.get(key)
        if sheet is None:
            sheet = self._sheets[key] = self._sheet(provider or "", model or "", tier or STANDARD, *key[3:])
        return sheet.at(input_tokens, at)

    def _sheet(
        self, provider: str, model: str, tier: str, team: int | None = None, account: int | None = None
    ) -> "_Sheet":
        provider, name = stands_for(self._agreement.aliases, provider, model.lower()) if model else (provider, "")
        entries, adjustments = self._speaking_of(provider, name)
        mine = [e for e in entries if e.team_id in (None, team) and e.virtual_account_id in (None, account)]
        return _Sheet(mine, tier, [a for a in adjustments if a.team_id in (None, team)], self._agreement.policies)

    def _speaking_of(self, provider: str, name: str) -> tuple[list[Entry], list[Adjustment]]:
        """Everybody's rows that match a model: looked for once, because catalogues have thousands of patterns."""
        found = self._matching.get((provider, name))
        if found is None:
            candidates = (*self._exact.get(name, ()), *self._patterns) if name else ()
            found = self._matching[provider, name] = (
                [entry for entry in candidates if entry.matches(provider, name)],
                [one for one in self._agreement.adjustments if one.pattern.matches(provider, name)],
            )
        return found


_Name = str | None
_Key = tuple[_Name, _Name, _Name] | tuple[_Name, _Name, _Name, int | None, int | None]


@dataclass(slots=True)
class _Sheet:
    """Prices and terms of one model, tier and owner: constant between the instants and context limits of its rows."""

    entries: Sequence[Entry]
    tier: str
    adjustments: Sequence[Adjustment]
    policies: Sequence[Policy]
    _instants: list[datetime] = field(init=False)
    _contexts: list[int] = field(init=False)
    _cells: dict[tuple[int, int], Rates] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        dated: tuple[Dated, ...] = (*self.entries, *self.adjustments, *self.policies)
        self._instants = sorted({one.effective_from for one in dated})
        # 200,000 tokens are still the lower tier: a limit counts from one token above it.
        self._contexts = sorted({entry.context_above + 1 for entry in self.entries if entry.context_above})

    def at(self, input_tokens: int, at: datetime) -> Rates:
        cell = (bisect_right(self._instants, at), bisect_right(self._contexts, input_tokens))
        found = self._cells.get(cell)
        if found is None:
            agreed = terms(self.adjustments, self.policies, at)
            found = self._cells[cell] = rates(self.entries, self.tier, input_tokens, at, agreed)
        return found
