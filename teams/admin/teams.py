"""Administration of teams, their members and report recipients, and of virtual accounts."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from teams.admin.scoped import ScopedAdmin, ScopedInline
from teams.models import ReportRecipient, Team, TeamMembership, VirtualAccount
from teams.roles import Capability


class TeamMembershipInline(ScopedInline):
    """People of the team. Whoever is here sees all metrics of the team."""

    model = TeamMembership
    organization_path = "team__organization"
    verbose_name = "member"


class ReportRecipientInline(ScopedInline):
    """Addresses that receive the monthly statement."""

    model = ReportRecipient
    organization_path = "team__organization"


@admin.register(Team)
class TeamAdmin(ScopedAdmin):
    """Teams. One that was first seen in traffic is unclaimed until somebody is added or the box is ticked."""

    view_capability = Capability.SEE_EVERYTHING
    list_display = ["name", "organization", "claimed", "first_seen", "last_seen"]
    list_filter = ["claimed", "organization"]
    list_select_related = ["organization"]
    search_fields = ["name"]
    fields = ["organization", "name", "claimed", "first_seen", "last_seen"]
    readonly_fields = ["first_seen", "last_seen"]
    inlines = [TeamMembershipInline, ReportRecipientInline]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: requests and statements keep naming the team."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Store members and recipients; a team with members is claimed."""
        super().save_related(request, form, formsets, change)
        team = form.instance
        if not team.claimed and team.memberships.exists():
            team.claimed = True
            team.save(update_fields=["claimed"])


@admin.register(VirtualAccount)
class VirtualAccountAdmin(ScopedAdmin):
    """Applications at the gateway. Another team owns the requests from now on; earlier ones stay where they are."""

    view_capability = Capability.SEE_EVERYTHING
    list_display = ["name", "team", "organization", "first_seen", "last_seen"]
    list_filter = ["team", "organization"]
    list_select_related = ["team", "organization"]
    search_fields = ["name"]
    fields = ["organization", "name", "team", "first_seen", "last_seen"]
    autocomplete_fields = ["team"]

    class Media:
        js = ["portal/js/admin-autocomplete.js"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The name is what the gateway sends: another name is another account."""
        fixed = ("name",) if obj is not None else ()
        return (*super().get_readonly_fields(request, obj), *fixed, "first_seen", "last_seen")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: requests keep naming the account."""
        return False
