"""The page of shared costs: the rules in words, what can be chosen, and what a form says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from analytics.catalog.dimensions import UNASSIGNED
from analytics.chargeback.months import name_of, parse_month
from analytics.chargeback.sharing.acts import SharingError, Wanted
from analytics.chargeback.sharing.rules import Method, in_force
from analytics.models import SharingRule
from metricsportal.lib.wording import one_line
from teams.access import Scope
from teams.models import Organization, Team, VirtualAccount

METHODS: Final = tuple(Method.choices)
MOST: Final = 500
"""Names to choose from."""
_PERCENT: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?", re.ASCII)
_SHARE: Final = "percent_"


@dataclass(frozen=True, slots=True)
class Row:
    """A rule in words. `holds`: it decides the present month."""

    id: int
    source: str
    method: str
    since: str
    teams: tuple[str, ...]
    active: bool
    holds: bool

    @property
    def words(self) -> str:
        """What the buttons name."""
        return f"{self.source} from {self.since}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A team with what was typed for it."""

    id: int
    name: str
    chosen: bool
    percent: str


def find(scope: Scope, number: int) -> SharingRule | None:
    """A rule of the organization."""
    found = SharingRule.objects.filter(organization=scope.organization_id, pk=number)
    return found.select_related("organization", "account").first()


def context(organization: Organization, month: date, typed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the page shows; `month` is the present one, `typed` what was sent and refused."""
    sent = typed or {"source": UNASSIGNED, "method": Method.USAGE.value, "since": f"{month:%Y-%m}"}
    accounts = VirtualAccount.objects.filter(organization=organization, merged_into=None).order_by("name")
    teams = _choices(organization, sent)
    return {
        "rows": _rows(organization, month),
        "accounts": accounts.values_list("name", flat=True)[:MOST],
        "methods": METHODS,
        "teams": teams[:MOST],
        "is_cut": len(teams) > MOST,
        "most": MOST,
        "typed": sent,
        "unassigned": UNASSIGNED,
    }


def wanted(sent: Mapping[str, str], teams: Sequence[str]) -> Wanted:
    """The rule that a form asks for. Raises SharingError."""
    try:
        since = parse_month(sent.get("since", "").strip())
    except ValueError:
        raise SharingError("The month is not one such as 2026-10.") from None
    source = sent.get("source", "").strip()
    fixed = [(_number(name.removeprefix(_SHARE)), _hundredths(text)) for name, text in _percents(sent)]
    return Wanted(
        account="" if source == UNASSIGNED else source,
        method=sent.get("method", ""),
        since=since,
        teams=tuple(dict.fromkeys(map(_number, teams))),
        fixed=tuple(one for one in fixed if one[1]) if sent.get("method") == Method.FIXED else (),
    )


def typed(sent: Mapping[str, str], teams: Sequence[str]) -> dict[str, Any]:
    """What was sent, to be shown again."""
    return {**sent, "teams": frozenset(teams)}


def _percents(sent: Mapping[str, str]) -> list[tuple[str, str]]:
    if sent.get("method") != Method.FIXED:
        return []
    return [(name, text.strip()) for name, text in sent.items() if name.startswith(_SHARE) and text.strip()]


def _number(text: str) -> int:
    """An id; one that nothing has where the text is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _hundredths(text: str) -> int:
    found = _PERCENT.fullmatch(text)
    if found is None:
        raise SharingError(f"“{one_line(text)[:20]}” is not a percentage such as 12.5, with at most two decimals.")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _rows(organization: Organization, month: date) -> list[Row]:
    holding = {rule.pk for _, rule in in_force(organization, month)}
    found = SharingRule.objects.filter(organization=organization).select_related("account")
    return [
        Row(
            id=one.pk,
            source=one.account.name if one.account else UNASSIGNED,
            method=one.get_method_display(),
            since=name_of(one.since),
            teams=tuple(map(str, one.targets.all())) or ("all teams",),
            active=one.active,
            holds=one.pk in holding,
        )
        for one in found.prefetch_related("targets__team")
    ]


def _choices(organization: Organization, sent: Mapping[str, Any]) -> list[Choice]:
    known = Team.objects.filter(organization=organization, merged_into=None).order_by("name", "pk")
    chosen = sent.get("teams", ())
    return [
        Choice(pk, name, str(pk) in chosen, str(sent.get(f"{_SHARE}{pk}", "")))
        for pk, name in known.values_list("pk", "name")
    ]
