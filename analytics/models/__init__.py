"""Tables of analytics: aggregates, logs, verification runs, statements, the outbox, exchange rates, saved views."""

from analytics.models.aggregates import DayAggregate, HourAggregate
from analytics.models.currency import ExchangeRate
from analytics.models.logs import ChangedDay, VerificationRun
from analytics.models.saved import SavedView
from analytics.models.statements import OutboxMail, Period, Statement, StatementLine

__all__ = [
    "ChangedDay",
    "DayAggregate",
    "ExchangeRate",
    "HourAggregate",
    "OutboxMail",
    "Period",
    "SavedView",
    "Statement",
    "StatementLine",
    "VerificationRun",
]
