"""`create_key`: an API key, printed once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from teams import services
from teams.management.finding import member_of, organization_of, refusing, team_of
from teams.roles import KeyScope

_MOST_DAYS = 36_500


class Command(BaseCommand):
    """Prints the key alone, so that a script can keep it."""

    help = "Create an API key and print it; it is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="A member; bounds what the key may read.")
        parser.add_argument("--scope", required=True, action="append", choices=list(map(str, KeyScope)))
        parser.add_argument("--team", metavar="NAME", help="Bind the key to a team.")
        parser.add_argument("--days", type=int, metavar="N", help="Days until it ends. Default: it does not end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        organization, now, days = organization_of(options["organization"]), timezone.now(), options["days"]
        if days is not None and not 0 < days <= _MOST_DAYS:
            raise CommandError(f"--days is a number from 1 to {_MOST_DAYS}.")
        with refusing():
            issued = services.issue_key(
                actor=None,
                organization=organization,
                owner=member_of(organization, options["owner"]).user,
                name=options["name"],
                scopes=options["scope"],
                team=team_of(organization, options["team"]),
                expires_at=now + timedelta(days=days) if days else None,
                now=now,
            )
        self.stdout.write(issued.text)
