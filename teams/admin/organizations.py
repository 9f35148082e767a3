"""Administration of organizations and of who belongs to them."""

import secrets
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from teams import services
from teams.admin.scoped import ModelForm, ScopedAdmin, is_operator, person
from teams.admin.secret import show_once
from teams.models import Membership, Organization
from teams.roles import Capability


@admin.register(Organization)
class OrganizationAdmin(ScopedAdmin):
    """Tenants. Operators add them; nobody removes them here, because their requests would go with them."""

    organization_path = "pk"
    view_capability = Capability.SEE_EVERYTHING
    list_display = ["name", "slug", "zone", "created_at"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "zone"]
    prepopulated_fields = {"slug": ["name"]}

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The slug follows the name only while it may still change."""
        return {} if obj is not None else super().get_prepopulated_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Links name the slug, and the hours of every stored figure are local to the zone: both are fixed."""
        return ("slug", "zone") if obj is not None else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators of the installation."""
        return is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class NewMemberForm(ModelForm):
    """A person by e-mail: a drop-down of people would show who else is on this installation."""

    email = forms.EmailField(label="E-mail", max_length=254)
    name = forms.CharField(max_length=200, required=False, help_text="Used when the person is new here.")

    class Meta:
        model = Membership
        fields = ["organization", "role"]


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Who belongs to an organization, and as what. Only owners make, change or remove owners."""

    services_audit = True
    list_display = ["email", "name", "role", "organization", "created_at"]
    list_filter = ["role", "organization"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "user__name"]
    fields = ["organization", "user", "role"]

    @admin.display(description="E-mail", ordering="user__email")
    def email(self, membership: Membership) -> str:
        """The member's e-mail."""
        return membership.user.email

    @admin.display(description="Name", ordering="user__name")
    def name(self, membership: Membership) -> str:
        """The member's name."""
        return membership.user.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators; organizations invite people.

        An administrator who knew the first password of an account could wait until another organization lets it in.
        """
        return is_operator(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """By e-mail while adding; afterwards the person is fixed."""
        return ["organization", "email", "name", "role"] if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Another person is another membership."""
        return ("organization", "user") if obj is not None else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form of new members, or the role alone."""
        if obj is None:
            kwargs |= {"form": NewMemberForm, "fields": ["organization", "role"]}
        return super().get_form(request, obj, change=change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Let the services decide. A first password is made for everybody, so that it tells nothing about anybody."""
        actor = person(request)
        if change:
            services.change_role(actor=actor, membership=Membership.objects.get(pk=obj.pk), role=obj.role)
            return
        obj.first_password = secrets.token_urlsafe(12)
        made = services.add_member(
            actor=actor,
            organization=obj.organization,
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            role=obj.role,
            password=obj.first_password,
        )
        obj.pk, obj.user = made.pk, made.user

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The first password, this once."""
        return show_once(
            self,
            request,
            title=f"{obj.user.email} was added",
            label="First password",
            secret=obj.first_password,
            explanation="Hand it over on a safe way; it can be changed under Profile. "
            "A person who signed in to this portal before keeps their password, and this one opens nothing.",
        )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """End one membership."""
        services.remove_member(actor=person(request), membership=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """End some memberships, all or none."""
        with transaction.atomic():
            for membership in queryset.select_related("organization", "user"):
                services.remove_member(actor=person(request), membership=membership)
