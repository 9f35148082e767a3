"""The attribute rules of an organization, for scripts that set a portal up."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from ingestion import rules
from teams.models import Organization


class Command(BaseCommand):
    """`map_attributes --organization SLUG [--add ATTRIBUTE TARGET]… [--remove ATTRIBUTE TARGET]… [--json]`."""

    help = "Lists, adds and removes the rules by which attributes of a source fill fields. Running it again is safe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Organization, what to add, what to remove, JSON output."""
        pair: dict[str, Any] = {"nargs": 2, "action": "append", "default": [], "metavar": ("ATTRIBUTE", "TARGET")}
        parser.add_argument("--organization", required=True, metavar="SLUG", help="organization of the rules")
        parser.add_argument("--add", **pair, help="a rule after the others; TARGET is a field, or metadata.KEY")
        parser.add_argument("--remove", **pair, help="a rule that is no longer wanted")
        parser.add_argument("--json", action="store_true", help="print the rules as a JSON array, in their order")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change what is asked, all or nothing, and print the rules. Raises CommandError for what is not allowed."""
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization “{options['organization']}”.")
        try:
            with transaction.atomic():
                self._change(organization, options["add"], options["remove"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        pairs = [(rule.attribute, rule.target) for rule in rules.rules_of(organization)]
        named = [{"attribute": attribute, "target": target} for attribute, target in pairs]
        lines = json.dumps(named) if options["json"] else "\n".join(f"{name} → {target}" for name, target in pairs)
        self.stdout.write(lines or "There are no rules.")

    def _change(self, organization: Organization, add: list[list[str]], remove: list[list[str]]) -> None:
        existing = {(rule.attribute, rule.target): rule for rule in rules.rules_of(organization)}
        for attribute, target in remove:
            if rule := existing.pop((attribute, target), None):
                rules.remove_rule(actor=None, rule=rule)
        for attribute, target in add:
            if (attribute, target) not in existing:
                rules.add_rule(actor=None, organization=organization, attribute=attribute, target=target)
