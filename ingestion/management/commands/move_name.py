"""`move_name`: to which team callers and virtual accounts belong from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.provisioning.kinds import ACCOUNT, CALLER, KINDS
from ingestion.provisioning.lists import named
from teams import services
from teams.management.finding import organization_of, refusing, team_of


class Command(BaseCommand):
    """Moves all of them or none; requests up to now stay where they are."""

    help = "Give callers or virtual accounts another team from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("kind", choices=[CALLER.name.value, ACCOUNT.name.value])
        parser.add_argument("names", nargs="+", metavar="NAME")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--team", metavar="NAME")
        where.add_argument("--no-team", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        kind, organization = KINDS[options["kind"]], organization_of(options["organization"])
        rows = {name: named(kind, organization, name) for name in options["names"]}
        if unknown := [name for name, row in rows.items() if row is None]:
            raise CommandError(f"There is no {kind.noun} {', '.join(map(repr, unknown))} in {organization.slug}.")
        ids = {row.pk for row in rows.values() if row is not None}
        with refusing():
            team = team_of(organization, options["team"])
            count = services.move(actor=None, organization=organization, model=kind.model, ids=ids, team=team)
        self.stdout.write(f"{count} moved to {team.name if team else 'no team'}. Requests up to now stay.")
