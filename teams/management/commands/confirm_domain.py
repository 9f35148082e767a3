"""`confirm_domain`: the operator's word that a domain is an organization's, where its DNS cannot say so."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from teams import services
from teams.management.finding import organization_of, refusing


class Command(BaseCommand):
    """Confirms a domain by hand."""

    help = "Confirm that a domain of an organization's single sign-on is its own, without a record in its DNS."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("domain", metavar="DOMAIN")
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError."""
        organization = organization_of(options["organization"])
        with refusing():
            row = services.confirm_domain(organization=organization, domain=options["domain"], now=timezone.now())
        self.stdout.write(f"People of {row.domain} are led to the provider of {organization.slug} now.")
