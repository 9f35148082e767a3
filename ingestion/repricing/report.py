"""A tally in words and figures: for the command's table, its JSON, and the page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingestion.models import LLMModel
from ingestion.records import CostState
from ingestion.repricing.selection import UNASSIGNED
from ingestion.repricing.tally import KEPT, Sums, Tally
from metricsportal.lib.formats import exact, usd
from metricsportal.lib.money import usd_text
from teams.models import Organization, Team

NO_MODEL: Final = "(no model)"
_STATES: Final = {state.value: number for number, state in enumerate(CostState)}


@dataclass(frozen=True, slots=True)
class Line:
    """What changes for one model, team or closed month."""

    name: str
    sums: Sums

    @property
    def cells(self) -> tuple[str, ...]:
        """Name, requests, how many change, cost before, after and the difference, for people."""
        one = self.sums
        costs = (
            _known(one.before, one.unknown_before, one.requests),
            _known(one.after, one.unknown_after, one.requests),
            signed(one.difference),
        )
        return (self.name, exact(one.requests), exact(one.changed), *costs)

    @property
    def as_json(self) -> dict[str, Any]:
        """The same, exact."""
        one = self.sums
        amounts = {"usd_before": one.before, "usd_after": one.after, "usd_difference": one.difference}
        texts = {name: usd_text(amount) for name, amount in amounts.items()}
        counts = {"requests": one.requests, "changed": one.changed}
        unknown = {"unpriced_before": one.unknown_before, "unpriced_after": one.unknown_after}
        return {"name": self.name} | counts | texts | unknown


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about a preview or a result; the largest differences come first, months in the order of time."""

    total: Line
    models: tuple[Line, ...]
    teams: tuple[Line, ...]
    closed: tuple[Line, ...]
    states: tuple[tuple[str, str, int], ...]
    kept: tuple[tuple[str, int], ...]

    @property
    def sentences(self) -> list[str]:
        """What a table does not tell: changes of state, corrections of closed months, requests that stay."""
        told = [f"{old} -> {new}: {_requests(count)}" for old, new, count in self.states]
        told += [
            f"{month.name} is closed: its statements stay, {signed(month.sums.difference)} for "
            f"{_requests(month.sums.changed)} becomes adjustment lines of the next statements"
            for month in self.closed
            if month.sums.changed
        ]
        return told + [f"{_requests(count)} unchanged: {KEPT[reason]}" for reason, count in self.kept]

    def as_json(self) -> dict[str, Any]:
        """One object of plain values; amounts are decimal text."""
        total = self.total.as_json
        del total["name"]
        lists = {"models": self.models, "teams": self.teams, "closed_months": self.closed}
        return total | {
            "states": [{"before": old, "after": new, "requests": count} for old, new, count in self.states],
            "kept": dict(self.kept),
            **{name: [line.as_json for line in lines] for name, lines in lists.items()},
        }


def report(tally: Tally, organization: Organization) -> Report:
    """With the names that models and teams have now."""
    model_ids, team_ids = ([pk for pk in sums if pk is not None] for sums in (tally.models, tally.teams))
    models = {model.pk: str(model) for model in LLMModel.objects.filter(organization=organization, pk__in=model_ids)}
    teams = dict(Team.objects.filter(organization=organization, pk__in=team_ids).values_list("pk", "name"))
    order = sorted(tally.states.items(), key=lambda one: (_STATES[one[0][0]], _STATES[one[0][1]]))
    return Report(
        Line("Total", tally.total),
        _lines(tally.models, models, NO_MODEL),
        _lines(tally.teams, teams, UNASSIGNED),
        tuple(Line(month, sums) for month, sums in sorted(tally.closed.items())),
        tuple((old, new, count) for (old, new), count in order),
        tuple(sorted(tally.kept.items())),
    )


def _known(picodollars: int, unknown: int, requests: int) -> str:
    """A sum, as far as it is known: what has no price costs more than nothing."""
    if unknown and unknown == requests:
        return "unknown"
    return f"at least {usd(picodollars)}" if unknown else usd(picodollars)


def signed(picodollars: int) -> str:
    """With its sign, also when it is more: +$1.20."""
    return f"+{usd(picodollars)}" if picodollars > 0 else usd(picodollars)


def _lines(sums: Mapping[int | None, Sums], names: Mapping[int, str], without: str) -> tuple[Line, ...]:
    named: Iterable[Line] = (Line(without if pk is None else names.get(pk, f"({pk})"), one) for pk, one in sums.items())
    return tuple(sorted(named, key=lambda line: (-abs(line.sums.difference), -line.sums.changed, line.name)))


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{exact(count)} requests"
