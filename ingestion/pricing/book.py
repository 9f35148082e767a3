"""The price book of an organization in memory: every price and term of a request in one look-up. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ingestion.pricing.arithmetic import STANDARD, Entry, Rates, rates
from ingestion.pricing.terms import Adjustment, Alias, Dated, Policy, stands_for, terms


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an organization agreed beside prices: discounts and markups, names, whose figure counts."""

    adjustments: Sequence[Adjustment] = ()
    aliases: Sequence[Alias] = ()
    policies: Sequence[Policy] = ()


_MOST_SHEETS: Final = 100_000
"""Kept at most; senders make up names of models as they like."""


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
        if self._has_owners:
            key = (provider, model, tier, team_id, virtual_account_id)
        sheet = self._sheets.get(key) or self._sheet_of(key)
        cell = bisect_right(sheet.instants, at)
        if sheet.contexts:
            cell = cell * (len(sheet.contexts) + 1) + bisect_right(sheet.contexts, input_tokens)
        return sheet.cells[cell] or sheet.fill(cell, input_tokens, at)

    def entries_for(
        self,
        provider: str | None,
        model: str | None,
        tier: str | None,
        *,
        team_id: int | None = None,
        virtual_account_id: int | None = None,
    ) -> Sequence[Entry]:
        """The entries among which `rates` finds the prices of a request."""
        return self._sheet(provider or "", model or "", tier or STANDARD, team_id, virtual_account_id).entries

    def _sheet_of(self, key: "_Key") -> "_Sheet":
        """Those without prices or terms of their own share the sheet of everybody."""
        provider, model, tier, *owners = key
        team, account = owners or (None, None)
        team, account = team if team in self._teams else None, account if account in self._accounts else None
        shared: _Key = (provider, model, tier, team, account) if owners else (provider, model, tier)
        if len(self._sheets) >= _MOST_SHEETS:
            self._sheets.clear()
            self._matching.clear()
        sheet = self._sheets.get(shared)
        if sheet is None:
            sheet = self._sheet(provider or "", model or "", tier or STANDARD, team, account)
        self._sheets[shared] = self._sheets[key] = sheet
        return sheet

    def _sheet(self, provider: str, model: str, tier: str, team: int | None, account: int | None) -> "_Sheet":
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
    instants: list[datetime] = field(init=False)
    contexts: list[int] = field(init=False)
    cells: list[Rates | None] = field(init=False)
    """Context after context, instant after instant; None = nobody has asked yet."""

    def __post_init__(self) -> None:
        dated: tuple[Dated, ...] = (*self.entries, *self.adjustments, *self.policies)
        self.instants = sorted({one.effective_from for one in dated})
        # 200,000 tokens are still the lower tier: a limit counts from one token above it.
        self.contexts = sorted({entry.context_above + 1 for entry in self.entries if entry.context_above})
        self.cells = [None] * ((len(self.instants) + 1) * (len(self.contexts) + 1))

    def fill(self, cell: int, input_tokens: int, at: datetime) -> Rates:
        """Work out the cell in which that request lies."""
        agreed = terms(self.adjustments, self.policies, at)
        found = self.cells[cell] = rates(self.entries, self.tier, input_tokens, at, agreed)
        return found
