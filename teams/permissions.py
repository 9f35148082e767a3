"""Whether a request to the REST API may proceed. What it then sees is decided by its `scope` alone."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from teams.access import Scope

if TYPE_CHECKING:  # at run time rest_framework.views imports this module through the settings
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Lets in who has a scope, and the capability that the view names, if it names one.

    Attributes of the view: `key_scope` (KeyScope, default READ) is what a key must be made for, `capability`
    (Capability) what the holder's role must allow. Nobody: 401; a key or person without the right: 403.
    """

    message = "This key or role does not allow this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the scope is there and wide enough."""
        scope: Scope | None = getattr(request, "scope", None)
        if scope is None:
            return False
        capability = getattr(view, "capability", None)
        return capability is None or scope.allows(capability)
