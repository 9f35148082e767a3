"""Names seen in traffic: models, callers, error types, metadata keys."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ingestion import services
from ingestion.admin.base import ReadOnlyAdmin
from ingestion.models import ErrorType, GatewayUser, LLMModel, MetadataKey, VirtualModel
from teams.admin.scoped import ModelForm, ScopedAdmin
from teams.roles import Capability


@admin.register(LLMModel)
class LLMModelAdmin(ReadOnlyAdmin):
    """Models that served requests."""

    list_display = ["name", "provider", "organization", "first_seen", "last_seen"]
    list_filter = ["provider", "organization"]
    list_select_related = ["organization"]
    search_fields = ["name"]


@admin.register(VirtualModel)
class VirtualModelAdmin(ReadOnlyAdmin):
    """Aliases that callers ask for."""

    list_display = ["name", "organization", "first_seen", "last_seen"]
    list_filter = ["organization"]
    list_select_related = ["organization"]
    search_fields = ["name"]


@admin.register(ErrorType)
class ErrorTypeAdmin(VirtualModelAdmin):
    """Classes of errors."""


class SeenAdmin(ScopedAdmin):
    """Rows that traffic creates and people complete: never added or deleted here."""

    view_capability = Capability.SEE_EVERYTHING
    list_select_related = ["organization"]
    search_fields = ["name"]
    seen_fields: ClassVar[tuple[str, ...]] = ("name", "first_seen", "last_seen")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: requests keep naming them."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What traffic says stays."""
        return (*super().get_readonly_fields(request, obj), *self.seen_fields)


@admin.register(GatewayUser)
class GatewayUserAdmin(SeenAdmin):
    """Callers. Another team owns their requests from now on; earlier ones stay where they are."""

    list_display = ["name", "email", "team", "organization", "first_seen", "last_seen"]
    list_filter = ["team", "organization"]
    list_select_related = ["team", "organization"]
    search_fields = ["name", "email"]
    fields = ["organization", "name", "email", "team", "first_seen", "last_seen"]
    seen_fields = ("name", "email", "first_seen", "last_seen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Callers that did not become another one."""
        return super().get_queryset(request).filter(merged_into=None)


class MetadataKeyForm(ModelForm):
    """Registers a key while there are places left."""

    class Meta:
        model = MetadataKey
        fields = ["registered"]

    def clean_registered(self) -> bool:
        """Every registered key multiplies the aggregates, so their number is limited."""
        registered: bool = self.cleaned_data["registered"]
        others = MetadataKey.objects.filter(organization=self.instance.organization, registered=True)
        if registered and others.exclude(pk=self.instance.pk).count() >= settings.METADATA_KEYS_MAX:
            raise forms.ValidationError(
                f"{settings.METADATA_KEYS_MAX} keys are registered already; take one back first."
            )
        return registered


@admin.register(MetadataKey)
class MetadataKeyAdmin(SeenAdmin):
    """Metadata keys. Registered ones can be grouped, filtered and exported by."""

    form = MetadataKeyForm
    list_display = ["name", "registered", "organization", "first_seen", "last_seen"]
    list_filter = ["registered", "organization"]
    fields = ["organization", "name", "registered", "first_seen", "last_seen"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Registering lets every hour be aggregated again."""
        super().save_model(request, obj, form, change)
        if "registered" in form.changed_data and obj.registered:
            services.register(obj, timezone.now())
