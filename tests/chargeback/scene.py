"""Requests that cost something, months that close, and the two sides that must agree: statements and requests."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Barrier
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from django.db import connections
from django.db.models import Model

from analytics.chargeback import closing
from analytics.models import OutboxMail, Period, Statement, StatementLine
from ingestion.models import ChangedHour, LLMRequest
from teams.models import Organization, ReportRecipient, Team
from tests import make

T = TypeVar("T")
Key = tuple[str, str, str]
"""Month, team, model."""
Figures = tuple[int, ...]
"""Requests, failed, input tokens, output tokens, picodollars, without a price, with a price."""

SEPTEMBER: Final = date(2026, 9, 1)
OCTOBER: Final = date(2026, 10, 1)
NOVEMBER: Final = date(2026, 11, 1)
LATER: Final = datetime(2026, 12, 10, 12, tzinfo=UTC)
"""September, October and November are over everywhere, and so is their grace."""
FROZEN: Final[dict[type[Model], str]] = {Period: "statements", Statement: "pk", StatementLine: "statement"}
"""Tables of a closed month, each with its way to a statement."""


def day(month: int, number: int = 15, hour: int = 12) -> datetime:
    """An instant of 2026."""
    return datetime(2026, month, number, hour, tzinfo=UTC)


def spend(organization: Organization, at: datetime, usd: str | None = "1", **fields: Any) -> LLMRequest:
    """A stored request with that cost; None: nobody knows its price."""
    cost = None if usd is None else Decimal(usd)
    return make.request(organization, now=LATER, started_at=at, reported_cost_usd=cost, **fields)


def reprice(request: LLMRequest, usd: str | None) -> None:
    """What a job that prices stored requests anew does to one of them."""
    cost = None if usd is None else int(Decimal(usd) * 10**12)
    _change(request, cost=cost, cost_state="unpriced" if cost is None else "computed")


def move(request: LLMRequest, team: Team | None) -> None:
    """What a job that attributes stored requests anew does to one of them."""
    _change(request, team=team)


def _change(request: LLMRequest, **fields: Any) -> None:
    LLMRequest.objects.filter(pk=request.pk).update(**fields)
    ChangedHour.objects.create(organization_id=request.organization_id, hour_start=request.hour_start)


def close(organization: Organization, month: date, now: datetime = LATER) -> list[Statement]:
    """Close the month; its statements."""
    return list(closing.close(organization=organization, month=month, now=now).statements.all())


def subscribe(team: Team, *addresses: str) -> None:
    """Let these receive the statements of the team."""
    for address in addresses:
        ReportRecipient.objects.create(team=team, email=address)


def mails() -> list[tuple[str, str, int]]:
    """Every mail of the outbox: to whom, its state, how often it was tried."""
    return sorted(OutboxMail.objects.values_list("recipient", "state", "tries"))


def frozen(*statements: Statement) -> list[str]:
    """Every column of every row that a closed month left (of these statements alone, when given)."""
    rows: list[Any] = []
    for model, path in FROZEN.items():
        found = model._default_manager.order_by("pk")
        if statements:
            found = found.filter(**{f"{path}__in": [one.pk for one in statements]}).distinct()
        rows += found.values()
    return [repr(sorted(row.items())) for row in rows]


def facts(organization: Organization) -> dict[Key, Figures]:
    """By month of the reporting zone, team and model: plain Python over single requests."""
    tz, answer = ZoneInfo(organization.zone), dict[Key, Figures]()
    for one in LLMRequest.objects.filter(organization=organization).select_related("team", "model"):
        team, model = one.team.name if one.team else "Unassigned", one.model.name if one.model else "(none)"
        tokens = (one.input_tokens or 0, one.output_tokens or 0)
        priced = one.cost_state in ("computed", "reported")
        figures = (1, int(one.failed), *tokens, one.cost or 0, int(one.cost_state == "unpriced"), int(priced))
        _add(answer, (f"{one.started_at.astimezone(tz):%Y-%m}", team, model), figures)
    return answer


def said(organization: Organization) -> dict[Key, Figures]:
    """The same from the frozen documents: use of each month, and what later statements correct of it."""
    answer = dict[Key, Figures]()
    for document in Statement.objects.filter(period__organization=organization).values_list("document", flat=True):
        for line in (*document["lines"], *document["adjustments"]):
            key = (line.get("adjusts", document["month"]), document["team"]["name"], line["model"])
            _add(answer, key, figures_of(line))
    return {key: figures for key, figures in answer.items() if any(figures)}


def figures_of(line: dict[str, Any]) -> Figures:
    """The figures of a line, or of the total, in a frozen document."""
    names = ("requests", "failed", "input_tokens", "output_tokens", "unpriced_requests", "priced_requests")
    counts = [int(line[name]) for name in names]
    return (*counts[:4], int(Decimal(line["cost_usd"]) * 10**12), *counts[4:])


def added(figures: Iterable[Figures]) -> Figures:
    """Column by column."""
    return tuple(sum(column) for column in zip((0,) * 7, *figures, strict=True))


def _add(answer: dict[Key, Figures], key: Key, figures: Figures) -> None:
    answer[key] = added([answer.get(key, (0,) * 7), figures])


def at_once(*works: Callable[[], T]) -> list[T]:
    """Do all of it in threads that start together; their answers, or what one of them raised."""
    start = Barrier(len(works))

    def do(work: Callable[[], T]) -> T:
        try:
            start.wait(20)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(do, works))
