"""Administration of API keys: issue, look, revoke. The digest appears nowhere, the text once."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from teams import services
from teams.admin.scoped import ModelForm, ScopedAdmin, person
from teams.admin.secret import show_once
from teams.models import ApiKey
from teams.roles import KEY_SCOPES


class NewKeyForm(ModelForm):
    """What a key may do, ticked one by one."""

    scopes = forms.MultipleChoiceField(
        choices=list(KEY_SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ApiKey
        fields = ["organization", "name", "owner", "scopes", "team", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin):
    """Keys of the portal. They are never changed: what must change is revoked and issued anew."""

    form = NewKeyForm
    services_audit = True
    list_display = [
        "name",
        "prefix",
        "scopes",
        "owner",
        "team",
        "organization",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter = ["organization", "team"]
    list_select_related = ["owner", "team", "organization"]
    search_fields = ["name", "prefix", "owner__email"]
    actions = ["revoke"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is chosen; later also what happened since."""
        chosen = ["organization", "name", "owner", "scopes", "team", "expires_at"]
        return chosen if obj is None else [*chosen, "prefix", "created_at", "last_used_at", "revoked_at"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The issuing person owns the key unless another one is chosen."""
        return {"owner": person(request).pk} | super().get_changeform_initial_data(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Issue the key."""
        issued = services.issue_key(
            actor=person(request),
            organization=obj.organization,
            owner=obj.owner,
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            team=obj.team,
            expires_at=obj.expires_at,
            now=timezone.now(),
        )
        obj.pk, obj.prefix, obj.text = issued.key.pk, issued.key.prefix, issued.text

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The text of the key, this once."""
        return show_once(
            self,
            request,
            title=f"The key “{obj.name}” was issued",
            label="Key",
            secret=obj.text,
            explanation="Copy it now: the portal keeps only its fingerprint. A lost key is revoked and issued anew.",
        )

    @admin.action(description="Revoke selected API keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End the selected keys at once, all or none."""
        now = timezone.now()
        with transaction.atomic():
            for key in queryset.select_related("organization"):
                services.revoke_key(actor=person(request), key=key, now=now)
        self.message_user(request, "The selected keys open nothing any more.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may issue."""
        return self.has_add_permission(request)
