"""`set_role`: what a person is in an organization."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from teams import services
from teams.management.finding import member_of, organization_of, refusing
from teams.roles import OrganizationRole


class Command(BaseCommand):
    """Changes a role, also when no owner can sign in any more."""

    help = "Give a member of an organization another role."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("role", choices=list(map(str, OrganizationRole)))
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        member = member_of(organization_of(options["organization"]), options["email"])
        with refusing():
            services.change_role(actor=None, membership=member, role=options["role"])
        self.stdout.write(f"{member.user.email} is {member.role} of {options['organization']} now.")
