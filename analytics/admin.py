"""Administration of chargeback: months, statements, sharing, budgets to be read, mails to be sent again, rates."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from analytics.chargeback.document import is_unknown
from analytics.chargeback.outbox import AGAIN, send_again
from analytics.models import (
    Budget,
    BudgetAmount,
    ExchangeRate,
    Notice,
    OutboxMail,
    Period,
    SharingRule,
    SharingTarget,
    Statement,
    StatementLine,
    WebhookCall,
)
from metricsportal.lib.money import usd_text
from teams.admin.frozen import Frozen
from teams.admin.scoped import ModelForm, ScopedAdmin, ScopedInline, is_operator, person
from teams.roles import Capability


class FrozenAdmin(Frozen, ScopedAdmin):
    """Rows that the portal alone writes."""

    capability = Capability.MANAGE_CHARGEBACK


@admin.register(Period)
class PeriodAdmin(FrozenAdmin):
    """Closed months."""

    list_display = ["__str__", "organization", "zone", "start", "end", "closed_at"]
    list_filter = ["organization"]
    list_select_related = ["organization"]
    fields = ["organization", "month", "zone", "start", "end", "closed_at"]


class StatementLineInline(Frozen, ScopedInline):
    """Lines of a statement."""

    model = StatementLine
    organization_path = "statement__period__organization"
    fields = [
        "position",
        "adjusts",
        "model",
        "requests",
        "failed",
        "input_tokens",
        "output_tokens",
        "cost_in_usd",
        "unpriced_requests",
    ]
    readonly_fields = ["cost_in_usd"]

    @admin.display(description="cost (USD)")
    def cost_in_usd(self, line: StatementLine) -> str | None:
        """Exact."""
        return _cost_in_usd(line)


@admin.register(Statement)
class StatementAdmin(FrozenAdmin):
    """Frozen statements."""

    organization_path = "period__organization"
    list_display = ["number", "team_name", "period", "requests", "cost_in_usd", "unpriced_requests", "issued_at"]
    list_filter = ["period"]
    list_select_related = ["period__organization"]
    search_fields = ["number", "team_name"]
    fields = [
        "number",
        "team_name",
        "period",
        "requests",
        "failed",
        "input_tokens",
        "output_tokens",
        "shared_in_usd",
        "cost_in_usd",
        "unpriced_requests",
        "price_book_version",
        "issued_at",
        "digest",
    ]
    readonly_fields = ["shared_in_usd", "cost_in_usd"]
    inlines = [StatementLineInline]

    @admin.display(description="of which shared (USD)")
    def shared_in_usd(self, statement: Statement) -> str | None:
        """Exact; what its lines do not say."""
        return usd_text(statement.shared)

    @admin.display(description="cost (USD)", ordering="cost")
    def cost_in_usd(self, statement: Statement) -> str | None:
        """Exact."""
        return _cost_in_usd(statement)


@admin.register(OutboxMail)
class OutboxMailAdmin(FrozenAdmin):
    """Mails of statements and notices, and what became of them."""

    list_display = ["__str__", "recipient", "state", "tries", "not_before", "sent_at", "error"]
    list_filter = ["state"]
    list_select_related = ["statement", "notice", "digest"]
    search_fields = ["recipient", "statement__number", "statement__team_name"]
    fields = [
        "statement",
        "notice",
        "digest",
        "attachment",
        "recipient",
        "state",
        "tries",
        "not_before",
        "lease_until",
        "sent_at",
        "error",
        "message_id",
    ]
    actions = ["send_again"]

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Whoever manages chargeback of some organization; of which, `send_again` asks for each mail."""
        return is_operator(request) or self.organizations(request).exists()

    @admin.action(description="Send again (failed and uncertain only)", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboxMail]) -> None:
        """Put the selected mails back; those in another state stay as they are."""
        now = timezone.now()
        again = queryset.filter(state__in=AGAIN).select_related("organization", "statement", "notice", "digest")
        count = sum(send_again(actor=person(request), mail=mail, now=now) for mail in again)
        self.message_user(request, f"{count} will be sent again within five minutes.", messages.SUCCESS)


