"""The audit log, to be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from teams.admin.scoped import ScopedAdmin
from teams.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Who did what and when. Nobody writes here."""

    list_display = ["at", "action", "target", "actor", "organization"]
    list_filter = ["action", "organization"]
    list_select_related = ["actor", "organization"]
    search_fields = ["action", "target", "actor__email"]
    fields = ["at", "action", "target", "actor", "organization", "details"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False
