"""What stands between the price book and a bill: discounts and markups, model aliases, whose figure counts."""

from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from ingestion.admin.append_only import AppendOnlyAdmin
from ingestion.admin.term_forms import AdjustmentForm, AliasForm, PolicyForm, standing, taken_sentence
from ingestion.models import CostPolicy, ModelAlias, PriceAdjustment
from metricsportal.lib.formats import decimal
from teams.admin.scoped import is_operator, person

HOLDS_FROM_NOW: Final = (
    "Requests that arrive from now on are priced with it. Stored requests keep their cost until they are repriced."
)


class NowFilter(admin.SimpleListFilter):
    """What holds at this moment, of a list that holds everything."""

    title = "in force"
    parameter_name = "now"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("1", "now")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows that no later one of their line has replaced, and that have begun."""
        return queryset.filter(replaced=False, **self.begun()) if self.value() == "1" else queryset

    @staticmethod
    def begun() -> dict[str, Any]:
        """For rows with a date."""
        return {"effective_from__lte": timezone.now()}


class AliasNowFilter(NowFilter):
    """Aliases hold from when they are added."""

    @staticmethod
    def begun() -> dict[str, Any]:
        """All have."""
        return {}


class TermAdmin(AppendOnlyAdmin):
    """Rows with a line and mostly a date: of one line the latest that has begun holds.

    `line`: columns in which rows of a line are equal.
    """

    line: ClassVar[tuple[str, ...]]
    dated: ClassVar[bool] = True
    list_filter = [NowFilter, "organization"]
    list_select_related = ["organization", "created_by"]
    never_deleted = (
        "Nothing is deleted here: past costs keep their explanation. Add a later row of the same line instead; "
        "an empty value ends it."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows that know whether a later one has replaced them."""
        later = self.model._default_manager.order_by()
        for name in self.line:  # two NULLs are not equal in SQL
            nullable = self.model._meta.get_field(name).null
            column = f"{name}_id" if self.model._meta.get_field(name).is_relation else name
            outer = Coalesce(OuterRef(column), 0) if nullable else OuterRef(column)
            later = (
                later.annotate(same=Coalesce(column, 0)).filter(same=outer)
                if nullable
                else later.filter(**{column: outer})
            )
        newer = Q(pk__gt=OuterRef("pk"))
        if self.dated:
            after = Q(effective_from__gt=OuterRef("effective_from"), effective_from__lte=timezone.now())
            newer = after | Q(newer, effective_from=OuterRef("effective_from"))
        rows = super().get_queryset(request)
        replaced: QuerySet[Any] = rows.annotate(replaced=Exists(later.filter(newer)))
        return replaced

    @admin.display(description="state")
    def state(self, row: Any) -> str:
        """Whether it holds now."""
        if row.replaced:
            return "replaced"
        return "in the future" if self.dated and row.effective_from > timezone.now() else self.word_in_force(row)

    def word_in_force(self, row: Any) -> str:
        """A row that holds may say that its line has ended."""
        return "in force"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The page of a row also tells who made it."""
        fields = super().get_fields(request, obj)
        made = ("created_at", "created_by")
        return fields if obj is None else (*(one for one in fields if one != "replace"), *made)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form for this person."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.operator = is_operator(request)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Append the row, which corrects the one that it replaces."""
        obj.created_by = person(request)
        values = {name: getattr(obj, name) for name in (*self.line, "effective_from")} if self.dated else {}
        if form.cleaned_data.get("replace") and hasattr(obj, "corrects"):
            obj.corrects = standing(self.model, values)
        try:
            with transaction.atomic():
                obj.save(force_insert=True)
        except IntegrityError as error:  # somebody was faster than the form
            taken = standing(self.model, values) if values else None
            if taken is None:
                raise
            raise ValidationError(taken_sentence(taken)) from error
        self.message_user(request, HOLDS_FROM_NOW, messages.INFO)


@admin.register(PriceAdjustment)
class PriceAdjustmentAdmin(TermAdmin):
    """Discounts on list prices and markups on what is charged on."""

    form = AdjustmentForm
    line = AdjustmentForm.line
    list_display = ["kind", "amount", "state", "effective_from", "team", "provider", "model_match", "organization"]
    list_filter = [NowFilter, "kind", "team", "organization"]
    list_select_related = ["organization", "team"]
    search_fields = ["model_match", "note"]
    fields = [
        ("organization", "team"),
        ("kind", "percent"),
        ("provider", "model_match", "match_kind"),
        "effective_from",
        "note",
        "replace",
    ]

    @admin.display(description="percent", ordering="percent")
    def amount(self, row: PriceAdjustment) -> str:
        """Without zeros that say nothing."""
        return "none" if row.percent is None else f"{decimal(row.percent)} %"

    def word_in_force(self, row: PriceAdjustment) -> str:
        """Without a percentage the less specific line holds."""
        return "ended" if row.percent is None else "in force"


@admin.register(ModelAlias)
class ModelAliasAdmin(TermAdmin):
    """Which model of the price book a name of the traffic stands for."""

    shows_shared = True
    form = AliasForm
    line = ("organization", "match_kind", "model_match")
    dated = False
    list_display = ["model_match", "match_kind", "target", "state", "holds_for", "created_at"]
    list_filter = [AliasNowFilter, "organization"]
    list_select_related = ["organization"]
    search_fields = ["model_match", "model", "note"]
    fields = ["organization", ("model_match", "match_kind"), ("provider", "model"), "note"]

    @admin.display(description="priced as", ordering="model")
    def target(self, row: ModelAlias) -> str:
        """The model, of its provider if it names one."""
        return f"{row.provider}/{row.model}" if row.provider and row.model else row.model or "itself"

    @admin.display(description="organization", ordering="organization", empty_value="all")
    def holds_for(self, row: ModelAlias) -> object:
        """Whose requests it is for."""
        return row.organization

    def word_in_force(self, row: ModelAlias) -> str:
        """Without a model the alias has ended."""
        return "in force" if row.model else "ended"


@admin.register(CostPolicy)
class CostPolicyAdmin(TermAdmin):
    """Which figure is the cost when the price book and the gateway both have one."""

    form = PolicyForm
    line = PolicyForm.line
    list_display = ["policy", "adjust_reported", "state", "effective_from", "organization", "created_by"]
    list_filter = [NowFilter, "organization"]
    fields = ["organization", "policy", "adjust_reported", "effective_from", "note", "replace"]
