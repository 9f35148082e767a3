"""`register_name`: what traffic will name, before it does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.provisioning.models import register_model, register_virtual_model
from teams import services
from teams.management.finding import organization_of, refusing, team_of

KINDS = ("virtual_account", "model", "virtual_model")


class Command(BaseCommand):
    """Registers a virtual account, a model or a virtual model."""

    help = "Register a virtual account, a model or a virtual model before its first request."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--team", metavar="NAME", help="Owns the requests of a virtual account.")
        parser.add_argument("--provider", default="", metavar="P", help="Who provides a model.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        kind, name, organization = options["kind"], options["name"], organization_of(options["organization"])
        if options["team"] is not None and kind != "virtual_account":
            raise CommandError("--team is for virtual accounts.")
        if options["provider"] and kind != "model":
            raise CommandError("--provider is for models.")
        with refusing():
            if kind == "virtual_account":
                team = team_of(organization, options["team"])
                services.register_account(actor=None, organization=organization, name=name, team=team)
            elif kind == "model":
                register_model(actor=None, organization=organization, name=name, provider=options["provider"])
            else:
                register_virtual_model(actor=None, organization=organization, name=name)
        self.stdout.write(f"{name} is registered.")
