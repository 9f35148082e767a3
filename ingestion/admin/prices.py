"""The price book: entries are added, never changed or deleted; a later entry corrects an earlier one."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from ingestion.admin.price_imports import ImportingAdmin
from ingestion.models import PriceEntry
from ingestion.models.prices import MatchKind
from ingestion.normalisation import provider_id
from ingestion.pricing.absurdity import absurd
from ingestion.pricing.catalogues.base import Key
from ingestion.pricing.matching import ANY_PROVIDER
from teams.admin.scoped import ModelForm, is_operator, person
from teams.roles import Capability

_MODELS_OFFERED: Final = 100
_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


class PriceEntryForm(ModelForm):
    """One new price. Names are stored as records are normalised, or they would never match."""

    operator: ClassVar[bool] = False

    class Meta:
        model = PriceEntry
        exclude: ClassVar[list[str]] = []

    def clean_organization(self) -> Any:
        """Only operators set prices for every organization."""
        organization = self.cleaned_data.get("organization")
        if organization is None and not self.operator:
            raise forms.ValidationError("Choose an organization.")
        return organization

    def clean_provider(self) -> str:
        """The id under which records are stored."""
        provider = provider_id(self.cleaned_data["provider"].strip())
        if provider != ANY_PROVIDER and not _PROVIDER.fullmatch(provider):
            raise forms.ValidationError("A provider id such as openai, or * for any.")
        return provider

    def clean_model_match(self) -> str:
        """Models are compared in lower case."""
        model: str = self.cleaned_data["model_match"].strip().lower()
        return model

    def clean_service_tier(self) -> str:
        """Tiers are stored in lower case."""
        tier: str = self.cleaned_data["service_tier"].strip().lower()
        return tier

    def clean(self) -> dict[str, Any] | None:
        """A pattern needs the match kind that reads it; a price is believed within reason."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and cleaned["price"] is not None:
            key = Key(*(cleaned[name] for name in Key._fields))
            reason = absurd(cleaned["price"], key, cleaned["organization"])
            if reason:
                self.add_error("price", reason)
        has_pattern = bool(re.search(r"[*?]", cleaned.get("model_match", "")))
        if cleaned.get("match_kind") == MatchKind.GLOB and not has_pattern:
            self.add_error("model_match", "A pattern holds * or ?; without them choose “is exactly”.")
        elif cleaned.get("match_kind") != MatchKind.GLOB and has_pattern:
            self.add_error("model_match", "For * and ? choose “matches (* and ?)”.")
        return cleaned


class ModelFilter(admin.AllValuesFieldListFilter):
    """Models to choose from while they are few; of a whole catalogue only the chosen one, and the search finds more."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """What the side bar offers."""
        offered = list(super().choices(changelist))
        few = len(offered) <= _MODELS_OFFERED
        yield from (choice for choice in offered if few or choice is offered[0] or choice["selected"])


@admin.register(PriceEntry)
class PriceEntryAdmin(ImportingAdmin):
    """The price book with its whole history. Entries without an organization hold for all of them."""

    capability = Capability.MANAGE_PRICES
    shows_shared = True
    form = PriceEntryForm
    list_display = ["model_match", "token_class", "price", "effective_from", "provider", "tier", "holds_for", "source"]
    list_filter = ["token_class", "provider", "service_tier", "source", "organization", ("model_match", ModelFilter)]
    list_select_related = ["organization"]
    search_fields = ["model_match", "note"]
    search_help_text = "Part of a model name or note."
    date_hierarchy = "effective_from"
    fields = [
        "organization",
        ("provider", "model_match", "match_kind"),
        ("token_class", "price"),
        ("service_tier", "context_above"),
        "effective_from",
        "note",
    ]

    @admin.display(description="tier", ordering="service_tier")
    def tier(self, entry: PriceEntry) -> str:
        """Service tier and context limit."""
        return f"{entry.service_tier} above {entry.context_above:,}" if entry.context_above else entry.service_tier

    @admin.display(description="organization", ordering="organization", empty_value="all")
    def holds_for(self, entry: PriceEntry) -> object:
        """Whose requests it prices."""
        return entry.organization

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The page of an entry also tells who made it."""
        made = ("source", "created_at", "created_by")
        return (*super().get_fields(request, obj), *made) if obj is not None else super().get_fields(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form for this person."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.operator = is_operator(request)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Prices usually start now."""
        now = timezone.now().replace(second=0, microsecond=0)
        return {"effective_from": now} | super().get_changeform_initial_data(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a later entry corrects an earlier one."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Append the entry; the form has checked that it belongs where the person may add."""
        obj.created_by = person(request)
        obj.save(force_insert=True)
        self.message_user(
            request,
            "Requests that arrive from now on get this price. Stored requests keep theirs until they are repriced.",
            messages.INFO,
        )
