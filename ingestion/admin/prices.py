"""The price book: entries are added, never changed or deleted; a later entry corrects an earlier one."""

from collections.abc import Iterator
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from ingestion.admin import price_links
from ingestion.admin.append_only import AppendOnlyAdmin
from ingestion.admin.price_form import PriceEntryForm
from ingestion.admin.price_sheet import SheetAdmin
from ingestion.models import PriceEntry
from ingestion.models.prices import TokenClass
from ingestion.quoting.appending import TakenError, append
from teams.admin.scoped import is_operator, person

_MODELS_OFFERED: Final = 100


class ModelFilter(admin.AllValuesFieldListFilter):
    """Models to choose from while they are few; of a whole catalogue only the chosen one, and the search finds more."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """What the side bar offers."""
        offered = list(super().choices(changelist))
        few = len(offered) <= _MODELS_OFFERED
        yield from (choice for choice in offered if few or choice is offered[0] or choice["selected"])


@admin.register(PriceEntry)
class PriceEntryAdmin(AppendOnlyAdmin, SheetAdmin):
    """The price book with its whole history. Entries without an organization hold for all of them."""

    shows_shared = True
    form = PriceEntryForm
    list_display = ["model_match", "token_class", "price", "effective_from", "provider", "tier", "holds_for", "source"]
    list_filter = ["token_class", "provider", "service_tier", "source", "organization", ("model_match", ModelFilter)]
    list_select_related = ["organization", "team", "virtual_account"]
    search_fields = ["model_match", "note"]
    search_help_text = "Part of a model name or note."
    date_hierarchy = "effective_from"
    fields = [
        ("organization", "team", "virtual_account"),
        ("provider", "model_match", "match_kind"),
        ("token_class", "price"),
        ("service_tier", "context_above"),
        "effective_from",
        "note",
        "replace",
    ]

    @admin.display(description="tier", ordering="service_tier")
    def tier(self, entry: PriceEntry) -> str:
        """Service tier and context limit."""
        return f"{entry.service_tier} above {entry.context_above:,}" if entry.context_above else entry.service_tier

    @admin.display(description="holds for", ordering="organization", empty_value="all")
    def holds_for(self, entry: PriceEntry) -> object:
        """Whose requests it prices."""
        return entry.team or entry.virtual_account or entry.organization

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The page of an entry also tells who made it."""
        fields = super().get_fields(request, obj)
        made = ("source", "corrects", "created_at", "created_by")
        return fields if obj is None else (*(one for one in fields if one != "replace"), *made)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form for this person."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.operator = is_operator(request)
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form knows the classes there are; the page of an entry says how its price is ended."""
        entry = self.get_object(request, object_id) if object_id else None
        shown = {"token_classes": TokenClass.choices, "never_deleted": self.never_deleted}
        if entry is not None and self.may_add_to(request, entry):
            shown["end_url"] = price_links.end_url(entry)
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Append the entry; the form has checked that it belongs where the person may add."""
        try:
            append(entries=[obj], actor=person(request), replace=form.cleaned_data["replace"])
        except TakenError as taken:  # by somebody who was faster than the form
            raise ValidationError(str(taken)) from taken
        self.message_user(
            request,
            "Requests that arrive from now on get this price. Stored requests keep theirs until they are repriced.",
            messages.INFO,
        )
