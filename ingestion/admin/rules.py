"""Attribute rules, by the same acts as on their page; their order is changed there."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion import rules
from ingestion.models import AttributeRule
from teams.admin.scoped import ModelForm, ScopedAdmin, person
from teams.roles import Capability


class AttributeRuleForm(ModelForm):
    """One rule."""

    class Meta:
        model = AttributeRule
        exclude: ClassVar[list[str]] = []

    def clean(self) -> dict[str, Any] | None:
        """What the page allows too."""
        cleaned = super().clean() or self.cleaned_data
        rule = self.instance if self.instance.pk else None
        organization = rule.organization if rule else cleaned.get("organization")
        attribute, target = cleaned.get("attribute"), cleaned.get("target")
        if organization and attribute and target:
            rules.check_rule(organization, attribute, target, rule=rule)
        return cleaned


@admin.register(AttributeRule)
class AttributeRuleAdmin(ScopedAdmin):
    """Which attribute of a source fills which field. Of one target, the first rule speaks."""

    view_capability = Capability.SEE_EVERYTHING
    services_audit = True
    form = AttributeRuleForm
    list_display = ["attribute", "target", "position", "organization"]
    list_filter = ["organization"]
    list_select_related = ["organization"]
    search_fields = ["attribute", "target"]
    fields = ["organization", "attribute", "target"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Add after the others, or change in place."""
        what: dict[str, Any] = {"actor": person(request), "attribute": obj.attribute, "target": obj.target}
        if change:
            rules.change_rule(rule=obj, **what)
        else:
            added = rules.add_rule(organization=obj.organization, **what)
            obj.pk, obj.position = added.pk, added.position

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """End the rule."""
        rules.remove_rule(actor=person(request), rule=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End the rules, all or none."""
        with transaction.atomic():
            for rule in queryset.select_related("organization"):
                rules.remove_rule(actor=person(request), rule=rule)
