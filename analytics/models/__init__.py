"""Tables of analytics: aggregates and their logs, statements, outbox, exchange rates, saved views, notes, exports."""

from analytics.models.aggregates import DayAggregate, HourAggregate
from analytics.models.annotations import Annotation
from analytics.models.currency import ExchangeRate
from analytics.models.exports import ExportJob
from analytics.models.logs import ChangedDay, VerificationRun
from analytics.models.meters import FrozenMeters
from analytics.models.saved import DefaultView, SavedView
from analytics.models.statements import OutboxMail, Period, Statement, StatementLine

__all__ = [
    "Annotation",
    "ChangedDay",
    "DayAggregate",
    "DefaultView",
    "ExchangeRate",
    "ExportJob",
    "FrozenMeters",
    "HourAggregate",
    "OutboxMail",
    "Period",
    "SavedView",
    "Statement",
    "StatementLine",
    "VerificationRun",
]
