"""`revoke_key`: end an API key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from teams import services
from teams.management.finding import key_of, organization_of


class Command(BaseCommand):
    """Ends a key at the next request."""

    help = "Revoke an API key, named by its first characters."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("key", metavar="PREFIX", help="mp_ and twelve characters; more of the key is ignored.")
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        key = key_of(organization_of(options["organization"]), options["key"])
        services.revoke_key(actor=None, key=key, now=timezone.now())
        self.stdout.write(f"The key {key} opens nothing any more.")
