"""`rename_name`: another name for a team, a caller or a virtual account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.provisioning.kinds import KINDS
from ingestion.provisioning.lists import named
from teams import services
from teams.management.finding import organization_of, refusing


class Command(BaseCommand):
    """Traffic that goes on sending the old name counts for the same one."""

    help = "Rename a team, a caller or a virtual account; the name it has claims it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("new", metavar="NEW")
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        kind, organization = KINDS[options["kind"]], organization_of(options["organization"])
        row = named(kind, organization, options["name"])
        if row is None:
            raise CommandError(f"There is no {kind.noun} {options['name']!r} in {organization.slug}.")
        with refusing():
            services.rename_name(actor=None, organization=organization, row=row, name=options["new"])
        self.stdout.write(f"{options['name']} is {row.name} now.")
