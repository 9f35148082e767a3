"""Administration of people. Accounts belong to the installation: operators change them, organizations see their own."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.http import HttpRequest

from teams.admin.scoped import ScopedAdmin, is_operator
from teams.models import User

if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
    _CreationForm = AdminUserCreationForm[User]
else:
    _UserAdmin = UserAdmin
    _CreationForm = AdminUserCreationForm

# Rights come from roles; groups of Django's model permissions would promise what nothing checks.
admin.site.unregister(Group)


class NewPersonForm(_CreationForm):
    """An account with its first password, or none yet."""

    class Meta:
        model = User
        fields = ["email", "name"]


@admin.register(User)
class PersonAdmin(ScopedAdmin, _UserAdmin):
    """People who sign in. A role in an organization is a membership; here operators set passwords and end accounts."""

    organization_path = "memberships__organization"
    add_form = NewPersonForm
    list_display = ["email", "name", "is_active", "is_superuser"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        ("Account", {"fields": ["is_active", "is_superuser"]}),
        ("Dates", {"fields": ["date_joined", "last_login"]}),
    ]
    readonly_fields = ["date_joined", "last_login"]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Another form while adding."""
        if obj is None:
            kwargs["form"] = self.add_form
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """People of the own organization are a name and an address, nothing of their life elsewhere."""
        if not is_operator(request):
            return [(None, {"fields": ["email", "name", "is_active"]})]
        return super().get_fieldsets(request, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        """As for one person."""
        return self.list_display if is_operator(request) else ["email", "name", "is_active"]

    def get_list_filter(self, request: HttpRequest) -> Any:
        """As for one person."""
        return self.list_filter if is_operator(request) else ["is_active"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators; organizations add members instead."""
        return self.has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators: a password set in one organization would open the others of the same person."""
        return is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: the audit log names people. Ending an account is clearing “active”."""
        return False
