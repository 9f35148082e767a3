"""FOCUS files: meters as rows, day after day, and what is told beside them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from analytics.exports import manifest
from analytics.exports.cells import short_instant
from analytics.exports.focus.columns import columns, sources
from analytics.exports.focus.days import Days
from analytics.exports.focus.line import Account, Line
from analytics.exports.focus.question import EXCLUDE, FocusQuestion
from analytics.exports.source import Opening
from analytics.exports.table import BATCH_ROWS, Batch, Table
from analytics.meters.values import UNPRICED, Meter
from metricsportal.lib.money import usd_text
from teams.access import Scope
from teams.models import Organization

_A_DAY: Final = timedelta(days=1)


class FocusSource:
    """The rows of a FOCUS file, asked at one instant. Raises PermissionDenied."""

    def __init__(self, scope: Scope, question: FocusQuestion, now: datetime) -> None:
        self._scope, self._question = scope, question
        self._days = Days(scope, question.grain, now)
        organization = Organization.objects.get(pk=scope.organization_id)
        self._account = Account(organization.slug, organization.name)

    def opening(self) -> Opening:
        """The question."""
        asked = self._question
        self._days.check(asked.period)
        period = asked.period
        return {
            "manifest": {
                "focus_version": asked.version,
                "timezone": "UTC",
                "start": short_instant(period.start),
                "end": short_instant(period.end),
                "filters": [],
                "dimensions": list(asked.dimensions),
                "unpriced": asked.unpriced,
                "query_sha256": manifest.fingerprint(
                    self._scope, period, (), ("focus", asked.version, *asked.dimensions, asked.unpriced)
                ),
            }
        }

    def batches(self, mark: str | None = None) -> Iterator[Batch]:
        """Day after day; a mark is the day that follows."""
        day = date.fromisoformat(mark) if mark else self._question.first
        while day <= self._question.last:
            following = day + _A_DAY
            yield from batches(self._days.rows(day), self._account, self._question.version, following.isoformat())
            day = following

    def table(self, opening: Opening, batches: Iterator[Batch]) -> Table:
        """The rows as a table, added up on their way."""
        return table(self._question, opening["manifest"], batches)

    def fraction(self, opening: Opening, mark: str) -> float:
        """By the days."""
        asked = self._question
        return (date.fromisoformat(mark) - asked.first).days / ((asked.last - asked.first).days + 1)


def batches(rows: Iterable[Meter], account: Account, version: str, mark: str | None = None) -> Iterator[Batch]:
    """Meters as batches of columns, the last one marked. There is one, perhaps without rows."""
    lines = [Line(row, account) for row in rows]
    wanted = sources(version)
    starts = range(0, max(len(lines), 1), BATCH_ROWS)
    for start in starts:
        part = lines[start : start + BATCH_ROWS]
        yield Batch([[one.value(line) for line in part] for one in wanted], mark if start == starts[-1] else None)


def table(question: FocusQuestion, about: Mapping[str, Any], found: Iterator[Batch]) -> Table:
    """Batches as a table. What has no price is counted, and left out if so asked."""
    sums = _Sums(question)

    def ending(rows: int) -> Mapping[str, Any]:
        return {"totals": sums.totals(), "meta": {**sums.unpriced(), "row_count": rows}}

    return Table(columns(question.version), sums.of(found), ending, about, bare=True)


class _Sums:
    """Totals of the rows that went by."""

    def __init__(self, question: FocusQuestion) -> None:
        self._names = [one.name for one in columns(question.version)]
        self._leave_out = question.unpriced == EXCLUDE
        self._billed = 0
        self._counted = Counter[str]()

    def of(self, found: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches, or what is left of them."""
        for whole in found:
            batch = self._without(whole) if self._leave_out else whole
            self._count(dict(zip(self._names, whole.columns, strict=True)))
            self._billed += sum(batch.columns[self._names.index("BilledCost")])
            yield batch

    def _without(self, batch: Batch) -> Batch:
        """What has a price."""
        states = batch.columns[self._names.index("x_CostState")]
        stays = [place for place, state in enumerate(states) if state != UNPRICED]
        return Batch([[column[place] for place in stays] for column in batch.columns], batch.mark)

    def _count(self, named: Mapping[str, Any]) -> None:
        wanted = ("x_CostState", "x_RequestCount", "ConsumedUnit", "ConsumedQuantity")
        for state, requests, unit, quantity in zip(*(named[name] for name in wanted), strict=True):
            if state == UNPRICED:
                self._counted["unpriced_requests"] += requests
                self._counted["unpriced_tokens"] += (quantity or 0) if unit == "Tokens" else 0

    def totals(self) -> dict[str, Any]:
        """What was billed."""
        return {"BilledCost": usd_text(self._billed)}

    def unpriced(self) -> dict[str, int]:
        """How much has no price."""
        return {name: self._counted[name] for name in ("unpriced_requests", "unpriced_tokens")}
