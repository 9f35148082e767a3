"""One row of every table with a policy, for an organization: made from the fields of the models."""

import itertools
import uuid
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.db.models import Field, ForeignKey, Model

from metricsportal.row_security.policies import tables
from teams.models import Organization
from tests import make

_numbers: Final = itertools.count(1)
_VALUES: Final[dict[str, Any]] = {
    "DateTimeField": make.NOW,
    "DateField": date(2026, 11, 1),
    "BinaryField": b"x",
    "JSONField": {},
    "BooleanField": False,
    "UUIDField": uuid.UUID(int=0),
    "DecimalField": Decimal(1),
    "FloatField": 0.5,
}
_ALSO: Final = {  # what a check demands
    "analytics.SavedView": ("team",),
    "analytics.DefaultView": ("person",),
    "analytics.OutboxMail": ("statement",),
}
Made = dict[type[Model], Model]


def models() -> list[type[Model]]:
    """The models whose tables have policies."""
    names = {table.label for table in tables()}
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.label in names]


def fill(organization: Organization) -> Made:
    """A row per model, all of this organization."""
    made: Made = {Organization: organization}
    for model in models():
        _row(model, made)
    return made


def _row(model: type[Model], made: Made) -> Model:
    if model not in made:
        fields = {field.name: _value(field, made) for field in model._meta.concrete_fields if _is_asked(field)}
        made[model] = model._default_manager.bulk_create([model(**fields)])[0]
    return made[model]


def _is_asked(field: "Field[Any, Any]") -> bool:
    if isinstance(field, ForeignKey) and field.related_model is Organization:
        return True  # also where a row may belong to nobody
    if field.name in _ALSO.get(field.model._meta.label, ()):
        return True
    return not (field.null or field.primary_key or field.has_default())


def _value(field: "Field[Any, Any]", made: Made) -> Any:
    if isinstance(field, ForeignKey):
        return _row(field.related_model, made)
    if field.choices:
        return field.choices[0][0]
    number = next(_numbers)
    kind = field.get_internal_type()
    if field.unique and kind == "BinaryField":
        return number.to_bytes(32, "big")
    if field.unique and kind == "UUIDField":
        return uuid.UUID(int=number)
    return _VALUES.get(kind, number if "Integer" in kind else f"t{number}"[-(field.max_length or 64) :])
