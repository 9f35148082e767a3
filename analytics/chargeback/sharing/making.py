"""The shared lines of a month's statements: its own sources, and what changed in earlier months that were shared.

What a target has got of a month is always its part of what the source cost, as the requests are stored: a line is that
less what earlier statements said. So shares follow late records and new prices, and never drift from them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from analytics.chargeback.document import from_json as document_of
from analytics.chargeback.shared import SharedLine, percentage, split, words_of
from analytics.chargeback.sharing import rules
from analytics.chargeback.sharing.costs import Charged, Costs, costs
from analytics.chargeback.sharing.rules import Sharing
from analytics.models import Period, Statement
from metricsportal.lib.timerange import TimeRange
from teams.models import Team

_Part = tuple[int | None, int | None, bool]
"""Account that is the source, team, and whether it is what the team gets rather than what is taken off."""
_Said = Counter[_Part]
_Placed = tuple[int | None, SharedLine]
"""A line and the team on whose statement it is."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Lines per team, which add up to zero, and how the month's sources were split, to be kept with it."""

    lines: Mapping[int | None, tuple[SharedLine, ...]]
    sharing: tuple[Sharing, ...]


def share(period: Period, now: datetime) -> Shared:
    """Of a month that is closed now; the period need not be stored. Raises StaleError."""
    own: tuple[Sharing, ...] = ()
    found: list[_Placed] = []
    if rules.in_force(period.organization, period.month):
        spent = _costs(period, now)
        own = tuple(rules.sharing_of(period.organization, period.month, spent))
        found += _lines(own, spent, {}, None)
    found += _corrections(period, now)
    if sum(line.cost for _, line in found):
        raise AssertionError("shared costs do not add up to zero")
    lines: dict[int | None, list[SharedLine]] = {}
    for team, line in found:
        lines.setdefault(team, []).append(line)
    return Shared({team: tuple(many) for team, many in lines.items()}, own)


def _costs(period: Period, now: datetime) -> Costs:
    return costs(period.organization, TimeRange(period.start, period.end), now)


def _corrections(period: Period, now: datetime) -> Iterator[_Placed]:
    """Closed months before this one that were shared, oldest first."""
    closed = Period.objects.filter(organization=period.organization, closed_at__isnull=False, month__lt=period.month)
    earlier = [one for one in closed.order_by("month") if one.sharing]
    if not earlier:
        return
    teams = set(Team.objects.filter(organization=period.organization).values_list("pk", flat=True))
    said = _said(earlier[0])
    for one in earlier:
        sharing = [_among(rules.from_json(value), teams) for value in one.sharing]
        yield from _lines(sharing, _costs(one, now), said[one.month], one.month)


def _among(sharing: Sharing, teams: set[int]) -> Sharing:
    """Without teams that are gone: they had no part of it, or their statements would keep them."""
    left = {team: weight for team, weight in sharing.weights.items() if team in teams}
    return Sharing(sharing.account, sharing.source, sharing.method, left)


def _said(first: Period) -> dict[date, _Said]:
    """What all statements from that month on have shared of each month."""
    said = defaultdict[date, _Said](Counter)
    rows = Statement.objects.filter(period__organization=first.organization_id, period__month__gte=first.month)
    for team, value in rows.values_list("team_id", "document").iterator():
        document = document_of(value)
        for line in document.shared:
            said[line.adjusts or document.month][line.account, team, line.is_share] += line.cost
    return said


def _lines(
    every: Sequence[Sharing], found: Costs, said: Mapping[_Part, int], adjusts: date | None
) -> Iterator[_Placed]:
    accounts = rules.accounts_of(every)
    for one in every:
        due = _due(one, one.base(found, accounts))
        parts = {*due, *(part for part in said if part[0] == one.account)}
        for part in sorted(parts, key=lambda part: (part[2], part[1] is not None, part[1] or 0)):
            cost = due.get(part, 0) - said.get(part, 0)
            if cost:
                yield part[1], _line(one, part, cost, adjusts)


def _due(sharing: Sharing, base: Charged) -> dict[_Part, int]:
    """What is taken off, and what each target gets. Nothing where no target is left."""
    if not any(sharing.weights.values()):
        return {}
    source = sharing.account
    taken: dict[_Part, int] = {(source, team, False): -cost for team, cost in base.items()}
    return taken | {(source, team, True): cost for team, cost in split(sum(base.values()), sharing.weights).items()}


def _line(sharing: Sharing, part: _Part, cost: int, adjusts: date | None) -> SharedLine:
    _, team, is_share = part
    how = words_of(sharing.method)
    percent = ""
    if is_share:
        weights = sharing.weights
        percent = percentage(weights.get(team, 0) if team else 0, sum(weights.values()) or 1)
        text = f"Share of {sharing.source}, {how}, {percent} %"
    elif sharing.account is None:
        text = f"Shared with the teams, {how}"
    else:
        text = f"{sharing.source}, shared {how}"
    return SharedLine(text, sharing.source, sharing.account, sharing.method, percent, cost, adjusts)
