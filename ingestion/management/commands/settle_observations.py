"""`settle_observations`: make facts of Langfuse's calls that are due, now and in the foreground."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingestion import observations
from teams.models import Organization


class Command(BaseCommand):
    """What the clock does every minute; running it twice changes nothing."""

    help = "Make facts of the calls of Langfuse's batches that are finished or given up, and forget what is old."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the command."""
        parser.add_argument("--organization", metavar="SLUG", help="only this organization")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print how many calls were looked at. Raises CommandError for an organization that does not exist."""
        slug = options["organization"]
        organization = Organization.objects.filter(slug=slug).first() if slug else None
        if slug and organization is None:
            raise CommandError(f"There is no organization {slug!r}.")
        self.stdout.write(f"{observations.settle_due(timezone.now(), organization)} calls settled.")
