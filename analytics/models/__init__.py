"""Tables of analytics: aggregates, logs, statements, sharing, bills, budgets, mails, rates, views, notes, exports."""

from analytics.models.aggregates import DayAggregate, HourAggregate
from analytics.models.annotations import Annotation
from analytics.models.bills import ProviderBill
from analytics.models.budgets import AnomalyWatch, Budget, BudgetAmount, Notice, WebhookCall
from analytics.models.currency import ExchangeRate
from analytics.models.digests import Digest
from analytics.models.exports import ExportJob
from analytics.models.logs import ChangedDay, ChangedSpend, VerificationRun
from analytics.models.meters import FrozenMeters
from analytics.models.saved import DefaultView, SavedView
from analytics.models.sharing import SharingRule, SharingTarget
from analytics.models.statements import OutboxMail, Period, Statement, StatementLine

__all__ = [
    "Annotation",
    "AnomalyWatch",
    "Budget",
    "BudgetAmount",
    "ChangedDay",
    "ChangedSpend",
    "DayAggregate",
    "DefaultView",
    "Digest",
    "ExchangeRate",
    "ExportJob",
    "FrozenMeters",
    "HourAggregate",
    "Notice",
    "OutboxMail",
    "Period",
    "ProviderBill",
    "SavedView",
    "SharingRule",
    "SharingTarget",
    "Statement",
    "StatementLine",
    "VerificationRun",
    "WebhookCall",
]
