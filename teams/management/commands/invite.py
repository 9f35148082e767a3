"""`invite`: let an address join an organization, by e-mail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from teams import letters, services
from teams.management.finding import organization_of, refusing, team_of
from teams.roles import OrganizationRole, TeamRole


class Command(BaseCommand):
    """Sends an invitation; the link is in the mail alone."""

    help = "Invite a person into an organization by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--role", default=OrganizationRole.MEMBER.value, choices=list(map(str, OrganizationRole)))
        parser.add_argument("--team", metavar="NAME")
        parser.add_argument("--team-role", default=TeamRole.VIEWER.value, choices=list(map(str, TeamRole)))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        organization = organization_of(options["organization"])
        team = team_of(organization, options["team"])
        with refusing():
            issued = services.invite(
                actor=None,
                organization=organization,
                email=options["email"],
                role=options["role"],
                team=team,
                team_role=options["team_role"],
                now=timezone.now(),
            )
        if not letters.send_invitation(issued):
            raise CommandError("The mail server did not take the mail. The invitation is kept: send it again later.")
        self.stdout.write(f"An invitation is on its way to {issued.invitation.email}.")
