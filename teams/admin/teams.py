"""Administration of teams, their members and report recipients, and of virtual accounts."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from teams import services
from teams.admin.scoped import ModelForm, ScopedAdmin, ScopedInline, person
from teams.models import ReportRecipient, Team, TeamMembership, VirtualAccount
from teams.roles import Capability
from teams.services import naming


class NamedForm(ModelForm):
    """The rules of names hold here as on the pages."""

    def clean_name(self) -> str:
        """Refuse a name that cannot be, or that is taken, also as an earlier name."""
        name: str = self.cleaned_data["name"].strip()
        organization = self.cleaned_data.get("organization") or getattr(self.instance, "organization", None)
        if organization is not None:
            try:
                naming.check_name(self._meta.model(pk=self.instance.pk, organization=organization, name=name))
            except ValidationError as error:
                raise ValidationError(error.messages) from None
        return name


class NamedAdmin(ScopedAdmin):
    """Names of traffic; those that became another one are not here any more."""

    form = NamedForm
    view_capability = Capability.SEE_EVERYTHING

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Names that stand for themselves."""
        return super().get_queryset(request).filter(merged_into=None)


class TeamMembershipInline(ScopedInline):
    """People of the team. Whoever is here sees all metrics of the team."""

    model = TeamMembership
    organization_path = "team__organization"
    verbose_name = "member"


class ReportRecipientInline(ScopedInline):
    """Addresses that receive the monthly statement; summaries are chosen on the team's page of recipients."""

    model = ReportRecipient
    fields = ["email", "monthly", "attachment"]
    organization_path = "team__organization"


@admin.register(Team)
class TeamAdmin(NamedAdmin):
    """Teams. One that was first seen in traffic is unclaimed until somebody is added or the box is ticked."""

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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the team; the name before goes on in traffic."""
        if change and "name" in form.changed_data:
            services.rename_team(actor=person(request), team=Team.objects.get(pk=obj.pk), name=obj.name)
            obj.claimed = True
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Store members and recipients; a team with members is claimed."""
        super().save_related(request, form, formsets, change)
        team = form.instance
        if not team.claimed and team.memberships.exists():
            team.claimed = True
            team.save(update_fields=["claimed"])


@admin.register(VirtualAccount)
class VirtualAccountAdmin(NamedAdmin):
    """Applications at the gateway. Another team owns the requests from now on; earlier ones stay where they are."""

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
