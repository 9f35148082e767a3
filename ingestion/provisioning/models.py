"""Models and virtual models before their first request, so that they have a price when it comes."""

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from ingestion.models import LLMModel, VirtualModel
from ingestion.normalisation import provider_id
from teams.models import Organization, User
from teams.roles import Capability
from teams.services import audit, naming
from teams.services.rules import require

_M = TypeVar("_M", bound=Model)


def register_model(*, actor: User | None, organization: Organization, name: str, provider: str) -> LLMModel:
    """A model as requests will name it: without the provider's prefix, the provider in its usual spelling.

    Raises PermissionDenied, and ValidationError for a name that cannot be.
    """
    name, provider = name.strip(), provider_id(provider.strip())
    if provider:
        name = name.removeprefix(f"{provider}/") or name
    return _register(
        actor, LLMModel(organization=organization, name=name, provider=provider), "model", provider=provider
    )


def register_virtual_model(*, actor: User | None, organization: Organization, name: str) -> VirtualModel:
    """A name that callers will ask for. Raises as `register_model` does."""
    return _register(actor, VirtualModel(organization=organization, name=name.strip()), "virtual_model")


def _register(actor: User | None, row: _M, what: str, **details: Any) -> _M:
    organization: Organization = row.organization  # type: ignore[attr-defined] # both have one
    with (
        audit.refusals(organization=organization, actor=actor, action=f"{what}.register", target=row),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PRICES)
        for field in row._meta.concrete_fields:
            if field.name in ("name", "provider"):
                naming.check_text(field.name, getattr(row, field.name))
        same = {"name", "provider"} & {field.name for field in row._meta.concrete_fields}
        known = type(row)._default_manager.filter(**{field: getattr(row, field) for field in same})
        if known.filter(organization=organization).exists():
            raise ValidationError({"name": f"The organization knows this {what.replace('_', ' ')} already."})
        row.full_clean()
        row.save()
        audit.record(organization=organization, actor=actor, action=f"{what}.register", target=row, **details)
    return row
