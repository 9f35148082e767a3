"""Where rows belong: the way from a model to its organization, and the checks that follow from it."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import Model, Q, QuerySet

from teams.models import Named, Organization, User

_PATHS: Final[Mapping[type[Model], str]] = {Organization: "pk", User: "memberships__organization"}


def path_to_organization(site: AdminSite, model: type[Model]) -> str:
    """ORM path from a model to its organization: known here, declared by its admin, or its own field.

    Raises ImproperlyConfigured for a model whose rows nobody said belong to whom: no list of them may be shown.
    """
    if model in _PATHS:
        return _PATHS[model]
    try:
        path: str | None = getattr(site.get_model_admin(model), "organization_path", None)
    except NotRegistered:
        path = None
    if path is None:
        try:
            path = model._meta.get_field("organization").name
        except FieldDoesNotExist:
            raise ImproperlyConfigured(f"Nobody declared the organization_path of {model._meta.label}.") from None
    return path


def within(
    queryset: QuerySet[Any], path: str, organizations: QuerySet[Organization], *, shared: bool = False
) -> QuerySet[Any]:
    """The rows that belong to the organizations; with `shared` also those that belong to none."""
    condition = Q(**{f"{path}__in": organizations})
    if shared:
        condition |= Q(**{f"{path}__isnull": True})
    # A sub-query, not a join: a person with two memberships must appear once, and stay deletable.
    return queryset.filter(pk__in=queryset.model._default_manager.filter(condition).order_by().values("pk"))


def current(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The rows without names that became another one: nothing new may point to those."""
    return queryset.filter(merged_into=None) if issubclass(queryset.model, Named) else queryset


def organization_of(instance: Model, path: str, values: Mapping[str, Any] | None = None) -> int | None:
    """Id of the organization of one row, `values` of a form before those of the row; None = shared or unknown."""
    first, *rest = path.split("__")
    value: Any = instance if first == "pk" else (values or {}).get(first) or getattr(instance, first, None)
    for name in rest:
        value = getattr(value, name, None)
    return None if value is None or value.pk is None else int(value.pk)


def belongs(site: AdminSite, value: Model, organization_id: int | None) -> bool:
    """Whether a row that another one points to is in the same organization."""
    path = path_to_organization(site, type(value))
    return type(value)._default_manager.filter(**{"pk": value.pk, path: organization_id}).exists()
