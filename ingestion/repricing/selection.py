"""Which stored requests a reprice looks at: an organization, a range of local days, optionally names."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from ingestion.models import LLMModel, LLMRequest, VirtualModel
from ingestion.records import CostState
from metricsportal.lib.localtime import midnight, zone
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization, Team

UNASSIGNED: Final = "Unassigned"
_EARLIEST, _LATEST = date(1971, 1, 1), date(2199, 12, 31)


class SelectionError(ValueError):
    """The selection cannot be made; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Requests that started in the period; an empty name means all of them. The team may be `Unassigned`."""

    organization: Organization
    period: TimeRange
    model: str = ""
    virtual_model: str = ""
    team: str = ""

    def facts(self) -> "QuerySet[LLMRequest]":
        """The requests with something billable. Raises SelectionError for a name that traffic never had.

        State `none` is left out: it follows from the request, not from prices, and repricing never changes it.
        """
        period = Q(started_at__gte=self.period.start, started_at__lt=self.period.end)
        facts = LLMRequest.objects.filter(period, organization_id=self.organization.pk)
        return facts.filter(*self._names()).exclude(cost_state=CostState.NONE.value)

    def _names(self) -> list[Q]:
        organization, answer = {"organization_id": self.organization.pk}, []
        if self.model:
            # Ids, not a join: the index of time drives the reading, whatever the planner knows about the names.
            ids = list(LLMModel.objects.filter(name=self.model, **organization).values_list("pk", flat=True))
            answer.append(Q(model_id__in=_found(ids, "model", self.model)))
        if self.virtual_model:
            ids = list(
                VirtualModel.objects.filter(name=self.virtual_model, **organization).values_list("pk", flat=True)
            )
            answer.append(Q(virtual_model_id__in=_found(ids, "virtual model", self.virtual_model)))
        if self.team:
            ids = list(Team.objects.filter(name=self.team, **organization).values_list("pk", flat=True))
            unassigned = self.team == UNASSIGNED and not ids
            answer.append(Q(team_id=None) if unassigned else Q(team_id__in=_found(ids, "team", self.team)))
        return answer


def _found(ids: list[int], kind: str, name: str) -> list[int]:
    if not ids:
        raise SelectionError(f"There is no {kind} “{name[:80]}” in this organization.")
    return ids


def select(
    organization: Organization,
    *,
    first: date,
    last: date,
    model: str = "",
    virtual_model: str = "",
    team: str = "",
) -> Selection:
    """The selection of whole local days of the reporting zone, the last one included. Raises SelectionError."""
    if not _EARLIEST <= first <= last <= _LATEST:
        raise SelectionError("The range ends before it starts, or lies outside the years 1971 to 2199.")
    if any("\0" in name for name in (model, virtual_model, team)):
        raise SelectionError("A name holds no NUL character.")
    tz = zone(organization.zone)
    period = TimeRange(midnight(first, tz), midnight(last + timedelta(days=1), tz))
    selection = Selection(organization, period, model.strip(), virtual_model.strip(), team.strip())
    selection.facts()
    return selection
