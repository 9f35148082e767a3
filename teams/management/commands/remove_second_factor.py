"""`remove_second_factor`: for whoever lost app, passkeys and recovery codes, and belongs to several organizations."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from teams import letters, services
from teams.management.finding import member_of, organization_of, refusing


class Command(BaseCommand):
    """Ends all second factors of a person; a mail says so."""

    help = "Remove the second factors of a person who lost them. Make sure who asks you."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        member = member_of(organization_of(options["organization"]), options["email"])
        with refusing():
            services.remove_factors(actor=None, membership=member)
        letters.send_factor_removed(member.user, None)
        self.stdout.write(f"The password alone signs {member.user.email} in now.")
