"""What the admin classes of ingest share."""

from typing import Any

from django.http import HttpRequest

from teams.admin.scoped import ScopedAdmin
from teams.roles import Capability


class ReadOnlyAdmin(ScopedAdmin):
    """Rows that traffic writes: everybody who sees everything may look, nobody changes them."""

    view_capability = Capability.SEE_EVERYTHING
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: requests keep naming them."""
        return False
