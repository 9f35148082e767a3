"""The FOCUS rows of one statement, as they were frozen with it."""

from collections.abc import Iterator

from analytics.exports.focus.line import Account
from analytics.exports.focus.question import FocusQuestion
from analytics.exports.focus.source import batches, table
from analytics.exports.table import Batch, Table
from analytics.meters import frozen
from analytics.meters.values import Grain, coarser
from analytics.models import Period, Statement


def has_rows(organization_id: int, number: str) -> bool:
    """Whether its month was frozen by token class."""
    return _period(organization_id, number) is not None


def statement_table(organization_id: int, number: str) -> Table | None:
    """The rows of the statement of that number; None when there are none, or no such statement."""
    period = _period(organization_id, number)
    if period is None:
        return None
    question = FocusQuestion(period.month, period.month)
    return table(question, {"focus_version": question.version, "invoice": number}, _batches(period, number))


def _batches(period: Period, number: str) -> Iterator[Batch]:
    account = Account(period.organization.slug, period.organization.name)
    version = FocusQuestion(period.month, period.month).version
    for rows in frozen.parts_of_period(period):
        mine = coarser((row for row in rows if row.key.invoice == number), Grain())
        yield from batches(mine, account, version)


def _period(organization_id: int, number: str) -> Period | None:
    found = Statement.objects.filter(period__organization=organization_id, number=number).first()
    return found.period if found and found.period.meters.exists() else None