class BudgetAmountInline(Frozen, ScopedInline):
    """What a budget amounted to when."""

    model = BudgetAmount
    organization_path = "budget__organization"
    fields = ["amount", "set_at", "set_by"]
    readonly_fields = ["set_by"]


@admin.register(Budget)
class BudgetAdmin(FrozenAdmin):
    """Budgets, to be read: their page checks what is changed, and keeps what they amounted to."""

    list_display = ["name", "organization", "team", "dimension", "amount", "unit", "every"]
    list_filter = ["organization", "unit", "every"]
    list_select_related = ["organization", "team"]
    search_fields = ["name", "team__name"]
    fields = [
        *("organization", "name", "team", "dimension", "value", "user", "account", "unit", "every", "amount"),
        *("thresholds", "forecast", "recipients", "webhook", "created_at", "created_by"),
    ]
    inlines = [BudgetAmountInline]


@admin.register(Notice)
class NoticeAdmin(FrozenAdmin):
    """What was told of budgets and of days that stand out."""

    list_display = ["__str__", "organization", "budget", "team", "starts_on", "threshold", "at"]
    list_filter = ["organization"]
    list_select_related = ["organization", "budget", "team"]
    fields = ["organization", "budget", "team", "starts_on", "threshold", "at", "document"]


@admin.register(WebhookCall)
class WebhookCallAdmin(FrozenAdmin):
    """Calls to webhooks and what became of them."""

    organization_path = "notice__organization"
    list_display = ["notice", "state", "tries", "not_before", "sent_at", "error"]
    list_filter = ["state"]
    list_select_related = ["notice"]
    fields = ["notice", "key", "state", "tries", "not_before", "lease_until", "sent_at", "error"]


class SharingTargetInline(Frozen, ScopedInline):
    """Teams of a rule."""

    model = SharingTarget
    organization_path = "rule__organization"
    fields = ["team", "percent"]
    readonly_fields = ["percent"]

    @admin.display
    def percent(self, target: SharingTarget) -> str:
        """Of fixed rules."""
        return f"{Decimal(target.hundredths).scaleb(-2):.2f} %" if target.hundredths else "-"


@admin.register(SharingRule)
class SharingRuleAdmin(FrozenAdmin):
    """How shared costs are split, to be read: their page checks what is changed."""

    list_display = ["__str__", "organization", "account", "method", "since", "active"]
    list_filter = ["organization", "method", "active"]
    list_select_related = ["organization", "account"]
    fields = ["organization", "account", "method", "since", "active", "created_at", "created_by"]
    inlines = [SharingTargetInline]


class ExchangeRateForm(ModelForm):
    """One new rate."""

    def clean_currency(self) -> str:
        """Codes are stored in capitals; US dollars need no rate."""
        currency: str = self.cleaned_data["currency"]
        if currency == "USD":
            raise forms.ValidationError("Amounts are in US dollars already: choose another currency.")
        return currency


class CurrencyField(forms.CharField):
    """A code of three letters, however it was typed."""

    def to_python(self, value: object) -> str:
        """In capitals, without spaces."""
        return str(super().to_python(value)).strip().upper()


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ScopedAdmin):
    """Rates of the second currency with their whole history: added, never changed or deleted."""

    capability = Capability.MANAGE_PRICES
    form = ExchangeRateForm
    list_display = ["currency", "rate", "effective_from", "organization", "note", "created_by"]
    list_filter = ["currency", "organization"]
    list_select_related = ["organization", "created_by"]
    fields = ["organization", "currency", "rate", "effective_from", "note"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The code may be typed in small letters."""
        if db_field.name == "currency":
            kwargs["form_class"] = CurrencyField
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Rates usually hold from now on."""
        now = timezone.now().replace(second=0, microsecond=0)
        return {"effective_from": now} | super().get_changeform_initial_data(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: statements name the rate that they were issued at."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Append the rate; the form has checked that it belongs where the person may add."""
        obj.created_by = person(request)
        obj.save(force_insert=True)


def _cost_in_usd(row: Statement | StatementLine) -> str | None:
    shared = row.shared if isinstance(row, Statement) else 0
    return "no price" if is_unknown(row.cost, row.unpriced_requests, shared) else usd_text(row.cost)
