"""What changed in closed months: facts as they are now, less what statements have said so far."""

from collections.abc import Iterator
from datetime import date, datetime

from analytics.chargeback.document import Document, Line, from_json
from analytics.chargeback.usage import Amounts, ByTeam, usage
from analytics.models import Period, Statement
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization

_Stated = dict[tuple[date, int | None, str], Amounts]


def adjustments(organization: Organization, month: date, now: datetime) -> dict[int | None, list[Line]]:
    """Per team the lines that bring all closed months before `month` up to the facts; empty when nothing changed.

    Late requests and changed prices are told apart by nobody: both are a difference. Raises StaleError.
    """
    periods = list(Period.objects.filter(organization=organization, closed_at__isnull=False, month__lt=month))
    if not periods:
        return {}
    stated = _stated(organization)
    answer: dict[int | None, list[Line]] = {}
    for period in sorted(periods, key=lambda one: one.month):
        facts = usage(organization, TimeRange(period.start, period.end), now).teams
        for team_id, line in _differences(period.month, facts, stated):
            answer.setdefault(team_id, []).append(line)
    return answer


def said_of(organization: Organization, month: date) -> tuple[Amounts, Amounts]:
    """What the statements of a closed month said in all, and what later ones have corrected of it."""
    own, corrected = Amounts(), Amounts()
    rows = Statement.objects.filter(period__organization=organization, period__month__gte=month)
    for value in rows.values_list("document", flat=True).iterator():
        document = from_json(value)
        for said, line in _by_month(document):
            if said == month and line.adjusts is None:
                own += line.amounts
            elif said == month:
                corrected += line.amounts
    return own, corrected


def _stated(organization: Organization) -> _Stated:
    """Sums of everything said about each month: by its own statements, and by corrections in later ones."""
    answer: _Stated = {}
    rows = Statement.objects.filter(period__organization=organization)
    for team_id, value in rows.order_by("pk").values_list("team_id", "document").iterator():
        document = from_json(value)
        for month, line in _by_month(document):
            key = (month, team_id, line.model)
            answer[key] = answer.get(key, Amounts()) + line.amounts
    return answer


def _by_month(document: Document) -> Iterator[tuple[date, Line]]:
    for line in document.all_lines:
        yield line.adjusts or document.month, line


def _differences(month: date, facts: ByTeam, stated: _Stated) -> Iterator[tuple[int | None, Line]]:
    now = {(team_id, model): amounts for team_id, models in facts.items() for model, amounts in models.items()}
    then = {(team_id, model): amounts for (said, team_id, model), amounts in stated.items() if said == month}
    for key in sorted({*now, *then}, key=lambda one: (one[0] or 0, one[1])):
        difference = now.get(key, Amounts()) - then.get(key, Amounts())
        if difference:
            yield key[0], Line(key[1], difference, adjusts=month)
