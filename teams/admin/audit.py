"""The audit log, to be read."""

from django.contrib import admin

from teams.admin.frozen import Frozen
from teams.admin.scoped import ScopedAdmin
from teams.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(Frozen, ScopedAdmin):
    """Who did what and when. Nobody writes here."""

    list_display = ["at", "action", "target", "actor", "organization"]
    list_filter = ["action", "organization"]
    list_select_related = ["actor", "organization"]
    search_fields = ["action", "target", "actor__email"]
    fields = ["at", "action", "target", "actor", "organization", "details"]
