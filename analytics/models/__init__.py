"""Tables of analytics: aggregates, their logs and verifications, statements, outbox, exchange rates, export jobs."""

from analytics.models.aggregates import DayAggregate, HourAggregate
from analytics.models.currency import ExchangeRate
from analytics.models.exports import ExportJob
from analytics.models.logs import ChangedDay, VerificationRun
from analytics.models.statements import OutboxMail, Period, Statement, StatementLine

__all__ = [
    "ChangedDay",
    "DayAggregate",
    "ExchangeRate",
    "ExportJob",
    "HourAggregate",
    "OutboxMail",
    "Period",
    "Statement",
    "StatementLine",
    "VerificationRun",
]
