"""Rows that people look at and nobody writes."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import BaseModelAdmin
from django.http import HttpRequest

if TYPE_CHECKING:
    Mixin = BaseModelAdmin[Any]
else:
    Mixin = object


class Frozen(Mixin):
    """Put before `ScopedAdmin` or `ScopedInline`: who may look is theirs to say, and nobody may do more."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False
