"""`allow_passwords`: lets an organization in by password again, when its provider lets nobody in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from teams import services
from teams.management.finding import organization_of, refusing


class Command(BaseCommand):
    """Ends that a provider is the only way in."""

    help = "Let members of an organization sign in by password although its provider was the only way in."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        organization = organization_of(options["organization"])
        with refusing():
            services.set_sso_only(actor=None, organization=organization, sso_only=False)
        self.stdout.write(f"Passwords open {organization.slug} again.")
