"""Administration within organizations: who manages one sees, finds and changes nothing of another.

Rights come from the roles (`Capability`), not from Django's model permissions. Operators (superusers) manage all.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from teams.access import organizations_by_capability
from teams.admin.borders import belongs, current, organization_of, path_to_organization, within
from teams.models import Organization, User
from teams.roles import Capability
from teams.services import audit

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
    Mixin = BaseModelAdmin[Any]
else:
    ModelAdmin, TabularInline, ModelForm, Mixin = admin.ModelAdmin, admin.TabularInline, forms.ModelForm, object

# Operators that the list filters put behind a field; anything else in a query string is refused.
_FILTER_OPERATORS = frozenset({"exact", "id", "pk", "in", "isnull", "isempty", "gt", "gte", "lt", "lte"})


class ScopedForm(ModelForm):
    """A form whose foreign keys may not leave the organization of its row."""

    site: ClassVar[admin.AdminSite]
    organization_path: ClassVar[str]

    def clean(self) -> dict[str, Any] | None:
        """Refuse each field that points into another organization."""
        cleaned = super().clean()
        values = cleaned if cleaned is not None else self.cleaned_data
        organization = organization_of(self.instance, self.organization_path, values)
        for field in self._meta.model._meta.fields:
            value = values.get(field.name)
            if not field.is_relation or value is None or field.name == self.organization_path.partition("__")[0]:
                continue
            if not belongs(self.site, value, organization):
                self.add_error(field.name, "Choose one of the same organization.")
        return cleaned


class _Choices(Mixin):
    """Drop-downs that hold rows of the organizations in which the person has the capability."""

    capability: ClassVar[Capability] = Capability.MANAGE_PEOPLE

    def organizations(self, request: HttpRequest) -> QuerySet[Organization]:
        """Where the person may change these rows."""
        return Organization.objects.filter(pk__in=_allowed(request, self.capability))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Date and time of an instant have a name each for those who do not see the words beside them."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, AdminSplitDateTime):
            for part, words in zip(field.widget.widgets, ("date", "time"), strict=True):
                part.attrs["aria-label"] = f"{db_field.verbose_name}: {words}"
        return field

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """The field with its choices restricted; what is not among them is refused when sent."""
        related = db_field.remote_field.model
        queryset = kwargs.get("queryset")
        if queryset is None:
            ordered = self.get_field_queryset(kwargs.get("using"), db_field, request)
            queryset = related._default_manager.all() if ordered is None else ordered
        path = path_to_organization(self.admin_site, related)
        kwargs["queryset"] = within(current(queryset), path, self.organizations(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _bound(self, form: type[ModelForm], path: str) -> type[ModelForm]:
        """The form class that knows where it stands."""
        base = form if issubclass(form, ScopedForm) else type("Form", (ScopedForm, form), {})
        return type(base.__name__, (base,), {"site": self.admin_site, "organization_path": path})


class ScopedAdmin(_Choices, ModelAdmin):
    """Base of every admin class of the portal.

    `organization_path`: ORM path from the model to its organization. `capability`: needed to change.
    `view_capability`: needed to look, when that is less. `shows_shared`: rows without an organization are shown to
    everybody here and changed by operators alone. `services_audit`: the services that save write the audit log.
    """

    organization_path: ClassVar[str] = "organization"
    view_capability: ClassVar[Capability | None] = None
    shows_shared: ClassVar[bool] = False
    services_audit: ClassVar[bool] = False

    def visible_organizations(self, request: HttpRequest) -> QuerySet[Organization]:
        """Where the person may look at these rows."""
        return Organization.objects.filter(pk__in=self._visible(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that may be looked at: lists, searches, objects, autocompletes and actions start from here."""
        queryset = super().get_queryset(request)
        if is_operator(request):
            return queryset
        shared = self.shows_shared and bool(self._visible(request))
        return within(queryset, self.organization_path, self.visible_organizations(request), shared=shared)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model is listed at all."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the row, or any row, may be looked at."""
        if obj is not None:
            return self.get_queryset(request).filter(pk=obj.pk).exists()
        return is_operator(request) or bool(self._visible(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether there is an organization in which a row may be added."""
        return is_operator(request) or bool(_allowed(request, self.capability))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the row, or any row, may be changed."""
        if obj is None or is_operator(request):
            return is_operator(request) or bool(_allowed(request, self.capability))
        return self._organization_id(obj) in _allowed(request, self.capability)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing."""
        return self.has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that keeps its foreign keys inside the organization."""
        kwargs["form"] = self._bound(kwargs.get("form") or self.form, self.organization_path)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row never moves to another organization."""
        fixed = ("organization",) if obj is not None and self.organization_path == "organization" else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The only organization is chosen already."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        mine = list(self.organizations(request)[:2])
        return initial | ({"organization": mine[0].pk} if len(mine) == 1 else {})

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Inlines need a row with an organization: none while it is being added."""
        return super().get_inline_instances(request, obj) if obj is not None else []

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Filters by foreign keys offer only what occurs in the rows that may be looked at."""
        return [self._scoped_filter(item) for item in super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what a list filter of this page sends: conditions on hidden fields would tell what they hold."""
        name, *operators = lookup.split("__")
        fields = {item[0] if isinstance(item, tuple) else item for item in self.get_list_filter(request)}
        offered = {field if isinstance(field, str) else field.parameter_name for field in fields}
        return name in offered and _FILTER_OPERATORS.issuperset(operators)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the row, unless it is in an organization where the person may not."""
        if not self.has_change_permission(request, obj):
            raise PermissionDenied
        super().save_model(request, obj, form, change)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The form; a broken rule is a message above it."""
        return self._refusing(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The confirmation; a broken rule is a message above it."""
        return self._refusing(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The list; a broken rule in an action is a message above it."""
        return self._refusing(request, super().changelist_view, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Also into the audit log of the organization."""
        self._audit(request, obj, "add", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Also into the audit log of the organization."""
        self._audit(request, obj, "change", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Also into the audit log of the organization."""
        for obj in queryset:
            self._audit(request, obj, "delete", [])
        return super().log_deletions(request, queryset)

    def _visible(self, request: HttpRequest) -> frozenset[int]:
        return _allowed(request, self.view_capability or self.capability)

    def _organization_id(self, obj: Any) -> int | None:
        return organization_of(obj, self.organization_path)

    def _scoped_filter(self, item: Any) -> Any:
        if isinstance(item, str) and "__" not in item and self.model._meta.get_field(item).is_relation:
            return (item, admin.RelatedOnlyFieldListFilter)
        return item

    def _refusing(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (PermissionDenied, ValidationError) as refusal:
            audit.keep_refusal(refusal)  # the transaction of the view is over, and with it what was noted inside
            if isinstance(refusal, PermissionDenied):
                raise
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
            return redirect(request.get_full_path())

    def _audit(self, request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
        organization_id = self._organization_id(obj)
        if self.services_audit or organization_id is None:
            return  # what all organizations share is kept by Django's own history
        audit.record(
            organization=Organization.objects.get(pk=organization_id),
            actor=person(request),
            action=f"{self.opts.model_name}.{verb}",
            target=obj,
            changes=message if isinstance(message, list) else [str(message)],
        )


class ScopedInline(_Choices, TabularInline):
    """Rows of a parent that a `ScopedAdmin` manages: whoever may change the parent may change them."""

    organization_path: ClassVar[str]
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Forms that keep their foreign keys inside the parent's organization."""
        kwargs["form"] = self._bound(kwargs.get("form") or self.form, self.organization_path)
        return super().get_formset(request, obj, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the parent."""
        return self._parent().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing the parent."""
        return self._parent().has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing the parent."""
        return self._parent().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing the parent."""
        return self._parent().has_change_permission(request, obj)

    def _parent(self) -> ScopedAdmin:
        parent = self.admin_site.get_model_admin(self.parent_model)
        if not isinstance(parent, ScopedAdmin):
            raise ImproperlyConfigured(f"The admin of {self.parent_model._meta.label} is not a ScopedAdmin.")
        return parent


def person(request: HttpRequest) -> User:
    """Who is signed in. Raises PermissionDenied for nobody, whom the site lets in nowhere."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def _allowed(request: HttpRequest, capability: Capability) -> frozenset[int]:
    """Ids of the organizations in which the person may do that, read once per request: a page asks fifty times."""
    if not request.user.is_authenticated:
        return frozenset()
    known: dict[Capability, frozenset[int]] | None = request.__dict__.get("_organizations_allowed")
    if known is None:
        known = request.__dict__["_organizations_allowed"] = organizations_by_capability(request.user)
    return known[capability]


def is_operator(request: HttpRequest) -> bool:
    """Whether the person operates the installation."""
    return bool(request.user.is_active and request.user.is_superuser)
