"""The attribute rules of an organization: what is allowed, and the acts that change them."""

from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from ingestion.formats.mapping import FIELDS, METADATA, is_payload
from ingestion.models import AttributeRule
from ingestion.validation import METADATA_KEY_LENGTH
from teams.models import Organization, User
from teams.roles import Capability
from teams.services import audit
from teams.services.rules import require

MOST_RULES: Final = 100
ATTRIBUTE_LENGTH: Final = 256
_ALLOWED: Final = f"{', '.join(FIELDS)}, or {METADATA}KEY"


def rules_of(organization: Organization) -> list[AttributeRule]:
    """The rules in their order."""
    return list(AttributeRule.objects.filter(organization=organization))


def find_rule(organization: Organization, number: int) -> AttributeRule | None:
    """One rule; None when it is not the organization's."""
    return AttributeRule.objects.filter(organization=organization, pk=number).select_related("organization").first()


def check_rule(organization: Organization, attribute: str, target: str, *, rule: AttributeRule | None = None) -> None:
    """Raise ValidationError, a sentence per field, unless `rule` (None = a new one) may be so."""
    wrong = {"attribute": _wrong_attribute(attribute), "target": _wrong_target(target)}
    if errors := {field: message for field, message in wrong.items() if message}:
        raise ValidationError(errors)
    others = AttributeRule.objects.filter(organization=organization)
    if rule is not None:
        others = others.exclude(pk=rule.pk)
    if others.filter(attribute=attribute, target=target).exists():
        raise ValidationError({"attribute": f"There is a rule already that fills {target} from this attribute."})
    if rule is None and others.count() >= MOST_RULES:
        raise ValidationError(f"An organization has at most {MOST_RULES} rules. Remove one that is not needed.")


def _wrong_attribute(attribute: str) -> str:
    if not 1 <= len(attribute) <= ATTRIBUTE_LENGTH:
        return f"The name of an attribute has 1 to {ATTRIBUTE_LENGTH} characters, this has {len(attribute)}."
    if not attribute.isprintable() or attribute != attribute.strip():
        return "The name of an attribute holds letters, digits, signs and inner spaces; nothing that cannot be seen."
    if is_payload(attribute):
        return (
            "This attribute holds what is never stored: prompts, answers, tool calls, whole requests or responses, "
            "credentials, traces of stacks, addresses of clients. Any other attribute may be mapped."
        )
    return ""


def _wrong_target(target: str) -> str:
    if not target.startswith(METADATA):
        return "" if target in FIELDS else f"Choose one of {_ALLOWED}."
    key = target.removeprefix(METADATA)
    if not 1 <= len(key) <= METADATA_KEY_LENGTH:
        return f"A metadata key has 1 to {METADATA_KEY_LENGTH} characters, this has {len(key)}."
    if not key.isprintable() or key != key.strip():
        return "A metadata key holds letters, digits, signs and inner spaces; nothing that cannot be seen."
    return ""


def add_rule(*, actor: User | None, organization: Organization, attribute: str, target: str) -> AttributeRule:
    """A new rule after the others. Raises PermissionDenied, ValidationError."""
    require(actor, organization, Capability.MANAGE_PEOPLE)
    with transaction.atomic():
        _lock(organization)
        check_rule(organization, attribute, target)
        rules = AttributeRule.objects.filter(organization=organization)
        last = rules.aggregate(last=Max("position"))["last"] or 0
        rule = rules.create(organization=organization, attribute=attribute, target=target, position=last + 1)
        audit.record(organization=organization, actor=actor, action="mapping.add", target=rule, **_details(rule))
    return rule


def change_rule(*, actor: User | None, rule: AttributeRule, attribute: str, target: str) -> None:
    """Another attribute or target in the same place. Raises PermissionDenied, ValidationError."""
    organization = rule.organization
    require(actor, organization, Capability.MANAGE_PEOPLE)
    with transaction.atomic():
        _lock(organization)
        current = find_rule(organization, rule.pk)
        if current is None:
            raise ValidationError("Somebody removed this rule meanwhile.")
        if (current.attribute, current.target) == (attribute, target):
            return
        check_rule(organization, attribute, target, rule=current)
        before = _details(current)
        current.attribute, current.target = attribute, target
        current.save(update_fields=["attribute", "target"])
        audit.record(
            organization=organization,
            actor=actor,
            action="mapping.change",
            target=current,
            before=before,
            **_details(current),
        )
    rule.attribute, rule.target = attribute, target


def remove_rule(*, actor: User | None, rule: AttributeRule) -> None:
    """End a rule. Raises PermissionDenied."""
    require(actor, rule.organization, Capability.MANAGE_PEOPLE)
    with transaction.atomic():
        if AttributeRule.objects.filter(pk=rule.pk).delete()[0]:
            audit.record(
                organization=rule.organization, actor=actor, action="mapping.remove", target=rule, **_details(rule)
            )


def move_rule(*, actor: User | None, rule: AttributeRule, steps: int) -> None:
    """Move a rule down by `steps`, up where they are negative; not beyond the ends. Raises PermissionDenied."""
    organization = rule.organization
    require(actor, organization, Capability.MANAGE_PEOPLE)
    with transaction.atomic():
        _lock(organization)
        rules = rules_of(organization)
        at = next((at for at, one in enumerate(rules) if one.pk == rule.pk), None)
        if at is None:
            return
        to = min(max(at + steps, 0), len(rules) - 1)
        if to == at:
            return
        rules.insert(to, rules.pop(at))
        for position, one in enumerate(rules, start=1):
            one.position = position
        AttributeRule.objects.bulk_update(rules, ["position"])
        audit.record(
            organization=organization,
            actor=actor,
            action="mapping.move",
            target=rule,
            place=to + 1,
            **_details(rule),
        )


def _details(rule: AttributeRule) -> dict[str, str]:
    return {"attribute": rule.attribute, "field": rule.target}


def _lock(organization: Organization) -> None:
    # One editor at a time, or two of them would take the same last place.
    Organization.objects.select_for_update().get(pk=organization.pk)
